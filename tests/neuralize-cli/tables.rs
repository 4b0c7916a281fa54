//! Tables as people have them: what columns are, what is missing, how text is written.

use std::fs;

use crate::desk::{Desk, cells, table};

/// Fits two clusters and explains; the header of the explanations and the clusters of the rows.
fn explained(desk: &Desk, file: &str, options: &str) -> (Vec<String>, Vec<String>) {
    desk.done(&format!("fit {file} -k 2 --model m {options}"));
    let (header, rows) = cells(&desk.done(&format!("explain {file} --model m")).out);
    (header, rows.iter().map(|row| row[1].clone()).collect())
}

/// Whether rows are in two groups, the first of this many rows.
fn are_split(clusters: &[String], first: usize) -> bool {
    let (one, other) = clusters.split_at(first);
    let alike = |part: &[String]| part.iter().all(|cluster| *cluster == part[0]);
    alike(one) && alike(other) && one[0] != other[0]
}

#[test]
fn text_is_read_as_it_is_written() {
    for (name, rows) in [
        ("comment", 4),
        ("deccomma", 4),
        ("dtype", 4),
        ("minus", 4),
        ("quotedblank", 4),
        ("savetxt", 4),
        ("sep", 4),
        ("sepc", 4),
        ("sepq", 4),
        ("spaces", 4),
        ("trail", 4),
        ("trail2", 4),
        ("pct", 4),
        ("swiss", 4),
        ("thousands", 4),
    ] {
        let desk = Desk::new();
        let file = desk.take_case(&format!("dialects/{name}.csv"));
        let (header, clusters) = explained(&desk, &file, "");
        assert_eq!(header, ["index", "cluster", "logit", "a", "b"], "{name}");
        assert_eq!(clusters.len(), rows, "{name}");
        assert!(are_split(&clusters, 2), "{name}: {clusters:?}");
    }
}

#[test]
fn what_was_taken_for_what_is_said() {
    for (name, says) in [
        ("deccomma", "the comma is read as the decimal sign"),
        ("sep", "it says that ';' separate cells"),
        ("comment", "1 line that begins with # is skipped"),
        ("thousands", "digits in groups of three, as in `1,200`"),
        ("pct", "per cent, as in `10%`"),
        ("minus", "another minus sign"),
        ("trail", "left out   (no name) (no value)"),
    ] {
        let desk = Desk::new();
        let file = desk.take_case(&format!("dialects/{name}.csv"));
        let said = desk.done(&format!("fit {file} -k 2 --model m")).err;
        assert!(said.contains(says), "{name}: {said}");
    }
}

#[test]
fn what_could_be_either_is_asked() {
    let desk = Desk::new();
    desk.write("either.csv", "a;b\n1.234;1\n2.345;2\n9.876;9\n");
    desk.fails("fit either.csv -k 2 --model m", 1, "`1.234` may be 1.234 or 1234");
    let inertia = |options: &str| {
        let said = desk.done(&format!("fit either.csv -k 2 --model m --scale none {options}")).err;
        said.split("inertia ").nth(1).map(|rest| rest[..5].to_owned())
    };
    assert_ne!(inertia("--decimal ."), inertia("--decimal ,"));

    let years = desk.take_case("dialects/years.csv");
    let asked = "the first line holds numbers; say `--header yes` if it names the columns";
    desk.fails(&format!("fit {years} -k 2 --model m"), 1, asked);
    desk.done(&format!("fit {years} -k 2 --model m --header yes"));
    let (header, rows) = cells(&desk.done(&format!("explain {years} --model m --header yes")).out);
    assert_eq!((&header[3..], rows.len()), (&["2020".to_owned(), "2021".to_owned()][..], 4));
    desk.done(&format!("fit {years} -k 2 --model m --header no"));
    let all = desk.done(&format!("predict {years} --model m --header no")).out;
    assert_eq!(cells(&all).1.len(), 5);

    desk.write("total.csv", "a,b\n1,2\n2,1\n9,9\n10,9\nTotal,21\nSum,x\n");
    let said = desk.run("fit total.csv -k 2 --model m").err;
    assert!(said.contains("column `a`: 4 of 6 cells are numbers, but `Total` (line 6)"), "{said}");
    assert!(said.contains("column `b`: 5 of 6 cells are numbers, but `x` (line 7)"), "{said}");
    desk.done("fit total.csv -k 2 --model m --drop b --as a=category");
}

#[test]
fn a_quote_that_is_not_closed_is_an_error() {
    for (name, line) in [
        ("customers", 8),
        ("two_quotes", 8),
        ("dropped_unclosed", 3),
        ("label_tail", 4),
        ("label_unclosed", 3),
        ("onlyquote", 3),
    ] {
        let desk = Desk::new();
        let file = desk.take_case(&format!("quotes/{name}.csv"));
        let says = format!("line {line}: the quote before");
        for command in ["fit {} -k 2 --model m", "outliers {}", "fit {} -k 2 --model m --stream"] {
            desk.fails(&command.replace("{}", &file), 1, &says);
        }
        desk.write("good.csv", "x,y\n0,0\n1,1\n9,9\n");
        if name.starts_with("label") || name == "dropped_unclosed" {
            // The column is not used.
            desk.done("fit good.csv -k 2 --model m");
            for command in ["predict", "explain"] {
                desk.fails(&format!("{command} {file} --model m"), 1, &says);
            }
            desk.fails(&format!("fit {file} -k 2 --model n --columns x,y"), 1, &says);
        }
        if name.starts_with("label") {
            desk.fails(&format!("label {file} --labels cl --model m"), 1, &says);
        }
    }
}

#[test]
fn cells_are_shown_short_and_without_control_characters() {
    let desk = Desk::new();
    let long = format!("a,b\n1,2\n2,3\n9,8\n9,{}\n", "x".repeat(1 << 20));
    desk.write("long.csv", &long);
    let said = desk.run("fit long.csv -k 2 --model m").err;
    assert!(said.len() < 1000 && said.contains("xxx…` (line 5)"), "{} bytes", said.len());
    desk.write("name.csv", &format!("a,{}\n1,2\n2,1\n9,9\n", "n".repeat(1 << 18)));
    assert!(desk.done("fit name.csv -k 2 --model m").err.len() < 2000);
    desk.write("esc.csv", "a,b\x1b[31m\n1,2\n2,\x1b[2J\n9,9\n7,8\n");
    let said = desk.run("fit esc.csv -k 2 --model m").err;
    assert!(!said.contains('\x1b') && said.contains("\\u{1b}[2J"), "{said}");
    desk.write("good.csv", "a,b\n1,2\n2,1\n9,9\n");
    desk.done("fit good.csv -k 2 --model m");
    desk.write("bad.csv", "a,b,\x1b]0;x\x07\n1,\x1b[2J,1\n");
    for command in ["predict", "explain"] {
        let said = desk.run(&format!("{command} bad.csv --model m"));
        assert!(said.code == 1 && !said.err.contains('\x1b'), "{}", said.err);
    }
}

#[test]
fn an_index_is_no_feature() {
    for name in [
        "dominates.csv",
        "dominates.parquet",
        "filtered.csv",
        "filtered.parquet",
        "named.parquet",
        "unnamed0.csv",
    ] {
        let desk = Desk::new();
        let file = desk.take_case(&format!("index/{name}"));
        let (header, clusters) = explained(&desk, &file, "");
        assert_eq!(header[3..], ["a", "b"], "{name}");
        if name.starts_with("dominates") {
            assert!(are_split(&clusters, 3), "{name}: {clusters:?}");
        }
        let scores = desk.done(&format!("outliers {file}")).out;
        assert_eq!(cells(&scores).0, ["index", "score", "a", "b"], "{name}");
    }
    let desk = Desk::new();
    desk.write(
        "ids.csv",
        &rows("customer_id,a,b", 12, |i| format!("{},{i}.5,{}", 900 - 7 * i, i % 5)),
    );
    let said = desk.done("fit ids.csv -k 2 --model m").err;
    assert!(
        said.contains("left out   customer_id (whole numbers that are all different"),
        "{said}"
    );
    let (header, _) = explained(&desk, "ids.csv", "--as customer_id=number");
    assert_eq!(header[3..], ["customer_id", "a", "b"]);
    let (header, _) = explained(&desk, "ids.csv", "--columns a,customer_id");
    assert_eq!(header[3..], ["a", "customer_id"]);
}

#[test]
fn names_are_unique_or_dropped() {
    for name in ["dup.csv", "dup.parquet", "dupfeat.csv", "duplabel.csv"] {
        let desk = Desk::new();
        let file = desk.take_case(&format!("names/{name}"));
        desk.fails(&format!("fit {file} -k 2 --model m"), 1, "two columns are named `");
        desk.fails(&format!("outliers {file}"), 1, "two columns are named `");
        if name == "duplabel.csv" {
            desk.fails(
                &format!("label {file} --labels k --model m"),
                1,
                "two columns are named `k`",
            );
        }
        if name.starts_with("dup.") {
            assert_eq!(explained(&desk, &file, "--drop id").0[3..], ["v"], "{name}");
        }
    }
    let desk = Desk::new();
    let file = desk.take_case("names/unnamed2.csv");
    assert_eq!(explained(&desk, &file, "").0[3..], ["a", "b"]);
    desk.write("t.csv", "width,height,x\n1,2,3\n2,1,4\n9,9,9\n");
    let says = "there is no column `hieght` (did you mean `height`?)";
    for command in ["fit t.csv -k 2 --model m --drop hieght", "outliers t.csv --drop x,hieght"] {
        desk.fails(command, 1, says);
    }
    desk.fails("fit t.csv -k 2 --model m --as hieght=category", 1, says);
    assert_eq!(explained(&desk, "t.csv", "--drop width,x").0[3..], ["height"]);
}

#[test]
fn labels_have_one_vocabulary() {
    for name in [
        "empty.csv",
        "float.csv",
        "float.parquet",
        "int.csv",
        "mixed.csv",
        "na.csv",
        "nan.csv",
        "none.csv",
        "nullfloat.parquet",
        "sp.csv",
    ] {
        let desk = Desk::new();
        let file = desk.take_case(&format!("labels/{name}"));
        let said = desk.done(&format!("label {file} --labels cl --model m")).err;
        let says = "in 2 clusters of 3, 3 (labels 0, 1), 2 rows of noise left out";
        assert!(said.contains(says), "{name}: {said}");
    }
    for name in ["bigid.csv", "bigid.parquet"] {
        let desk = Desk::new();
        let file = desk.take_case(&format!("names/{name}"));
        let said = desk.done(&format!("label {file} --labels cl --model m")).err;
        let says = "2 clusters of 2, 2 (labels 9007199254740992, 9007199254740993), 1 row of noise";
        assert!(said.contains(says), "{name}: {said}");
    }
}

#[test]
fn constants_up_to_rounding_count_for_nothing() {
    for name in [
        "constants/const.csv",
        "constants/near.csv",
        "rounding/big.csv",
        "rounding/kelvin.csv",
        "rounding/sum1.csv",
        "rounding/ulp.csv",
    ] {
        let desk = Desk::new();
        let file = desk.take_case(name);
        for options in [
            "--scale standard",
            "--scale minmax",
            "--scale robust",
            "--method gmm",
            "--method mahalanobis",
            "--method kmedians --scale standard",
            "--stream --scale standard",
        ] {
            desk.done(&format!("fit {file} -k 2 --model m {options}"));
            let (header, rows) = table(&desk.done(&format!("explain {file} --model m")).out, b',');
            assert_eq!(header[4], "c");
            let largest = rows.iter().map(|row| row[4].abs()).fold(0.0, f64::max);
            assert!(largest <= 1e-12, "{name} {options}: {largest}");
            // The clusters are those of `a`.
            let alike = rows.iter().all(|row| (row[3] != 0.0) || row[2] == 0.0);
            assert!(alike, "{name} {options}");
        }
    }
    let desk = Desk::new();
    desk.write("tiny.csv", "a,b\n1,1e-309\n2,2e-309\n9,3e-309\n8,1e-309\n");
    for scale in ["standard", "minmax", "robust"] {
        let says = "column `b`: its values differ by";
        desk.fails(&format!("fit tiny.csv -k 2 --model m --scale {scale}"), 1, says);
    }
    desk.fails(
        "fit tiny.csv -k 2 --model m --method mahalanobis --scale none",
        1,
        "column `b`: its values differ",
    );
}

#[test]
fn parquet_columns_are_read_or_left_out_with_a_word() {
    for (name, features, left_out) in [
        ("bool", "a (yes or no), b", ""),
        ("dec18", "a, b", ""),
        ("dec256", "b", "a (holds decimals of more than 38 digits)"),
        ("dec38", "a, b", ""),
        ("dec9", "a, b", ""),
        ("dec9int", "a, b", ""),
        ("delta", "a, b", ""),
        ("dict", "a, b", ""),
        ("emptygroup", "a, b", ""),
        ("f16", "a, b", ""),
        ("int96", "b", "a (dates)"),
        ("list", "b", "a (is nested)"),
        ("null", "a (1 missing), b", ""),
        ("nullint", "a (1 missing), b", ""),
        ("nullt", "b", "a (no value)"),
        ("struct", "b", "a (is nested)"),
        ("ts", "b", "a (dates)"),
        ("u16", "a, b", ""),
        ("u32", "a, b", ""),
        ("u32v1", "a, b", ""),
        ("u64", "a, b", ""),
        ("u8", "a, b", ""),
        ("z_brotli", "a, b", ""),
        ("z_brotli_one_column", "a, b", ""),
        ("z_gzip", "a, b", ""),
        ("z_lz4", "a, b", ""),
        ("z_snappy", "a, b", ""),
        ("z_zstd", "a, b", ""),
    ] {
        let desk = Desk::new();
        let file = desk.take_case(&format!("parquet/{name}.parquet"));
        let said = desk.done(&format!("fit {file} -k 2 --model m")).err;
        let line = |start: &str| -> String {
            let line = said.lines().find_map(|line| line.trim_start().strip_prefix(start));
            line.unwrap_or_default().trim().to_owned()
        };
        assert_eq!(
            (line("features").as_str(), line("left out").as_str()),
            (features, left_out),
            "{name}"
        );
    }
    let desk = Desk::new();
    let file = desk.take_case("parquet/zerogroups.parquet");
    desk.fails(&format!("fit {file} -k 2 --model m"), 1, "the table has no rows");
}

/// Lines of a table.
fn rows(header: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    let lines = (0..count).map(row).map(|row| row + "\n");
    std::iter::once(format!("{header}\n")).chain(lines).collect()
}

/// A table of every kind of column, with holes.
fn mixed() -> String {
    rows("id,when,size,weight,colour,sold,note", 60, |i| {
        let group = i % 3;
        let size =
            if i == 7 { String::new() } else { format!("{}.{}", 10 * group + i % 4, i % 10) };
        let colour = match (i, group) {
            (11, _) => "NA",
            (_, 0) => "red",
            (_, 1) => "blue",
            _ => "green",
        };
        let sold = if group == 2 { "yes" } else { "no" };
        format!(
            "{},2024-01-{:02},{size},{},{colour},{sold},text {i}",
            1000 + i,
            1 + i % 28,
            100 * (i % 7)
        )
    })
}

#[test]
fn a_table_of_every_kind_goes_through_every_command() {
    let desk = Desk::new();
    desk.write("mixed.csv", &mixed());
    let said = desk.done("fit mixed.csv -k 3 --model m").err;
    for says in [
        "mixed.csv: 60 rows, 7 columns",
        "features   size (1 missing), weight, colour (1 missing; category of 3), sold (yes or no)",
        "left out   id (whole numbers that are all different, such as an identifier), when (dates), note (60 texts that \
         are all different)",
        "missing    filled by the median or the most frequent value",
        "scaled     standard, since columns differ",
        "otherwise  --columns",
    ] {
        assert!(said.contains(says), "{says}: {said}");
    }
    let explained = desk.done("explain mixed.csv --model m --check");
    let (header, rows) = cells(&explained.out);
    assert_eq!(header[3..], ["size", "weight", "colour", "sold"]);
    for row in &rows {
        let numbers: Vec<f64> =
            row[2..].iter().map(|cell| cell.parse().expect("a number")).collect();
        let (sum, size) =
            (numbers[1..].iter().sum::<f64>(), numbers[1..].iter().map(|r| r.abs()).sum::<f64>());
        assert!((sum - numbers[0]).abs() <= 1e-12 * size, "{row:?}");
    }
    assert!(
        explained
            .err
            .contains("missing values are filled by those of the training data: size 1, colour 1")
    );
    assert_eq!(cells(&desk.done("predict mixed.csv --model m").out).1.len(), 60);
    let (header, _) = cells(&desk.done("outliers mixed.csv --save d").out);
    assert_eq!(header[2..], ["size", "weight", "colour", "sold"]);
    desk.done("outliers mixed.csv --model d -o scores.csv");
    desk.done("label mixed.csv --labels colour --model l");
    desk.done("explain mixed.csv --model l");
    desk.done("evaluate mixed.csv --model m --points 5 --methods neon -o e.csv");
    desk.done("report mixed.csv --model m -o page.html --figures figures");
    let page = desk.read("page.html");
    assert!(page.contains("\"features\":[\"size\",\"weight\",\"colour\",\"sold\"]"));
    assert!(page.contains("{\"kind\":\"category\",\"values\":[\"blue\",\"green\",\"red\"]}"));
    assert!(page.contains("filled in"), "a sentence or value says that it was filled");
    for method in ["gmm", "kernel", "kmedians", "mahalanobis"] {
        desk.done(&format!("fit mixed.csv -k 3 --model {method} --method {method}"));
        assert_eq!(
            cells(&desk.done(&format!("explain mixed.csv --model {method}")).out).1.len(),
            60
        );
    }
    desk.done("fit mixed.csv -k 3 --model streamed --stream");
    let whole = desk.done("explain mixed.csv --model m --cluster 0 --sort typical --limit 1").out;
    assert!(whole.lines().count() == 2);
    desk.done("explain mixed.csv --model streamed");
}

#[test]
fn other_choices_are_kept() {
    let desk = Desk::new();
    desk.write("mixed.csv", &mixed());
    desk.fails(
        "fit mixed.csv -k 3 --model m --missing error",
        1,
        "1 in column `size`, 1 in column `colour`",
    );
    let said = desk.done("fit mixed.csv -k 3 --model m --missing drop").err;
    assert!(
        said.contains("2 rows with missing values left out") && said.contains("58 rows"),
        "{said}"
    );
    let (_, rows) = cells(&desk.done("explain mixed.csv --model m").out);
    let index: Vec<usize> = rows.iter().map(|row| row[0].parse().expect("a number")).collect();
    assert_eq!(index, (0..60).filter(|row| ![7, 11].contains(row)).collect::<Vec<_>>());

    let (header, _) =
        explained(&desk, "mixed.csv", "--as when=date --as note=id --log weight --drop id");
    assert_eq!(header[3..], ["when", "size", "weight", "colour", "sold"]);
    desk.fails(
        "fit mixed.csv -k 3 --model m --as note=number",
        1,
        "column `note`: `text 0` (line 2) is not a number",
    );
    desk.fails("fit mixed.csv -k 3 --model m --as note", 2, "give NAME=KIND");
    desk.fails("fit mixed.csv -k 3 --model m --log colour=x", 1, "there is no column `colour=x`");

    // A value that the model does not know.
    desk.done("fit mixed.csv -k 3 --model m");
    desk.write("new.csv", "size,weight,colour,sold\n1,100,pink,yes\n?,100,red,TRUE\n");
    let answer = desk.done("predict new.csv --model m");
    assert_eq!(cells(&answer.out).1.len(), 2);
    assert!(
        answer.err.contains("values of `colour` unknown to the model, such as `pink`: 1"),
        "{}",
        answer.err
    );
    desk.write("bad.csv", "size,weight,colour,sold\n1,100,red,perhaps\n");
    desk.fails(
        "predict bad.csv --model m",
        1,
        "line 2, column `sold`: `perhaps` is neither true nor false",
    );
}

#[test]
fn rows_without_any_value_are_left_out_with_a_word() {
    let desk = Desk::new();
    let file = desk.take_case("dialects/blankend.csv");
    let said = desk.done(&format!("fit {file} -k 2 --model m")).err;
    assert!(
        said.contains("2 rows without a value of any feature left out")
            && said.contains("4 rows of 2"),
        "{said}"
    );
    let answer = desk.done(&format!("predict {file} --model m"));
    assert_eq!(cells(&answer.out).1.len(), 4);
    assert!(
        answer.err.contains("2 rows without a value of any feature left out"),
        "{}",
        answer.err
    );
    let file = desk.take_case("dialects/err.csv");
    let said = desk.done(&format!("fit {file} -k 2 --model m")).err;
    assert!(said.contains("a (2 missing)"), "{said}");
}

/// Spreadsheets write lines of separators behind a table, or where a cell far below it was used.
#[test]
fn rows_without_any_value_do_not_make_columns_empty() {
    let desk = Desk::new();
    desk.write("behind.csv", &format!("a,b\n1,2\n2,1\n9,9\n10,9\n{}", ",\n".repeat(5)));
    desk.write("far.csv", &format!("a,b\n1,2\n2,1\n9,9\n10,9\n{}7,\n", ",\n".repeat(20)));
    desk.write("one.csv", "a\n1\n\n\n\n\n\n2\n9\n8\n");
    for (name, features, blank) in
        [("behind.csv", "a, b", 5), ("far.csv", "a, b (1 missing)", 20), ("one.csv", "a (5", 5)]
    {
        for stream in ["", "--stream"] {
            let said = desk.done(&format!("fit {name} -k 2 --model m {stream}")).err;
            assert!(said.contains(&format!("features   {features}")), "{name}: {said}");
            let note = format!("{blank} rows without a value of any feature left out");
            assert!(said.contains(&note), "{name} {stream}: {said}");
        }
    }
    desk.fails(
        "fit behind.csv -k 2 --model m --missing error",
        1,
        "5 in column `a`, 5 in column `b`",
    );
    // Of the rows that have a value, most have none here.
    desk.write("gaps.csv", &format!("a,b\n1,2\n2,\n9,\n10,\n{}", ",\n".repeat(5)));
    let said = desk.done("fit gaps.csv -k 2 --model m").err;
    assert!(said.contains("left out   b (3 of 4 values are missing)"), "{said}");
}

#[test]
fn truth_values_are_read_alike() {
    let desk = Desk::new();
    let texts = ["True,False", "true,false", "TRUE,FALSE", "yes,no", "Yes,No"];
    let mut inertias = Vec::new();
    for text in texts {
        let (yes, no) = text.split_once(',').expect("two words");
        desk.write("t.csv", &rows("a,b", 12, |i| format!("{},{i}", if i < 6 { yes } else { no })));
        let said = desk.done("fit t.csv -k 2 --model m").err;
        assert!(said.contains("a (yes or no)"), "{said}");
        inertias.push(said.split("inertia ").nth(1).expect("an inertia").to_owned());
    }
    assert!(inertias.iter().all(|inertia| *inertia == inertias[0]), "{inertias:?}");
}

#[test]
fn other_encodings_and_compressed_text_are_read() {
    let desk = Desk::new();
    let text = "größe;länge\n1,5;2\n2,5;1\n9,5;9\n";
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin: Vec<u8> =
        text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    for (name, bytes) in [
        ("bom.csv", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("utf16.csv", utf16),
        ("latin.csv", latin.clone()),
    ] {
        fs::write(desk.path(name), bytes).expect("written");
        assert_eq!(explained(&desk, name, "").0[3..], ["größe", "länge"], "{name}");
    }
    let said = desk.done("fit latin.csv -k 2 --model m").err;
    assert!(said.contains("is not UTF-8: read as Windows-1252"), "{said}");
    assert!(
        !desk.done("fit latin.csv -k 2 --model m --encoding latin1").err.contains("is not UTF-8")
    );
    desk.fails("fit latin.csv -k 2 --model m --encoding no", 1, "there is no text encoding `no`");

    desk.write("tabs.txt", "a\tb\n1\t2\n2\t1\n9\t9\n");
    assert_eq!(explained(&desk, "tabs.txt", "").0[3..], ["a", "b"]);
    desk.write("spaces.txt", "a b c\n1 2 3\n2 1 3\n9 9 9\n");
    assert_eq!(explained(&desk, "spaces.txt", "").0[3..], ["a", "b", "c"]);
}

#[test]
fn many_columns_take_time_in_proportion() {
    let desk = Desk::new();
    let line =
        |of: &dyn Fn(usize) -> String| (0..100_000).map(of).collect::<Vec<_>>().join(",") + "\n";
    let mut text = line(&|i| format!("c{i}"));
    for row in 0..4 {
        text += &line(&|i| ((i * 7 + row * row) % 11).to_string());
    }
    desk.write("wide.csv", &text);
    let start = std::time::Instant::now();
    desk.done("fit wide.csv -k 2 --model m");
    desk.done("predict wide.csv --model m");
    // Look-ups one by one would take 10 000 000 000 comparisons.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn models_of_the_first_version_load() {
    let desk = Desk::with_wine();
    let config = desk.read("model/config.json");
    assert!(config.contains("\"version\": 2") && config.contains("\"encoding\""));
    let mut value: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    value["version"] = 1.into();
    value["info"].as_object_mut().expect("an object").remove("encoding");
    let answer = desk.done("predict wine.csv --model model").out;
    desk.write("model/config.json", &value.to_string());
    assert_eq!(desk.done("predict wine.csv --model model").out, answer);
    // Without an encoding nothing stands for a missing value.
    desk.write("hole.csv", &desk.read("wine.csv").replacen("14.23", "", 1));
    desk.fails("predict hole.csv --model model", 1, "1 missing value, first at line 2");
}

#[test]
fn what_other_programs_fitted_is_imported_with_its_scaler() {
    let desk = Desk::new();
    let group = |i: usize| i % 3;
    let row =
        |i: usize| format!("{},{},{}", 100 * group(i) + i % 7, 0.01 * (i % 5) as f64, group(i));
    desk.write("data.csv", &rows("a,b,found", 60, row));
    desk.write("centroids.csv", ",a,b\n0,3,0.02\n1,103,0.02\n2,203,0.02\n");
    let import = "import centroids.csv --data data.csv --labels found --model";
    let said = desk.done(&format!("{import} m")).err;
    assert!(said.contains("60 of 60 rows are in the cluster that `found` says"), "{said}");
    assert!(said.contains("column `` is left out: an index of rows"), "{said}");

    desk.write("mean.csv", "a,b\n103,0.02\n");
    desk.write("spread.csv", "82\n0.0141\n");
    desk.write("scaler.json", r#"{"mean": [103, 0.02], "spread": [82, 0.0141]}"#);
    let (a, b) = (100.0 / 82.0, 0.0);
    desk.write("scaled.csv", &format!("a,b\n{},{b}\n0,{b}\n{a},{b}\n", -a));
    for options in [
        "centroids.csv --mean mean.csv --spread spread.csv",
        "centroids.csv --scaler scaler.json",
        "scaled.csv --mean mean.csv --spread spread.csv --scaled",
    ] {
        let said =
            desk.done(&format!("import {options} --data data.csv --labels found --model s")).err;
        assert!(
            said.contains("60 of 60 rows are in the cluster that `found` says"),
            "{options}: {said}"
        );
    }
    let explained =
        |model: &str| table(&desk.done(&format!("explain data.csv --model {model}")).out, b',').1;
    let (plain, scaled) = (explained("m"), explained("s"));
    // By the definition: relevances of `a` in units of its variance.
    assert_eq!(plain.len(), scaled.len());
    let ratio = plain[0][3] / scaled[0][3];
    assert!((ratio / (82.0f64 * 82.0) - 1.0).abs() < 0.2, "{ratio}");

    // Units that cannot be, centroids that no row has, the same centroid twice, other names.
    let said = desk.done("import scaled.csv --data data.csv --beta 1 --model w").err;
    assert!(
        said.contains("no row is in cluster") || said.contains("all rows are in one cluster"),
        "{said}"
    );
    desk.write("far.csv", "a,b\n3,0.02\n900,0.02\n3,0.02\n");
    let said = desk.done("import far.csv --data data.csv --beta 1 --model w").err;
    assert!(said.contains("centroids 0 and 2 are the same"), "{said}");
    desk.write("near.csv", "a,b\n100000000,0\n100000001,0\n");
    let said = desk.done("import near.csv --beta 1 --model w --precision f32").err;
    assert!(said.contains("centroids 0 and 1 are the same in precision f32"), "{said}");
    desk.write("short.csv", "a\n1\n");
    desk.fails(
        "import centroids.csv --beta 1 --model x --mean short.csv --spread spread.csv",
        1,
        "short.csv",
    );
    desk.write("zero.csv", "a,b\n0,1\n");
    desk.fails(
        "import centroids.csv --beta 1 --model x --mean mean.csv --spread zero.csv",
        1,
        "spread = 0",
    );
    desk.fails("import centroids.csv --beta 1 --model x --scaled", 2, "--scaled: name the scaler");
    desk.write("bad.json", "{\"mean\": [1]}");
    desk.fails(
        "import centroids.csv --beta 1 --model x --scaler bad.json",
        1,
        "bad.json: expected",
    );
    desk.write("text.csv", "a,b\n1,x\n2,x\n");
    desk.fails("import text.csv --beta 1 --model x", 1, "column `b` does not hold numbers");
}

#[test]
fn rows_have_names_in_every_output() {
    let desk = Desk::new();
    let text = rows("name,a,b", 12, |i| format!("row \"\"{i}\"\",{},{}", 10 * (i % 2), i % 5));
    let text = text.lines().map(|line| {
        if line.starts_with("row") {
            format!(
                "\"{}\"{}\n",
                &line[..line.find(",").expect("a comma")],
                &line[line.find(",").expect("a comma")..]
            )
        } else {
            format!("{line}\n")
        }
    });
    desk.write("t.csv", &text.collect::<String>());
    desk.done("fit t.csv -k 2 --model m --id name");
    for (command, width) in
        [("predict", 5), ("explain", 6), ("explain --top 1", 7), ("explain --sort typical", 6)]
    {
        let (header, lines) = cells(&desk.done(&format!("{command} t.csv --model m")).out);
        assert_eq!(
            (&header[..2], header.len()),
            (&["index".to_owned(), "name".to_owned()][..], width)
        );
        assert!(lines.iter().all(|line| line[1] == format!("row \"{}\"", line[0])), "{lines:?}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&desk.done("explain t.csv --model m --format json").out)
            .expect("JSON");
    assert_eq!(json[3]["name"], "row \"3\"");
    desk.done("explain t.csv --model m -o e.parquet");
    desk.done("fit e.parquet -k 2 --model p --id name --columns a,b");
    let (_, lines) = cells(&desk.done("predict e.parquet --model p").out);
    assert_eq!(lines[3][1], "row \"3\"");
    assert!(desk.done("explain t.csv --model m --format table").out.contains("  row \"11\" "));
    let (header, lines) = cells(&desk.done("outliers t.csv --id name --save d").out);
    assert_eq!((header[1].as_str(), lines[0][1].starts_with("row \"")), ("name", true));
    assert_eq!(cells(&desk.done("outliers t.csv --model d").out).0[1], "name");
    desk.done("report t.csv --model m -o p.html --figures f");
    assert!(desk.read("p.html").contains("row \\\"3\\\""));
    // A table without the column has no names, unless it is asked for.
    desk.write("other.csv", "a,b\n1,2\n");
    assert_eq!(
        cells(&desk.done("predict other.csv --model m").out).0,
        ["index", "cluster", "logit", "probability"]
    );
    desk.fails("predict other.csv --model m --id name", 1, "there is no column `name`");
    desk.write("clash.csv", "cluster,a,b\nx,1,2\ny,9,8\nz,1,1\n");
    desk.done("fit clash.csv -k 2 --model c --id cluster");
    assert_eq!(cells(&desk.done("predict clash.csv --model c").out).0[1], "cluster (name)");
}

#[test]
fn results_never_replace_what_is_read() {
    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    let says = "the results would replace what is read";
    for command in [
        "predict wine.csv --model model -o wine.csv",
        "explain wine.csv --model model -o ./wine.csv",
        "explain wine.csv --model model --report wine.csv",
        "report wine.csv --model model -o wine.csv",
        "evaluate wine.csv --model model --methods neon -o wine.csv",
        "outliers wine.csv --drop target -o wine.csv",
        "predict wine.csv --model model -o model/config.json",
    ] {
        desk.fails(command, 2, says);
    }
    assert_eq!(desk.read("wine.csv"), wine);
    desk.done("predict wine.csv --model model -o clusters.csv");
}

#[test]
fn rows_of_one_column_without_a_value_are_left_out() {
    let desk = Desk::new();
    desk.write("blank.csv", "a\n1\n\n2\n\n\n9\n8\n");
    let said = desk.done("fit blank.csv -k 2 --model m").err;
    assert!(said.contains("7 rows, 1 column") && said.contains("a (3 missing)"), "{said}");
    assert!(said.contains("missing    rows without a value are left out"), "{said}");
    // Rows without a value are left out, and the others keep their numbers.
    let (_, lines) = cells(&desk.done("predict blank.csv --model m --id a").out);
    let names: Vec<[&str; 2]> =
        lines.iter().map(|line| [&line[0], &line[1]].map(|text| &**text)).collect();
    assert_eq!(names, [["0", "1"], ["2", "2"], ["5", "9"], ["6", "8"]]);
    desk.fails("fit blank.csv -k 2 --model n --label a", 1, "no feature column is left");
    desk.write("more.csv", "price\n1,5\n2,5\n9,5\n");
    desk.fails("fit more.csv -k 2 --model n", 1, "line 2 has 2 cells, the header has 1");
}

#[test]
fn values_are_spelled_alike_when_they_are_read_again() {
    let desk = Desk::new();
    let unknown = |file: &str, fit: &str| {
        desk.done(&format!("fit {file} -k 2 --model m {fit}"));
        let said = desk.done(&format!("predict {file} --model m")).err;
        assert!(!said.contains("unknown to the model"), "{file} {fit}: {said}");
    };
    desk.write(
        "level.csv",
        &rows("v,x", 40, |i| format!("{},{i}.5", ["10%", "low", " mid", "high"][i % 4])),
    );
    unknown("level.csv", "");
    desk.write(
        "size.csv",
        &rows("s;x", 40, |i| format!("{};{i},5", ["1,5", "2,50", "n 1.50", "$3"][i % 4])),
    );
    unknown("size.csv", "--as s=category");
    unknown("size.csv", "--as s=category --stream");
    desk.write(
        "code.csv",
        &rows("c,x", 400, |i| format!("{},{i}.5", if i == 399 { 7 } else { i % 5 })),
    );
    unknown("code.csv", "--as c=category --stream");
    assert!(desk.read("m/config.json").contains("c=7"));
}

#[test]
fn what_an_option_cannot_do_is_said() {
    let desk = Desk::new();
    desk.write(
        "t.csv",
        &rows("a,b,c,d", 12, |i| {
            format!("{i}.5,{},{},2024-01-{:02}", 3 * (i % 2), ["x", "y"][i % 2], 1 + i)
        }),
    );
    for (options, says) in [
        ("--columns a,a", "column `a` is named twice"),
        ("--columns a,b --label b", "column `b` is a feature by one option"),
        ("--columns a,b --drop b", "column `b` is a feature by one option"),
        ("--columns a,b --id b", "column `b` is a feature by one option"),
        ("--log c", "there is no logarithm of what is not a number"),
        ("--columns a,b --as c=category", "column `c` is not read: other options leave it out"),
        ("--as a=date", "is not a date of the form"),
        ("--as c=flag", "`x` (line 2) is neither yes nor no"),
        ("--as b=flag", "column `b`: `3` (line 3) is neither yes nor no"),
        ("--as a=flag --stream", "column `a`: `0.5` (line 2) is neither yes nor no"),
    ] {
        desk.fails(&format!("fit t.csv -k 2 --model m {options}"), 1, says);
    }
    let said = desk.done("fit t.csv -k 2 --model m --as a=text --as c=id").err;
    assert!(said.contains("a (text, as you said), c (an identifier, as you said)"), "{said}");
    let said = desk.done("fit t.csv -k 2 --model m --as c=text").err;
    assert!(said.contains("left out   c (2 different texts)"), "{said}");
    assert_eq!(explained(&desk, "t.csv", "--columns a,d").0[3..], ["a", "d"]);
    let long = "z".repeat(400);
    desk.write(
        "long.csv",
        &rows("a,f", 12, |i| {
            format!("{i}.5,{}", if i == 3 { long.as_str() } else { ["yes", "no"][i % 2] })
        }),
    );
    let said = desk.done("fit long.csv -k 2 --model m").err;
    assert!(said.contains("left out   f"), "{said}");
    desk.write("percent.csv", "a,b\n1%,1\n2%,2\n9,9\n8,8\n");
    desk.fails("fit percent.csv -k 2 --model m", 1, "2 of 4 numbers have a per cent sign");
    desk.write(
        "comma.csv",
        &rows("a;b", 12, |i| {
            format!("{i},5;{}", if i == 3 { "1.3".into() } else { format!("{i},25") })
        }),
    );
    desk.fails(
        "fit comma.csv -k 2 --model m --decimal ,",
        1,
        "`1.3` (line 5) is not a finite number",
    );
    desk.write(
        "holes.csv",
        &rows("a,b", 12, |i| format!("{i}.5,{}", if i < 4 { "1.5" } else { "" })),
    );
    let said = desk.done("fit holes.csv -k 2 --model m").err;
    assert!(said.contains("left out   b (8 of 12 values are missing)"), "{said}");
    assert_eq!(explained(&desk, "holes.csv", "--columns a,b").0[3..], ["a", "b"]);
    desk.write("german.csv", &rows("a,d", 12, |i| format!("{i}.5,{:02}.01.2024", 1 + i)));
    assert_eq!(explained(&desk, "german.csv", "--as d=date").0[3..], ["a", "d"]);
}

#[test]
fn much_of_the_same_is_said_once() {
    let desk = Desk::new();
    desk.write("behind.csv", "a,b,,,\n1,2,,,\n2,1,,,\n9,9,,,\n");
    let said = desk.done("fit behind.csv -k 2 --model m").err;
    assert!(said.contains("left out   3 columns without a name (no value)"), "{said}");
    desk.write("texts.csv", "a,,\nx1,,\ny2,,\nz3,,\n");
    let says = "a (3 texts that are all different), 2 columns without a name (no value)";
    desk.fails("fit texts.csv -k 2 --model m", 1, says);
    // The variance is too large for a number.
    desk.write("far.csv", "a,b\n1,1e200\n2,-1e200\n9,3\n");
    let said = desk.run("fit far.csv -k 2 --model m").err;
    assert!(said.contains("since columns differ very much in spread"), "{said}");
}

#[test]
fn copies_are_no_dead_end_for_outliers() {
    let desk = Desk::new();
    desk.write("far.csv", &rows("x,y", 41, |i| if i == 40 { "8,8".into() } else { "1,1".into() }));
    let answer = desk.done("outliers far.csv --sort row");
    let (_, scores) = table(&answer.out, b',');
    assert!(scores[..40].iter().all(|row| row[1].abs() < 1e-9), "{scores:?}");
    assert!(scores[40][1] > 1.0 && (scores[40][1] - scores[40][2] - scores[40][3]).abs() < 1e-9);
    desk.write("same.csv", &rows("x,y", 12, |_| "3,4".into()));
    let answer = desk.done("outliers same.csv");
    assert!(answer.err.contains("only the nearest other row counts"), "{}", answer.err);
    assert!(table(&answer.out, b',').1.iter().all(|row| row[1] == 0.0));
    desk.fails("outliers far.csv --perplexity 0.25", 1, "points have more equal neighbours");
}

#[test]
fn values_that_stand_for_missing_ones_are_kept_with_the_model() {
    let desk = Desk::new();
    let holes = |blank: &str| {
        rows("a,b,kind", 40, |i| {
            let a = if i % 8 == 3 { blank.into() } else { format!("{}.5", i / 20 * 9 + i % 5) };
            let kind = if i % 10 == 7 { blank } else { ["x", "y"][i % 2] };
            format!("{a},{}.25,{kind}", i % 7)
        })
    };
    for (name, blank) in [("empty", ""), ("marked", "-99"), ("written", "n/d")] {
        desk.write(&format!("{name}.csv"), &holes(blank));
    }
    let answers = |name: &str, options: &str| {
        let said = desk.done(&format!("fit {name}.csv -k 2 --model {name} {options}")).err;
        assert!(said.contains("a (5 missing)"), "{name}: {said}");
        desk.done(&format!("explain {name}.csv --model {name}")).out
    };
    let expected = answers("empty", "");
    assert_eq!(answers("marked", "--na -99"), expected);
    assert_eq!(answers("written", "--na n/d --na -1"), expected);
    // The model knows; another table may have more of them.
    let config = desk.read("written/config.json");
    assert!(config.contains("\"missing_values\""), "{config}");
    assert!(!desk.read("empty/config.json").contains("missing_values"));
    desk.write("more.csv", &holes("n/d").replace("0.25", "gone"));
    let refused = desk.run("predict more.csv --model written");
    assert!(refused.err.contains("`gone` is not a finite number"), "{}", refused.err);
    desk.done("predict more.csv --model written --na gone");
}

#[test]
fn titles_sheets_and_rows_are_chosen() {
    let desk = Desk::new();
    let table = rows("a;b", 20, |i| format!("{},5;{},25", i / 10 * 9, i % 3));
    desk.write("plain.csv", &table);
    desk.write("titled.csv", &format!("Sales \"2021; all\nmade, by; x\n\n{table}"));
    let expected = explained(&desk, "plain.csv", "");
    desk.done("fit titled.csv -k 2 --model t --skip 3");
    let out = desk.done("explain titled.csv --model t --skip 3").out;
    assert_eq!(cells(&out).0, expected.0);
    assert_eq!(out, desk.done("explain plain.csv --model t").out);
    desk.fails(
        "fit titled.csv -k 2 --model t --skip 99",
        1,
        "there is no table behind the 99 lines that are skipped",
    );
    let said = desk.done("explain plain.csv --model t --sheet x").err;
    assert!(said.contains("the option is ignored here"), "{said}");
}

#[test]
fn a_key_that_a_record_has_twice_is_an_error() {
    let desk = Desk::new();
    desk.write("twice.jsonl", "{\"a\": 1, \"b\": 2}\n{\"a\": 1, \"b\": 2, \"a\": 3}\n");
    desk.fails(
        "fit twice.jsonl -k 2 --model m",
        1,
        "row 1 (counted from 0) (line 2) has the key `a` twice",
    );
}

#[test]
fn a_header_may_be_longer_than_what_is_looked_at_first() {
    let desk = Desk::new();
    let names: Vec<String> =
        (0..9000).map(|at| format!("a column with a long name {at}")).collect();
    let cells = |row: usize| -> String {
        let cells: Vec<String> =
            (0..9000).map(|at| format!("{},5", (row / 3 * 8 + at) % 17)).collect();
        cells.join(";")
    };
    let lines: Vec<String> = (0..6).map(cells).collect();
    desk.write("wide.csv", &format!("{}\n{}\n", names.join(";"), lines.join("\n")));
    let said = desk.done("fit wide.csv -k 2 --model m --scale none").err;
    assert!(said.contains("9000 columns") && said.contains("decimal sign"), "{said}");
    assert!(said.contains("6 rows of 9000 features"), "{said}");
}

#[test]
fn parts_of_whole_numbers_have_any_decimal_sign() {
    let desk = Desk::new();
    let part = |name: &str, cell: fn(usize) -> String| {
        desk.write(&format!("parts/{name}.csv"), &rows("a;b", 6, |i| format!("{};{i}", cell(i))));
    };
    fs::create_dir(desk.path("parts")).expect("a folder");
    part("0", |i| format!("{i},5"));
    part("1", |i| format!("{}", 20 + i));
    let said = desk.done("fit parts -k 2 --model m").err;
    assert!(said.contains("12 rows of 2 features"), "{said}");
    // What was found in a later part is said, too.
    let latin: Vec<u8> = b"a;b;\n40,5;1;\n41,5;2;\n".to_vec();
    fs::write(desk.path("parts/2.csv"), [b"# caf\xe9\n".as_slice(), &latin].concat())
        .expect("written");
    let said = desk.run("fit parts -k 2 --model m").err;
    assert!(said.contains("2.csv"), "{said}");
    fs::write(desk.path("parts/2.csv"), b"# caf\xe9\na;b\n40,5;1\n41,5;2\n").expect("written");
    let said = desk.done("fit parts -k 2 --model m").err;
    assert!(said.contains("is not UTF-8: read as Windows-1252"), "{said}");
    let said = desk.done("predict parts --model m").err;
    assert!(said.contains("parts: is not UTF-8: read as Windows-1252"), "{said}");
    part("3", |i| format!("{i}.5"));
    desk.fails("fit parts -k 2 --model m", 1, "its decimal sign is not that of the first part");
}

#[test]
fn identifiers_are_no_labels() {
    let desk = Desk::new();
    desk.write("t.csv", &rows("a,b,key", 20, |i| format!("{},{}.5,k{i}", i / 10 * 9, i % 3)));
    desk.fails("label t.csv --labels key --model m", 1, "has a different label in every row");
    let said = desk.done("fit t.csv -k 2 --label key --model m").err;
    assert!(said.contains("clusters are not compared with it"), "{said}");
}

#[test]
fn data_of_imported_centroids_may_have_holes() {
    let desk = Desk::new();
    desk.write("centroids.csv", "a,b\n0,0\n9,9\n");
    desk.write(
        "data.csv",
        &rows("a,b,c", 20, |i| {
            let b = if i == 4 { String::new() } else { format!("{}", i / 10 * 9) };
            format!("{}.5,{b},{}", i / 10 * 9, i / 10)
        }),
    );
    let said = desk.done("import centroids.csv --data data.csv --labels c --model m").err;
    assert!(said.contains("missing values are filled") && said.contains("b 1"), "{said}");
    assert!(said.contains("of 20 rows are in the cluster that `c` says"), "{said}");
    let said = desk.done("predict data.csv --model m").err;
    assert!(said.contains("filled"), "{said}");
}

#[test]
fn texts_of_other_files_may_be_either_number() {
    let desk = Desk::new();
    let records = |cell: fn(usize) -> String| -> String {
        (0..20).map(|i| format!("{{\"a\": \"{}\", \"b\": {i}.5}}\n", cell(i))).collect()
    };
    desk.write("either.jsonl", &records(|i| format!("{},250", 1 + i)));
    desk.fails("fit either.jsonl -k 2 --model m", 1, "say `--decimal .` or `--decimal ,`");
    let inertia = |options: &str| {
        let said =
            desk.done(&format!("fit either.jsonl -k 2 --model m --scale none {options}")).err;
        said.split("inertia ").nth(1).map(|rest| rest[..6].to_owned())
    };
    assert_ne!(inertia("--decimal ."), inertia("--decimal ,"));
    // Another cell tells.
    desk.write(
        "told.jsonl",
        &records(|i| if i == 9 { "1,250.5".into() } else { format!("{},250", 1 + i) }),
    );
    desk.done("fit told.jsonl -k 2 --model m");
}

#[test]
fn options_of_the_data_are_not_those_of_centroids() {
    let desk = Desk::new();
    desk.write("centroids.csv", "a,b\n0,0\n9,9\n");
    let rows = rows("a,b", 20, |i| format!("{}.5,{}", i / 10 * 9, i / 10 * 9));
    desk.write("data.csv", &format!("Measured in June\n{rows}"));
    let said = desk.done("import centroids.csv --data data.csv --skip 1 --na -99 --model m").err;
    assert!(said.contains("2 centroids of 2 features"), "{said}");
    // The model keeps what stands for a missing value, though the data had none.
    assert!(desk.read("m/config.json").contains("-99"));
    desk.write("new.csv", "a,b\n-99,9\n");
    assert!(desk.done("predict new.csv --model m").err.contains("filled"));
}
