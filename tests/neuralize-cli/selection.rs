//! Formats of results, and what of them is written.

use neuralize::data::{Table, TableOptions};
use serde_json::Value;

use crate::desk::{Desk, table};

/// The numbers of a row of the CSV file: index, cluster, logit, relevances.
fn explained(desk: &Desk, arguments: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    table(&desk.done(&format!("explain wine.csv --model model -q {arguments}")).out, b',')
}

fn json(text: &str) -> Vec<Value> {
    let Value::Array(objects) = serde_json::from_str(text).expect("JSON") else {
        panic!("no array: {text}");
    };
    objects
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// Features by magnitude of relevance, the first of equals first.
fn by_strength(row: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|a, b| row[*b].abs().total_cmp(&row[*a].abs()));
    order
}

#[test]
fn json_says_the_same_as_csv() {
    let desk = Desk::with_wine();
    for precision in ["f64", "f32"] {
        let (header, rows) = explained(&desk, &format!("--precision {precision}"));
        desk.done(&format!("explain wine.csv --model model --precision {precision} -o why.json"));
        let text = desk.read("why.json");
        assert_eq!(text.lines().count(), 180, "an object a line, and the brackets");
        let objects = json(&text);
        assert_eq!(objects.len(), rows.len());
        for (object, row) in objects.iter().zip(&rows) {
            let found = ["index", "cluster", "logit"].map(|name| number(&object[name]));
            assert_eq!(found, row[..3]);
            assert!((number(&object["probability"]) - 1.0 / (1.0 + (-row[2]).exp())).abs() < 1e-7);
            let relevance = object["relevance"].as_object().expect("relevances");
            assert_eq!(relevance.len(), header.len() - 3);
            for (name, value) in header.iter().zip(row).skip(3) {
                assert_eq!(number(&relevance[name]), *value);
            }
            assert!(object.get("other").is_none());
        }
    }
    let stdout = desk.done("explain wine.csv --model model --format json -q").out;
    assert!(stdout.starts_with("[\n{\"index\":0,\"cluster\":"), "{stdout}");
    assert_eq!(
        json(&desk.done("explain wine.csv --model model --format json --limit 0").out).len(),
        0
    );
    // Names that need quoting.
    desk.write("t.csv", "\"a \"\"b\"\"\",c\\d\n0,0\n1,0\n9,9\n8,9\n");
    desk.done("fit t.csv -k 2 --model m");
    let objects = json(&desk.done("explain t.csv --model m --format json").out);
    let relevance = objects[0]["relevance"].as_object().expect("relevances");
    assert!(relevance.contains_key("a \"b\"") && relevance.contains_key("c\\d"));
}

#[test]
fn parquet_says_the_same_as_csv() {
    let desk = Desk::with_wine();
    for precision in ["f64", "f32"] {
        let (header, rows) = explained(&desk, &format!("--precision {precision}"));
        desk.done(&format!(
            "explain wine.csv --model model --precision {precision} -o why.parquet"
        ));
        let found =
            Table::read(desk.path("why.parquet"), &TableOptions::default()).expect("a table");
        assert_eq!(found.features(), header);
        assert_eq!(found.rows(), rows.len());
        for (at, row) in rows.iter().enumerate() {
            let same = |(a, b): (&f64, &f64)| match precision {
                "f32" => *a as f32 == *b as f32,
                _ => a == b,
            };
            assert!(found.row(at).expect("a row").iter().zip(row).all(same), "{precision} {at}");
        }
    }
    // Names of features are text.
    desk.done("explain wine.csv --model model --top 2 -o top.pq");
    let (_, rows) = table_of_text(&desk.done("explain wine.csv --model model --top 2 -q").out);
    let options = TableOptions::default().with_label("feature_2").with_dropped("feature_1");
    let found = Table::read(desk.path("top.pq"), &options).expect("a table");
    assert_eq!(
        found.features(),
        ["index", "cluster", "logit", "relevance_1", "relevance_2", "other"]
    );
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(found.labels().expect("names")[at], row[5]);
        let number = |cell: usize| row[cell].parse::<f64>().expect("a number");
        let numbers = [0, 1, 2, 4, 6, 7].map(number);
        assert_eq!(found.row(at), Some(&numbers[..]));
    }
    desk.done("explain wine.csv --model model --limit 0 -o none.parquet");
    let none = Table::read(desk.path("none.parquet"), &TableOptions::default()).expect("a table");
    assert_eq!((none.rows(), none.features().len()), (0, 16));
    // To standard output as well, byte for byte.
    let output = assert_cmd::cargo::cargo_bin_cmd!("neuralize")
        .current_dir(desk.folder.path())
        .args("explain wine.csv --model model -q --format parquet".split_whitespace())
        .output()
        .expect("the command runs");
    desk.done("explain wine.csv --model model -o why.parquet");
    assert_eq!(output.stdout, std::fs::read(desk.path("why.parquet")).expect("a file"));
}

/// Header and rows of a CSV text whose cells may be text.
fn table_of_text(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
    let header = cells(reader.headers().expect("a header"));
    let rows = reader.records().map(|row| cells(&row.expect("a row"))).collect();
    (header, rows)
}

#[test]
fn large_results_fill_several_row_groups() {
    let desk = Desk::new();
    let line = |i: usize| format!("{},{}\n", i % 97, (i * 31) % 89);
    let rows = 300_000;
    let text: String = std::iter::once("a,b\n".to_owned()).chain((0..rows).map(line)).collect();
    desk.write("large.csv", &text);
    desk.done("fit large.csv -k 2 --model m --restarts 1 --max-iter 5");
    desk.done("predict large.csv --model m -o large.parquet");
    desk.done("predict large.csv --model m -o large.out");
    let parquet = Table::read(desk.path("large.parquet"), &TableOptions::default()).expect("rows");
    let (header, csv) = table(&desk.read("large.out"), b',');
    assert_eq!(parquet.features(), header);
    assert_eq!(parquet.rows(), rows);
    for at in [0, 1, 262_143, 262_144, 262_145, rows - 1] {
        assert_eq!(parquet.row(at), Some(&csv[at][..]));
    }
}

#[test]
fn the_strongest_features_and_the_rest_sum_to_the_logit() {
    let desk = Desk::with_wine();
    let (header, all) = explained(&desk, "");
    let names = &header[3..];
    for top in [1, 3, 13, 99] {
        let count = top.min(13);
        let (header, rows) = table_of_text(
            &desk.done(&format!("explain wine.csv --model model -q --top {top}")).out,
        );
        assert_eq!(header.len(), 3 + 2 * count + 1);
        assert_eq!(header[3..5], ["feature_1", "relevance_1"]);
        assert_eq!(header[header.len() - 1], "other");
        let objects = json(
            &desk.done(&format!("explain wine.csv --model model -q --top {top} --format json")).out,
        );
        for ((row, object), all) in rows.iter().zip(&objects).zip(&all) {
            let order = by_strength(&all[3..]);
            let value = |cell: &String| cell.parse::<f64>().expect("a number");
            let relevance = object["relevance"].as_object().expect("relevances");
            assert_eq!(relevance.len(), count);
            let mut sum = 0.0;
            for (place, &feature) in order[..count].iter().enumerate() {
                assert_eq!(row[3 + 2 * place], names[feature]);
                assert_eq!(value(&row[4 + 2 * place]), all[3 + feature]);
                assert_eq!(number(&relevance[&names[feature]]), all[3 + feature]);
                sum += all[3 + feature];
            }
            let other = value(&row[row.len() - 1]);
            assert_eq!(number(&object["other"]), other);
            assert!((sum + other - all[2]).abs() < 1e-13, "{row:?}");
        }
    }
    desk.fails("explain wine.csv --model model --top 0", 2, "--top");
}

#[test]
fn rows_are_picked_by_number() {
    let desk = Desk::with_wine();
    let all = desk.done("explain wine.csv --model model -q").out;
    let lines: Vec<&str> = all.lines().collect();
    let picked = |rows: &[usize]| {
        let rows = rows.iter().map(|row| lines[row + 1]);
        std::iter::once(lines[0]).chain(rows).map(|line| format!("{line}\n")).collect::<String>()
    };
    let ask =
        |rows: &str| desk.done(&format!("explain wine.csv --model model -q --rows {rows}")).out;
    assert_eq!(ask("60,61,68"), picked(&[60, 61, 68]));
    assert_eq!(ask("68,60-61,60"), picked(&[60, 61, 68]));
    assert_eq!(ask("0,175-177"), picked(&[0, 175, 176, 177]));
    assert_eq!(ask("5-9,100 --limit 3"), picked(&[5, 6, 7]));
    assert_eq!(
        desk.done("explain wine.csv --model model --rows 60,61 --check").err.lines().nth(1),
        Some("checked 2 points; errors relative to the point's sum of |relevance|")
    );
    desk.fails(
        "explain wine.csv --model model --rows 3,170-178",
        1,
        "wine.csv: there is no row 178, the table has 178 rows, 0 to 177",
    );
    desk.fails("explain wine.csv --model model --rows 9-5", 2, "the range 9-5 runs backwards");
    desk.fails("explain wine.csv --model model --rows a", 2, "`a` is not a row number");

    // What lies behind the last row that is needed is not read.
    let wine = desk.read("wine.csv");
    desk.write("broken.csv", &format!("{wine}broken\n"));
    for (arguments, rows) in
        [("--rows 60,177", [60, 177]), ("--limit 2", [0, 1]), ("--rows 3,5,178 --limit 2", [3, 5])]
    {
        let out = desk.done(&format!("explain broken.csv --model model -q {arguments}")).out;
        assert_eq!(out, picked(&rows), "{arguments}");
    }
    desk.fails("explain broken.csv --model model --rows 178", 1, "line 180 has 1 cell");
    // A number beyond the end of a file of several parts.
    let body: String = (0..140_000).map(|i| format!("{},1\n", i % 7)).collect();
    desk.write("large.csv", &format!("a,b\n{body}"));
    desk.write("small.csv", "a,b\n0,0\n1,0\n9,9\n8,9\n");
    desk.done("fit small.csv -k 2 --model m");
    desk.write("out.csv", "old");
    desk.fails(
        "explain large.csv --model m --rows 5,140000 -o out.csv",
        1,
        "large.csv: there is no row 140000, the table has 140000 rows, 0 to 139999",
    );
    assert_eq!(desk.read("out.csv"), "old");
    let last = desk.done("explain large.csv --model m --rows 139999,135000").out;
    let indices: Vec<&str> = last.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!(indices, ["index", "135000", "139999"]);
}

#[test]
fn results_are_sorted_and_limited() {
    let desk = Desk::with_wine();
    let (_, all) = explained(&desk, "");
    let mut ambiguous: Vec<usize> = (0..all.len()).collect();
    ambiguous.sort_by(|a, b| all[*a][2].total_cmp(&all[*b][2]));
    let mut typical: Vec<usize> = (0..all.len()).collect();
    typical.sort_by(|a, b| all[*b][2].total_cmp(&all[*a][2]));
    for (sort, order) in [("ambiguous", &ambiguous), ("typical", &typical)] {
        for limit in [0, 1, 10, 178, 500] {
            let (_, rows) = explained(&desk, &format!("--sort {sort} --limit {limit}"));
            let expected: Vec<_> = order.iter().take(limit).map(|row| all[*row].clone()).collect();
            assert_eq!(rows, expected, "{sort} {limit}");
        }
        let (_, rows) = explained(&desk, &format!("--sort {sort}"));
        assert_eq!(rows.len(), 178);
    }
    // Nearest the boundary, on whichever side of it.
    let (_, rows) = explained(&desk, "--cluster 1 --sort ambiguous");
    assert!(rows.windows(2).all(|pair| pair[0][2].abs() <= pair[1][2].abs()));
    assert!(rows.iter().take(20).any(|row| row[2] < 0.0));
    // Equal rows stay in their order.
    desk.write("same.csv", &format!("a,b\n{}", "1,0\n9,9\n".repeat(50)));
    desk.done("fit same.csv -k 2 --model m");
    let out = desk.done("explain same.csv --model m --sort typical --limit 7").out;
    let (_, rows) = table(&out, b',');
    assert!(rows.windows(2).all(|pair| pair[0][0] < pair[1][0]), "{out}");
    // Together: of some rows, the most ambiguous, their strongest feature.
    let out = desk
        .done("explain wine.csv --model model -q --rows 0-99 --sort ambiguous --limit 2 --top 1")
        .out;
    let (_, rows) = table_of_text(&out);
    let expected: Vec<_> =
        ambiguous.iter().filter(|row| **row < 100).take(2).map(ToString::to_string).collect();
    assert_eq!(rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), expected);
}

#[test]
fn a_table_is_aligned() {
    let desk = Desk::with_wine();
    let out =
        desk.done("explain wine.csv --model model --beta 1 --rows 60,70,118 --format table -q").out;
    let expected = "   index  cluster     logit  probability  strongest features\n";
    assert!(out.starts_with(expected), "{out}");
    let lines: Vec<&str> = out.lines().skip(1).collect();
    assert_eq!(lines.len(), 3);
    // The demonstration's point 70; its longest name is cut.
    assert!(
        lines[1].starts_with(
            "      70        1    0.0866       0.5216   +0.1066 od280/od315_of_diluted_…"
        ),
        "{out}"
    );
    assert!(lines[1].ends_with(" other"), "{out}");
    let columns = |line: &str| line.chars().position(|c| c == '+' || c == '-');
    assert!(lines.iter().all(|line| columns(line) == columns(lines[0])), "{out}");
    assert!(!out.contains('\u{1b}'), "colours for a pipe");
    let four = desk.done("explain wine.csv --model model --limit 1 --top 4 --format table -q").out;
    let words = |text: &str| text.lines().nth(1).map_or(0, |line| line.matches(['+', '-']).count());
    assert_eq!((words(&out), words(&four)), (4, 5));
    let predicted = desk.done("predict wine.csv --model model --format table -q").out;
    assert_eq!(predicted.lines().count(), 179);
}

#[test]
fn predictions_come_in_every_format() {
    let desk = Desk::with_wine();
    let (header, rows) = table(&desk.done("predict wine.csv --model model -q").out, b',');
    for object in json(&desk.done("predict wine.csv --model model --format json -q").out) {
        let row = &rows[number(&object["index"]) as usize];
        for (name, value) in header.iter().zip(row) {
            assert_eq!(number(&object[name]), *value);
        }
    }
    desk.done("predict wine.csv --model model -o clusters.parquet");
    let found = Table::read(desk.path("clusters.parquet"), &TableOptions::default()).expect("rows");
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(found.row(at), Some(&row[..]));
    }
    desk.done("predict wine.csv --model model -o clusters.tsv");
    assert_eq!(table(&desk.read("clusters.tsv"), b'\t'), (header.clone(), rows.clone()));
    desk.done("predict wine.csv --model model --format csv -o clusters.json");
    assert_eq!(table(&desk.read("clusters.json"), b','), (header, rows));
    desk.fails("predict wine.csv --model model --format xml", 2, "--format");
}

/// Points in the cluster that is asked about have no answer: they come last.
#[test]
fn rows_without_an_answer_come_last() {
    let desk = Desk::with_wine();
    for sort in ["ambiguous", "typical"] {
        let explain = format!("explain wine.csv --model model --versus 0 --quiet --sort {sort}");
        let (_, rows) = table(&desk.done(&explain).out, b',');
        let own: Vec<bool> = rows.iter().map(|row| row[1] == 0.0).collect();
        let first = own.iter().position(|own| *own).expect("points of cluster 0");
        assert!(first > 50 && own[first..].iter().all(|own| *own), "{sort}");
    }
}
