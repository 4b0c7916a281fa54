//! Tables that can be read in two ways: what is asked, and what is not.

use crate::desk::{Desk, cells};

/// Lines of a table.
fn rows(header: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    let lines = (0..count).map(row).map(|row| row + "\n");
    std::iter::once(format!("{header}\n")).chain(lines).collect()
}

/// What a fit of two clusters says; it must be done.
fn said(desk: &Desk, file: &str, options: &str) -> String {
    desk.done(&format!("fit {file} -k 2 --model m {options}")).err
}

/// A fit of two clusters must fail and say this.
fn asks(desk: &Desk, file: &str, options: &str, says: &str) {
    desk.fails(&format!("fit {file} -k 2 --model n {options}"), 1, says);
}

const CHOICE: &str = "say `--header yes` if it names the columns, `--header no` if it is a row";

#[test]
fn a_first_line_like_the_rows_is_asked_about() {
    let desk = Desk::new();
    let trees =
        "oak,40.5,18,f\noak,NA,NA,NA\nelm,36.5,19,m\noak,39.5,18,f\nelm,35.5,17,m\nelm,50.5,15,f\n";
    let codes = "p,x,s\ne,x,s\np,b,y\ne,b,y\np,x,s\ne,b,s\n";
    let holes = "oak,NA,NA,2007\nelm,1.5,2.5,2008\noak,3.5,1.5,2009\nelm,1.5,8.5,2007\n";
    for (name, text) in [("trees.csv", trees), ("codes.csv", codes), ("holes.csv", holes)] {
        desk.write(name, text);
        asks(&desk, name, "", CHOICE);
        desk.fails(&format!("outliers {name}"), 1, CHOICE);
        let count = text.lines().count();
        let said = said(&desk, name, "--header no");
        assert!(said.contains(&format!("{count} rows, ")), "{said}");
    }
    // Equal numbers are no names, whatever the rows are.
    desk.write("equal.csv", "x,0,0\n7,1,2\n8,4,3\n9,9,9\n");
    asks(&desk, "equal.csv", "", CHOICE);
    // A text above numbers, in a row of numbers; its word stands for a missing value.
    desk.write("odd.csv", "n/d,1.5,2\n3.5,2.5,7\n4.5,1.5,3\n9.5,8.5,4\n");
    asks(&desk, "odd.csv", "", "it has numbers, such as `1.5`, where the rows have them");
    assert!(said(&desk, "odd.csv", "--header yes").contains("3 rows, "));
    assert!(said(&desk, "odd.csv", "--header no --na n/d").contains("4 rows, "));
    // Names with a number among them, and numbers that go on by equal steps.
    desk.write("mostly.csv", "a,b,0\n1,2,3\n2,1,4\n9,8,7\n");
    let noted = said(&desk, "mostly.csv", "");
    assert!(
        noted.contains("3 rows, ") && noted.contains("say `--header no` if it is one"),
        "{noted}"
    );
    desk.write("counted.csv", "label,0,1,2\n5,0,16,3\n7,8,0,1\n7,9,1,1\n");
    desk.write("answers.csv", "n/d,1,2,3\n4,2,5,1\n3,5,1,4\n1,2,2,5\n");
    for name in ["counted.csv", "answers.csv"] {
        let noted = said(&desk, name, "");
        assert!(noted.contains("3 rows, ") && noted.contains("say `--header no`"), "{noted}");
        assert!(!said(&desk, name, "--header yes").contains("--header"), "{name}");
    }
    assert!(said(&desk, "answers.csv", "--header no --na n/d").contains("4 rows, "));
    let pixels = "label,0,1,2,3,4,5,6,7\n5,0,9,3,1,0,0,2,9\n7,8,0,1,4,2,7,3,3\n2,8,1,1,4,2,6,3,1\n";
    desk.write("pixels.csv", pixels);
    desk.write("yearly.csv", "id,2019,2020,2021\n3,1.5,7,2\n1,2.5,8,4\n2,9.5,1,1\n");
    for name in ["pixels.csv", "yearly.csv"] {
        let named = said(&desk, name, "");
        assert!(named.contains("3 rows, ") && !named.contains("--header"), "{named}");
    }
    // The last number has a decimal comma: these do not count.
    desk.write("commas.csv", "n/d;0;1;2;7,5\n3,5;1;4;2;2,5\n4,5;2;1;3;1,5\n1,5;7;2;3;9,5\n");
    asks(&desk, "commas.csv", "", "it has numbers, such as `0`, where the rows have them");
    // Texts above texts, years above numbers, one name.
    desk.write(
        "named.csv",
        "kind,colour,size\nbox,red,1.5\nbox,blue,2.5\nbag,red,9.5\nbag,blue,8\n",
    );
    desk.write("years.csv", "country,2019,2020\nChad,1.5,NA\nMali,2.5,1\nTogo,9.5,9\n");
    desk.write("one.csv", "NA\n1\n2\n9\n");
    for (name, count) in [("named.csv", 4), ("years.csv", 3), ("one.csv", 3)] {
        let said = said(&desk, name, "");
        assert!(said.contains(&format!("{count} rows, ")), "{said}");
    }
}

#[test]
fn names_that_count_from_0_are_noted() {
    let desk = Desk::new();
    desk.write("answers.csv", "0,1,2\n0,1,2\n1,1,2\n8,9,9\n9,9,8\n");
    let noted = said(&desk, "answers.csv", "");
    let says =
        "the first line, `0`, `1`, `2`, is taken for names; say `--header no` if it is a row";
    assert!(noted.contains("4 rows, ") && noted.contains(says), "{noted}");
    let noted = said(&desk, "answers.csv", "--header no");
    assert!(noted.contains("5 rows, ") && !noted.contains("--header"), "{noted}");
    assert!(!said(&desk, "answers.csv", "--header yes").contains("--header"));
}

#[test]
fn numbers_of_several_currencies_are_asked_about() {
    let desk = Desk::new();
    desk.write("prices.csv", "price,b\n$5,1\n€6,2\n£50,9\n$60,8\n");
    let asked = "column `price`: numbers have several currencies, as in `$5` and `€6`; say `--as price=number` to take \
                 them as they are";
    asks(&desk, "prices.csv", "", asked);
    asks(&desk, "prices.csv", "--columns price,b", asked);
    let noted = said(&desk, "prices.csv", "--as price=number");
    assert!(noted.contains("price (several currencies, as in `$5` and `€6`)"), "{noted}");
    // A sign and its code are one, and a number without a sign may be of any.
    desk.write("dollars.csv", "price,b\n$5,1\nUSD 6,2\n50,9\n60 USD,8\n");
    let noted = said(&desk, "dollars.csv", "");
    assert!(noted.contains("price (currency signs, as in `$5`)"), "{noted}");
}

#[test]
fn a_title_beside_empty_cells_is_asked_about() {
    let desk = Desk::new();
    for (name, sign, above, skip) in [
        ("blank.csv", ',', "Trees 2024,,\n,,\n", 2),
        ("line.csv", ';', "Trees 2024;;\n", 1),
        ("two.csv", '\t', "Trees\t\t\nmeasured in May\t\t\n", 2),
    ] {
        let table =
            rows("kind,size,age", 8, |i| format!("{},{i}.5,{}", ["oak", "elm"][i % 2], i * i));
        desk.write(name, &format!("{above}{}", table.replace(',', &sign.to_string())));
        asks(&desk, name, "", &format!("say `--skip {skip}` if it is a title"));
        let said = said(&desk, name, &format!("--skip {skip}"));
        assert!(said.contains("features   kind (category of 2), size, age"), "{said}");
    }
    let table = rows("a;b", 6, |i| format!("{i};{}", i * i));
    desk.write("bare.csv", &format!("Trees 2024\n{table}"));
    asks(
        &desk,
        "bare.csv",
        "",
        "line 2 has 2 cells, the header has 1; if the lines above are a title or counts, say `--skip 1`,",
    );
    assert!(said(&desk, "bare.csv", "--skip 1").contains("2 columns"));
    // An index without a name, one column, and separators behind the last cell.
    desk.write("index.csv", &rows(",size", 6, |i| format!("{i},{}.5", i / 3 * 9)));
    desk.write("single.csv", "size\n1\n2\n8\n9\n");
    desk.write("behind.csv", "size,\n1,\n2,\n8,\n9,\n");
    for name in ["index.csv", "single.csv", "behind.csv"] {
        assert!(said(&desk, name, "").contains("features   size"), "{name}");
    }
}

#[test]
fn decimal_commas_among_texts_are_asked_about() {
    let desk = Desk::new();
    let open = |i: usize| if i % 3 == 1 { "k.A.".into() } else { format!("{i},5") };
    desk.write("open.csv", &rows("x;y", 12, |i| format!("{};{}", open(i), i / 6 * 9)));
    asks(
        &desk,
        "open.csv",
        "",
        "8 of 12 cells are numbers if the decimal sign is a comma, as in `0,5`, but `k.A.` (line 3) is not a finite \
         number; if so, say `--decimal ,`",
    );
    let found = said(&desk, "open.csv", "--decimal , --na k.A.");
    assert!(found.contains("x (4 missing)"), "{found}");
    let found = said(&desk, "open.csv", "--as x=category");
    assert!(found.contains("x (category of 9)"), "{found}");
    desk.write(
        "minus.csv",
        &rows("x;y", 10, |i| format!("{}.485,50{};{i}", 1 + i, ["", "-", ""][i % 3])),
    );
    asks(&desk, "minus.csv", "", "say `--decimal ,`");
    // Texts of other files.
    desk.write(
        "texts.jsonl",
        &(0..8).map(|i| format!("{{\"x\": \"{i},55\", \"y\": {i}.5}}\n")).collect::<String>(),
    );
    asks(&desk, "texts.jsonl", "", "8 of 8 cells are numbers if the decimal sign is a comma");
    assert!(said(&desk, "texts.jsonl", "--decimal ,").contains("features   x, y"));
    desk.done("predict texts.jsonl --model m");
    asks(
        &desk,
        "texts.jsonl",
        "--as x=number",
        "unless the decimal sign is a comma: `--decimal ,`",
    );
    desk.write(
        "point.jsonl",
        "{\"x\": 1.5, \"y\": 2}\n{\"x\": 2.5, \"y\": 3}\n{\"x\": 9.5, \"y\": 1}\n",
    );
    desk.done("fit point.jsonl -k 2 --model m");
    desk.fails(
        "predict texts.jsonl --model m",
        1,
        "`0,55` is not a finite number, unless it has another decimal sign",
    );
    desk.done("predict texts.jsonl --model m --decimal ,");
    // Few such texts among words, and a sign that the user names.
    desk.write(
        "words.csv",
        &rows("x;y", 20, |i| format!("{};{i}", ["low", "mid", "high", "1,5", "off"][i % 5])),
    );
    assert!(said(&desk, "words.csv", "").contains("x (category of 5)"));
    asks(&desk, "open.csv", "--decimal .", "but `0,5` (line 2), `k.A.` (line 3)");
}

#[test]
fn a_model_keeps_the_decimal_sign_and_per_cent() {
    let desk = Desk::new();
    let number = |i: usize| format!("\"{},{:03}\",{i}", 1 + i % 7, (i * 377) % 1000);
    desk.write("comma.csv", &rows("x,y", 20, number));
    desk.done("fit comma.csv -k 2 --model m --decimal ,");
    let kept = desk.done("predict comma.csv --model m").out;
    assert_eq!(desk.done("predict comma.csv --model m --decimal ,").out, kept);
    assert_ne!(desk.done("predict comma.csv --model m --decimal .").out, kept);
    // What was taken for thousands stays thousands, and another table that has decimal commas is asked about.
    desk.done("fit comma.csv -k 2 --model p");
    assert_eq!(kept_decimal(&desk, "p"), "point");
    let thousands = desk.done("predict comma.csv --model p").out;
    assert_eq!(desk.done("predict comma.csv --model p --decimal .").out, thousands);
    desk.write("shown.csv", "x;y\n1,377;1\n1,5;2\n");
    desk.fails(
        "predict shown.csv --model p",
        1,
        "column `x` has `1,5`, with a decimal comma, but the numbers of the fit have a decimal point; say `--decimal ,` if \
         this table has commas, `--decimal .` if not",
    );

    desk.write("share.csv", &rows("x,y", 12, |i| format!("{i}.5%,{}", i % 3)));
    desk.write("plain.csv", &rows("x,y", 12, |i| format!("{i}.5,{}", i % 3)));
    desk.write("both.csv", "x,y\n0.075,1\n7.5%,2\n");
    for stream in ["", "--stream"] {
        desk.done(&format!("fit share.csv -k 2 --model s {stream}"));
        desk.done(&format!("fit plain.csv -k 2 --model q {stream}"));
        desk.done("predict share.csv --model s");
        desk.done("predict plain.csv --model q");
        desk.fails("predict both.csv --model s", 1, "`0.075` has no per cent sign");
        desk.fails("predict both.csv --model q", 1, "`7.5%` has a per cent sign");
        desk.fails("explain plain.csv --model s", 1, "`0.5` has no per cent sign");
    }
    // A model that was saved before takes either.
    let mut config: serde_json::Value =
        serde_json::from_str(&desk.read("s/config.json")).expect("JSON");
    for column in config["info"]["encoding"]["columns"].as_array_mut().expect("columns") {
        column.as_object_mut().expect("an object").remove("percent").expect("the sign");
    }
    desk.write("s/config.json", &config.to_string());
    desk.done("predict both.csv --model s");
}

/// The decimal sign that a model keeps; empty if none.
fn kept_decimal(desk: &Desk, model: &str) -> String {
    let config: serde_json::Value =
        serde_json::from_str(&desk.read(&format!("{model}/config.json"))).expect("JSON");
    config["info"]["encoding"]["decimal"].as_str().unwrap_or_default().to_owned()
}

/// Tables with decimal commas: one that shows them, and two whose numbers could be whole.
fn write_commas(desk: &Desk) {
    let digits = |i: usize| (i * 377) % 1000;
    let kind = |i: usize| ["a", "b"][i % 2];
    desk.write(
        "fit.csv",
        &rows("x;y;kind", 24, |i| {
            format!("{},{:03}5;{};{}", 1 + i % 7, digits(i), i / 12 * 9, kind(i))
        }),
    );
    let later = |i: usize| format!("{},{:03};{};{}", 1 + i % 7, digits(i), i / 6 * 9, kind(i));
    desk.write("later.csv", &rows("x;y;kind", 12, later));
    let quoted = |i: usize| later(i).replacen(';', "\",", 1).replace(';', ",");
    desk.write("quoted.csv", &rows("x,y,kind", 12, |i| format!("\"{}", quoted(i))));
    let texts = |i: usize| {
        format!(
            "{{\"x\": \"{},{:03}\", \"y\": {}, \"kind\": \"a\"}}",
            1 + i % 7,
            digits(i),
            i / 6 * 9
        )
    };
    desk.write("texts.jsonl", &rows(&texts(0), 11, |i| texts(i + 1)));
}

#[test]
fn a_decimal_comma_that_was_found_is_kept() {
    let desk = Desk::new();
    write_commas(&desk);
    for (fit, model) in [
        ("fit fit.csv -k 2 --model m", "m"),
        ("fit fit.csv -k 2 --stream --model s", "s"),
        ("fit fit.csv -k 2 --as x=category --model c", "c"),
        ("label fit.csv --labels kind --model l", "l"),
        ("outliers fit.csv --save d", "d"),
    ] {
        desk.done(fit);
        assert_eq!(kept_decimal(&desk, model), "comma", "{fit}");
    }
    assert!(desk.done("inspect m").out.contains("decimal    comma\n"));
    for file in ["later.csv", "quoted.csv", "texts.jsonl"] {
        for command in [
            "predict FILE --model m",
            "predict FILE --model s",
            "predict FILE --model l",
            "explain FILE --model m",
            "profile FILE --model m",
            "outliers FILE --model d",
        ] {
            let command = command.replace("FILE", file);
            let kept = desk.done(&command);
            assert_eq!(desk.done(&format!("{command} --decimal ,")).out, kept.out, "{command}");
            let has_note = kept.err.contains("the comma is read as the decimal sign");
            assert_eq!(has_note, !file.ends_with("jsonl"), "{command}: {}", kept.err);
        }
        let measures = |options: &str| {
            let command =
                format!("evaluate {file} --model m --methods neon --format csv {options}");
            let timed = |line: &&str| !line.contains("seconds");
            desk.done(&command).out.lines().filter(timed).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(measures(""), measures("--decimal ,"), "{file}");
        let other = desk.done(&format!("predict {file} --model m --decimal .")).out;
        assert_ne!(desk.done(&format!("predict {file} --model m")).out, other, "{file}");
        desk.done(&format!("report {file} --model m -o kept.html"));
        desk.done(&format!("report {file} --model m -o named.html --decimal ,"));
        assert_eq!(desk.read("kept.html"), desk.read("named.html"), "{file}");
    }
    // A model that was saved before reads each table by itself, and asks.
    let mut config: serde_json::Value =
        serde_json::from_str(&desk.read("m/config.json")).expect("JSON");
    let encoding = config["info"]["encoding"].as_object_mut().expect("an encoding");
    encoding.remove("decimal").expect("the sign");
    desk.write("m/config.json", &config.to_string());
    desk.fails("predict later.csv --model m", 1, "may be 1 or 1000; say `--decimal .`");
    desk.done("predict fit.csv --model m");
}

#[test]
fn a_table_with_another_decimal_sign_than_the_fit_is_asked_about() {
    let desk = Desk::new();
    write_commas(&desk);
    desk.done("fit fit.csv -k 2 --model m");
    let question = "`, with a decimal point, but the numbers of the fit have a decimal comma; say `--decimal .` if this \
                    table has points, `--decimal ,` if not";
    for (name, text, shows) in [
        ("point.csv", "x;y;kind\n0.5;1;a\n2.5;9;b\n", "column `x` has `0.5"),
        // Another column tells what the numbers are.
        ("beside.csv", "x;y;kind;z\n1.234;1;a;0.5\n2.345;9;b;1.5\n", "column `z` has `0.5"),
        ("thousands.csv", "x|y|kind|z\n1,234|1|a|0.5\n2,345|9|b|1.5\n", "column `z` has `0.5"),
    ] {
        desk.write(name, text);
        for command in ["predict", "explain", "profile"] {
            let command = format!("{command} {name} --model m");
            desk.fails(&command, 1, &format!("{name}: {shows}{question}"));
            desk.done(&format!("{command} --decimal ."));
        }
    }
    let refused = "`2.5` has a decimal point, but the numbers of the fit have a decimal comma; say `--decimal .` if this \
                   table has points";
    desk.write("mixed.csv", "x;y;kind\n1,5;1;a\n2.5;2;a\n");
    desk.fails("predict mixed.csv --model m", 1, &format!("line 3, column `x`: {refused}"));
    desk.write("mixed.jsonl", "{\"x\": \"2.5\", \"y\": 1, \"kind\": \"a\"}\n");
    desk.fails("predict mixed.jsonl --model m", 1, refused);
    // Whole numbers, numbers that are no text, and signs of columns that are not read.
    desk.write("whole.csv", "x;y;kind;z\n1;1;a;0.5\n2;9;b;1.5\n");
    desk.write("typed.jsonl", "{\"x\": 2.5, \"y\": 1.5, \"kind\": \"a\"}\n");
    for file in ["whole.csv", "typed.jsonl"] {
        let said = desk.done(&format!("predict {file} --model m")).err;
        assert!(!said.contains("decimal"), "{said}");
    }
    // Numbers that could be either are read as those of the fit, which is said.
    desk.write("either.csv", "x;y;kind\n1.234;1;a\n2.345;9;b\n");
    let either = desk.done("predict either.csv --model m");
    let note = "either.csv: column `x`: `1.234` is read as 1234, by the decimal comma of the fit; say `--decimal .` if it \
                is 1.234";
    assert!(either.err.contains(note), "{}", either.err);
    assert_ne!(desk.done("predict either.csv --model m --decimal .").out, either.out);
}

#[test]
fn a_decimal_point_is_kept_where_it_could_be_taken_for_another_sign() {
    let desk = Desk::new();
    let number = |i: usize| format!("{}.{:03}5", 1 + i % 7, (i * 377) % 1000);
    let table = rows("x;y", 20, |i| format!("{};{}", number(i), i / 10 * 9));
    desk.write("semicolons.csv", &table);
    desk.write("commas.csv", &table.replace(';', ","));
    desk.done("fit semicolons.csv -k 2 --model m");
    desk.done("fit commas.csv -k 2 --model c");
    assert_eq!(
        (kept_decimal(&desk, "m").as_str(), kept_decimal(&desk, "c").as_str()),
        ("point", "")
    );
    desk.write("row.csv", "x;y\n1.234;1\n");
    assert_eq!(
        desk.done("predict row.csv --model m").out,
        desk.done("predict row.csv --model m --decimal .").out
    );
    desk.write("either.csv", "x;y\n1,234;1\n");
    let either = desk.done("predict either.csv --model m").err;
    assert!(
        either.contains("`1,234` is read as 1234, by the decimal point of the fit"),
        "{either}"
    );
    // A model of numbers that nothing else was needed for reads what a table shows.
    desk.write("shown.csv", &table.replace('.', ","));
    desk.fails("predict shown.csv --model m", 1, "say `--decimal ,` if this table has commas");
    assert_eq!(
        desk.done("predict shown.csv --model c").out,
        desk.done("predict commas.csv --model c").out
    );
    desk.fails("predict either.csv --model c", 1, "`1,234` may be 1.234 or 1234");
}

/// Without missing values in its data an imported model keeps the decimal sign alone.
#[test]
fn an_import_keeps_the_decimal_sign_alone() {
    let desk = Desk::new();
    desk.write("centroids.csv", "a,b\n0.5,0.5\n9.5,9.5\n");
    let row = |i: usize| format!("{}.5\t{}.25", i / 10 * 9, i / 10 * 9);
    desk.write("data.tsv", &rows("a\tb", 20, row));
    desk.write("data.csv", &desk.read("data.tsv").replace('\t', ","));
    desk.write("hole.tsv", "a\tb\n\t9.5\n");
    for (data, decimal) in [("data.tsv", "point"), ("data.csv", "")] {
        desk.done(&format!("import centroids.csv --data {data} --model m"));
        assert_eq!(kept_decimal(&desk, "m"), decimal, "{data}");
        assert!(!desk.read("m/config.json").contains("\"fill\""), "{data}");
        desk.done(&format!("predict {data} --model m"));
        desk.fails("predict hole.tsv --model m", 1, "1 missing value, first at line 2");
    }
    // Where some are missing, what stands for them is kept with the sign.
    desk.write("holes.tsv", &(desk.read("data.tsv") + "\t0.5\n"));
    desk.done("import centroids.csv --data holes.tsv --model m");
    assert_eq!(kept_decimal(&desk, "m"), "point");
    assert!(desk.done("predict hole.tsv --model m").err.contains("filled"));
}

#[test]
fn identifiers_are_found_by_name_and_values() {
    let desk = Desk::new();
    let left_out = |file: &str| {
        let said = said(&desk, file, "");
        let line = said.lines().find_map(|line| line.trim_start().strip_prefix("left out"));
        line.unwrap_or_default().split(" (").next().unwrap_or_default().trim().to_owned()
    };
    let table = |name: &str, value: &dyn Fn(usize) -> String| {
        let text = rows(&format!("a,{name}"), 15, |i| format!("{}.5,{}", i * i % 7, value(i)));
        desk.write("t.csv", &text);
    };
    // Long numbers of as many digits, numbers close to one another, floats, and holes.
    let phone = |i: usize| (4_912_345 + 7919 * (i * 7 % 15)).to_string();
    let close = |i: usize| (100 + i * 7 % 15).to_string();
    let float = |i: usize| format!("{}.0", 9000 - 7 * (i * 4 % 15));
    let holes = |i: usize| if i == 3 { String::new() } else { float(i) };
    let wide = |i: usize| (3 + 211 * (i * 7 % 15)).to_string();
    for (name, value) in [
        ("phone_no", &phone as &dyn Fn(usize) -> String),
        ("number", &wide),
        ("row number", &close),
        ("house_index", &close),
        ("customer_id", &float),
        ("customer_id", &holes),
        ("identifier", &wide),
    ] {
        table(name, value);
        assert_eq!(left_out("t.csv"), name);
    }
    for (name, value) in [
        ("Number of employees", &wide as &dyn Fn(usize) -> String),
        ("price index", &wide),
        ("price index", &phone),
        ("smoking_yes_cancer_no", &close),
        ("yes_no_ratio", &wide),
        ("size", &float),
        ("customer_id", &|i| format!("{i}.5")),
    ] {
        table(name, value);
        // Numbers that count from row to row are an index whatever their name is.
        if name != "smoking_yes_cancer_no" {
            assert_eq!(left_out("t.csv"), "", "{name}");
        }
    }
}

#[test]
fn a_row_without_a_value_is_left_out_of_one_feature_too() {
    let desk = Desk::new();
    let holes = |i: usize| if i % 4 == 1 { String::new() } else { format!("{}", i / 6 * 9) };
    desk.write("dated.csv", &rows("day,x", 12, |i| format!("2024-01-{:02},{}", 1 + i, holes(i))));
    desk.write("pair.csv", &rows("x,y", 12, |i| format!("{},{i}.5", holes(i))));
    let found = said(&desk, "dated.csv", "");
    assert!(found.contains("3 rows without a value of any feature left out"), "{found}");
    let (_, lines) = cells(&desk.done("predict dated.csv --model m").out);
    let index: Vec<&str> = lines.iter().map(|line| line[0].as_str()).collect();
    assert_eq!(index, ["0", "2", "3", "4", "6", "7", "8", "10", "11"]);
    let found = said(&desk, "pair.csv", "");
    assert!(!found.contains("left out") && found.contains("12 rows of 2"), "{found}");
}

#[test]
fn rows_with_names_and_spaces_between_cells_are_read() {
    let desk = Desk::new();
    let group = |i: usize| format!("{}.5", i / 4 * 9);
    desk.write(
        "written.csv",
        &rows("\"kind\",\"size\"", 8, |i| format!("\"{}\",\"k{}\",{}", 1 + i, i % 2, group(i))),
    );
    let found = said(&desk, "written.csv", "");
    assert!(found.contains("one cell more than the header"), "{found}");
    assert!(found.contains("features   kind (category of 2), size"), "{found}");
    desk.done("predict written.csv --model m");
    desk.write("behind.csv", "a,b,\n1,2\n3,4\n5,1\n");
    assert!(said(&desk, "behind.csv", "").contains("2 columns"));
    desk.write(
        "aligned.dat",
        &rows("  year   sun", 8, |i| format!(" {}   {:>3}", 1700 + 2 * i * i, 7 * i)),
    );
    assert!(said(&desk, "aligned.dat", "").contains("features   year, sun"));
    desk.write("spaced.txt", &rows("state n size", 8, |i| format!("s{} {i} {}", i % 2, group(i))));
    asks(&desk, "spaced.txt", "", "say `--delimiter ' '`");
    desk.write(
        "named.txt",
        &rows("\"kind\" \"size\"", 8, |i| format!("\"{i}\" \"k\" {}", group(i))),
    );
    asks(&desk, "named.txt", "", "say `--delimiter ' '`");
    // Other numbers of cells name what may help.
    desk.write("counts.csv", "178,13,red\n1.5,2,3,4\n2,3,4,5\n");
    asks(
        &desk,
        "counts.csv",
        "",
        "line 2 has 4 cells, the header has 3; if the lines above are a title",
    );
    desk.done("fit counts.csv -k 2 --model m --skip 1 --header no");
    // Decimal commas make no index.
    desk.write("decimals.csv", "a,b\n1,5,2\n2,5,3\n9,5,1\n");
    asks(&desk, "decimals.csv", "", "line 2 has 3 cells, the header has 2");
    desk.write("words.csv", "name\nDe Moivre 7\nBayes 5\n");
    asks(&desk, "words.csv", "", "no column can be a feature");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let desk = Desk::new();
    desk.write("twice.csv", "a,b,a,b,c\n1,2,3,4,5\n2,3,4,5,7\n");
    asks(
        &desk,
        "twice.csv",
        "",
        "two columns are named `a`, two are named `b`; names must be different",
    );
    desk.write("words.csv", "a,b\n1,2\nk.A.,3\n4,4\nn/d,5\n5,x\n6,1\n");
    asks(
        &desk,
        "words.csv",
        "",
        "but `k.A.` (line 3), `n/d` (line 5) are not finite numbers; column `b`",
    );
    desk.write("good.csv", "width,height,area\n1,2,2\n2,1,2\n9,9,81\n8,9,72\n");
    let says =
        "there is no column `widht` (did you mean `width`?), nor `aera` (did you mean `area`?)";
    asks(&desk, "good.csv", "--columns widht,height,aera", says);
    asks(&desk, "good.csv", "--drop widht,aera", says);
    asks(&desk, "good.csv", "--as widht=text --as aera=number", says);
    desk.done("fit good.csv -k 2 --model m");
    desk.write("less.csv", "height\n1\n2\n");
    desk.fails(
        "predict less.csv --model m",
        1,
        "there is no column `width`, nor `area`; its columns are `height`",
    );
    // A model does not keep which lines are rows.
    desk.write("bare.csv", "1,2\n2,1\n9,9\n8,9\n");
    desk.done("fit bare.csv -k 2 --model b --header no");
    desk.fails(
        "predict good.csv --model b",
        1,
        "read with `--header`, `--skip` or `--sheet`, say so here, too",
    );
    desk.done("predict bare.csv --model b --header no");
    let again = desk.run("predict good.csv --model b --header no").err;
    assert!(!again.contains("say so here"), "{again}");
}

#[test]
fn names_may_have_commas() {
    let desk = Desk::new();
    desk.write("t.csv", "\"rate,total\",b,\"c,d,e\",f\n1,2,3,1\n2,4,5,7\n3,7,1,4\n9,9,2,1\n");
    let features = |options: &str| {
        desk.done(&format!("fit t.csv -k 2 --model m {options}"));
        cells(&desk.done("explain t.csv --model m").out).0[3..].to_vec()
    };
    assert_eq!(features("--columns rate,total"), ["rate,total"]);
    assert_eq!(features("--columns b,rate,total,c,d,e"), ["b", "rate,total", "c,d,e"]);
    assert_eq!(features("--columns b,f"), ["b", "f"]);
    assert_eq!(features("--drop rate,total,f"), ["b", "c,d,e"]);
    asks(&desk, "t.csv", "--columns b,rate", "there is no column `rate`");
}

#[test]
fn what_is_no_table_is_named() {
    let desk = Desk::new();
    for (name, text, says) in [
        (
            "lists.json",
            "[[\"a\", \"b\"], [1, 2], [3, 5]]",
            "is a JSON list of something else than records",
        ),
        ("numbers.json", "[1, 2, 3]", "a table is a list of objects"),
        (
            "wrapped.json",
            "{\"data\": [{\"a\": 1}, {\"a\": 2}], \"count\": 2}",
            "`data` is nested; a table is a list",
        ),
        ("page.html", "\n<!DOCTYPE html><html><table></table></html>", "is HTML"),
        ("part.html", "<table border=\"1\">\n<tr><td>1</td></tr>\n</table>\n", "is HTML"),
        ("paper.pdf", "%PDF-1.4\n1 0 obj\n", "is a PDF file"),
    ] {
        desk.write(name, text);
        asks(&desk, name, "", says);
    }
    // Text that begins alike.
    desk.write("signs.csv", "[a],<b>\n1,2\n2,1\n9,9\n");
    assert!(said(&desk, "signs.csv", "").contains("features   [a], <b>"));
    desk.write("good.jsonl", "{\"a\": 1, \"b\": 2}\n{\"a\": 3, \"b\": 2}\n{\"a\": 9, \"b\": 7}\n");
    desk.done("fit good.jsonl -k 2 --model m");
    desk.write("one.json", "{\"a\": 1, \"b\": 2, \"tags\": []}");
    desk.done("predict one.json --model m");
}

#[test]
fn counts_of_one_are_singular() {
    let desk = Desk::new();
    desk.write("one.csv", "a\n1\n2\n8\n9\n");
    assert!(said(&desk, "one.csv", "").contains("4 rows of 1 feature in 2 clusters"));
    desk.write("two.csv", ",a,,b\n5,1,7,x\n6,2,8,y\n7,8,9,z\n");
    let noted = desk.done("predict two.csv --model m").err;
    assert!(noted.contains("are ignored: `b` and 2 without a name"), "{noted}");
    desk.write("row.csv", "a\n5\n");
    let says = "there is no row 3, the table has 1 row, row 0";
    desk.fails("explain row.csv --model m --rows 3", 1, says);
    // Whole numbers without a name are no index unless they come first and are all different.
    desk.write("bare.csv", "a,\n1,5\n2,5\n8,7\n9,7\n");
    desk.write("last.csv", "a,\n1,5\n2,6\n8,7\n9,8\n");
    for name in ["bare.csv", "last.csv"] {
        let found = said(&desk, name, "--header yes");
        assert!(found.contains("left out   (no name) (not named in the header)"), "{found}");
    }
}

/// Advice on a table with both decimal signs leads to the line to correct.
#[test]
fn a_cell_with_the_other_decimal_sign_is_found() {
    let desk = Desk::new();
    let rows: String =
        (0..60).map(|i| format!("{}.188,{};{},5\n", i + 1, i % 7 + 1, i % 11)).collect();
    desk.write("t.csv", &format!("a;b\n{rows}1,234.50;5.5\n"));
    let fails = |options: &str, says: &str| {
        desk.fails(&format!("fit t.csv -k 2 --model m {options}"), 1, says);
    };
    fails(
        "",
        "nearly all have a decimal comma: say `--decimal ,`, which names the lines to correct",
    );
    fails(
        "--decimal .",
        "column `b`: 1 of 61 cells are numbers with a decimal point, but 60 with a decimal comma, as in `0,5` (line 2); say \
         `--decimal ,`, which names the cells to correct",
    );
    fails(
        "--decimal ,",
        "column `b`: 60 of 61 cells are numbers with a decimal comma, but `5.5` (line 62) is not",
    );
}
