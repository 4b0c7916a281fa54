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
    asks(&desk, "equal.csv", "", "if the first line is a row, say `--header no`");
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
        "line 2 has 2 cells, the header has 1; if the lines above are a title",
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
    desk.done("fit comma.csv -k 2 --model p");
    assert!(!desk.read("p/config.json").contains("\"decimal\""));

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
    // Whole numbers without a name are no index unless they are all different.
    desk.write("bare.csv", "a,\n1,5\n2,5\n8,7\n9,7\n");
    let found = said(&desk, "bare.csv", "--header yes");
    assert!(found.contains("(no name) (a column without a name)"), "{found}");
}
