//! What the command refuses, and how it says so.

use std::fs;

use crate::desk::{Desk, table};

#[test]
fn what_f32_cannot_hold_is_said() {
    let desk = Desk::new();
    desk.write("t.csv", "time,x\n1700000001,1\n1700000300,2\n1700000600,9\n");
    let note = "note: `time`: the values are too far from 0 for precision f32";
    assert!(desk.done("fit t.csv -k 2 --model m --precision f32").err.contains(note));
    assert!(desk.done("explain t.csv --model m --precision f32").err.contains(note));
    assert!(!desk.done("fit t.csv -k 2 --model m").err.contains("note:"));
}

/// A check that fails says what that means, as a page does.
#[test]
fn a_failed_check_is_said_in_words() {
    let desk = Desk::new();
    let near = |i: i32| format!("{}.{:02},0.{}\n", i % 2, 3 * i, i * 7 % 5);
    let rows: String = (0..11).map(near).collect();
    desk.write("far.csv", &format!("a,b\n{rows}40000000,0\n"));
    desk.done("fit far.csv -k 3 --model m --precision f32 --scale none");
    let said =
        |options: &str| desk.done(&format!("explain far.csv --model m --check {options}")).err;
    let failed = "check failed: The relevances change when data and centroids are shifted together: the data are too far from zero";
    let single = said("--precision f32 --report page.html");
    assert!(single.contains(failed), "{single}");
    let page = desk.read("page.html");
    for words in single.lines().filter_map(|line| line.strip_prefix("check failed: ")) {
        assert!(page.contains(words), "{words}");
    }

    desk.done("fit far.csv -k 3 --model m --scale standard");
    assert!(!said("").contains("check failed"), "{}", said(""));
}

#[test]
fn errors_name_the_row_of_the_file() {
    let desk = Desk::new();
    desk.write("small.csv", "a,b\n0,0\n1,0\n9,9\n8,9\n");
    desk.done("fit small.csv -k 2 --model m --scale standard");
    let rows = 140_000;
    let mut text = String::from("a,b\r\n");
    for i in 0..rows {
        text += if i == 139_000 { "1,1e200\r\n" } else { "1,2\r\n" };
    }
    desk.write("large.csv", &text);
    let says = "large.csv, row 139000 (counted from 0), column `b`: 1e200";
    desk.write("out.csv", "old");
    desk.fails("explain large.csv --model m -o out.csv", 1, says);
    assert_eq!(desk.read("out.csv"), "old");
    desk.write("large.csv", &text.replace("1e200", "x"));
    desk.fails(
        "predict large.csv --model m -o out.csv",
        1,
        "large.csv, line 139002, column `b`: `x`",
    );
}

#[test]
fn bad_data_are_refused_in_words() {
    let desk = Desk::new();
    let fit = |name: &str, text: &str, rest: &str, says: &str| {
        desk.write(name, text);
        desk.fails(&format!("fit {name} --model m {rest}"), 1, says);
        assert!(!desk.path("m").exists(), "{name} left a model");
    };
    fit(
        "nan.csv",
        "a,b\n1,2\n3,NaN\n",
        "-k 2 --missing error",
        "nan.csv: missing values: 1 in column `b`",
    );
    fit(
        "inf.csv",
        "a,b\n1,2\n-inf,4\n",
        "-k 2",
        "inf.csv: column `a`: 1 of 2 cells are numbers, but `-inf` (line 3) is not a finite number",
    );
    fit(
        "text.csv",
        "a,b\n1,2\n3,x4\n",
        "-k 2",
        "text.csv: column `b`: 1 of 2 cells are numbers, but `x4` (line 3) is not a finite number",
    );
    fit("empty.csv", "", "-k 2", "empty.csv: the file is empty");
    fit("header.csv", "a,b\n", "-k 2", "header.csv: the table has no rows");
    fit("few.csv", "a,b\n1,2\n3,4\n", "-k 3", "3 clusters need at least 3 distinct points");
    fit("same.csv", "a\n1\n1\n1\n2\n2\n", "-k 3", "the data have 2");
    fit("constant.csv", "a,b\n5,5\n5,5\n", "-k 2", "the data have 1");
    fit(
        "ragged.csv",
        "a,b\n1,2\n3\n",
        "-k 2",
        "ragged.csv: line 3 has 1 cell, the header has 2; add the cells that are missing, remove the line if it is no \
         row, or say `--skip N` if the lines above are a title\n",
    );
    fit(
        "longer.csv",
        "a,b\n1,2\n3,4,\"5\"\n",
        "-k 2",
        "longer.csv: line 3 has 3 cells, the header has 2; if the lines above are a title or counts, say `--skip N`, \
         if no line names the columns `--header no`, if other signs separate cells `--delimiter`; a cell with a \
         separator in it needs quotes\n",
    );
    fit(
        "large.csv",
        "a,b\n1,2\n3,1e300\n5,6\n",
        "-k 2",
        "large.csv, row 1 (counted from 0), column `b`: 1e300",
    );
    fit("names.csv", "a,b\n1,2\n3,4\n", "-k 2 --label c", "there is no column `c`");
    fit("names.csv", "a,b\n1,2\n3,4\n", "-k 2 --drop c", "there is no column `c`");
    fit("names.csv", "a,b\n1,2\n3,4\n", "-k 2 --drop a --drop b", "no feature column is left");
    fit("rows.csv", "a,b\n1,2\n3,4\n", "-k 2 --init rows:0,2", "rows 0 to 1");
    fit("rows.csv", "a,b\n1,2\n3,4\n", "-k 2 --tol NaN", "tol = NaN");
    desk.fails("fit none.csv -k 2 --model m", 1, "none.csv: No such file");
    // A folder is read as its part files.
    std::fs::create_dir(desk.path("nothing")).expect("a folder");
    desk.fails("fit nothing -k 2 --model m", 1, "nothing: ");

    // Right answers where there is one: a single feature, a constant feature, one row to explain.
    desk.write("one.csv", "a\n1\n2\n8\n9\n");
    desk.done("fit one.csv -k 2 --model m");
    desk.write("row.csv", "a\n4\n");
    let (_, rows) = table(&desk.done("explain row.csv --model m").out, b',');
    assert_eq!(rows.len(), 1);
    assert!((rows[0][3] - rows[0][2]).abs() < 1e-12);
    desk.write("none.csv", "a\n");
    assert_eq!(desk.done("explain none.csv --model m --check").out, "index,cluster,logit,a\n");
    assert_eq!(desk.done("predict none.csv --model m").out, "index,cluster,logit,probability\n");
    desk.write("flat.csv", "a,b\n1,7\n2,7\n8,7\n9,7\n");
    desk.done("fit flat.csv -k 2 --model m --scale standard");
    let (_, rows) = table(&desk.done("explain flat.csv --model m").out, b',');
    assert!(rows.iter().all(|row| row[4] == 0.0 && row[2] > 0.0));
}

#[test]
fn bad_models_are_refused_in_words() {
    let desk = Desk::with_wine();
    desk.fails("explain wine.csv --model none", 1, "there is no such model folder");
    desk.fails("inspect .", 1, "it has no config.json");
    let config = desk.read("model/config.json");
    let record = fs::read_dir(desk.path("model"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "bpk"))
        .expect("a record");
    let bytes = fs::read(&record).expect("a file");
    fs::write(&record, &bytes[..bytes.len() / 2]).expect("written");
    for command in
        ["explain wine.csv --model model", "predict wine.csv --model model", "inspect model"]
    {
        desk.fails(command, 1, "was changed since the model was saved: it has ");
    }
    let changed: Vec<u8> = bytes.iter().rev().copied().collect();
    fs::write(&record, &changed).expect("written");
    desk.fails("inspect model", 1, "its checksum is not the one in config.json; copy the folder");
    fs::write(&record, &bytes).expect("written");
    for place in ["wine.csv", "wine.csv/model"] {
        let says = "wine.csv: is a file; a model is a folder";
        desk.fails(&format!("predict wine.csv --model {place}"), 1, says);
        desk.fails(&format!("fit wine.csv -k 3 --label target --model {place}"), 1, says);
        // Before the table is read.
        desk.fails(&format!("fit none.csv -k 3 --model {place}"), 1, says);
        desk.fails(&format!("fit none.csv -k 3 --stream --model {place}"), 1, says);
        desk.fails(&format!("label none.csv --labels target --model {place}"), 1, says);
        desk.fails(&format!("import none.csv --beta 1 --model {place}"), 1, says);
        desk.fails(&format!("outliers none.csv --save {place}"), 1, says);
    }
    desk.write("model/config.json", &config.replace("\"version\": 2", "\"version\": 99"));
    desk.fails("explain wine.csv --model model", 1, "is of version 99");
    desk.write("model/config.json", "{\"model\": \"mine\"}");
    desk.fails("explain wine.csv --model model", 1, "not the configuration of a neuralize model");
    // And a folder of somebody else's is left alone.
    desk.fails("fit wine.csv -k 3 --model model --label target", 1, "not overwritten");
    desk.fails("fit none.csv -k 3 --model model", 1, "not overwritten");
    assert_eq!(desk.read("model/config.json"), "{\"model\": \"mine\"}");
}

#[test]
fn a_failure_leaves_the_old_file() {
    let desk = Desk::with_wine();
    desk.write("out.csv", "old");
    let wine = desk.read("wine.csv");
    desk.write(
        "broken.csv",
        &format!("{wine}{}", wine.lines().nth(1).expect("a row").replace("14.23", "oops")),
    );
    desk.fails("explain broken.csv --model model -o out.csv", 1, "`oops` is not a finite number");
    assert_eq!(desk.read("out.csv"), "old");
    let files = fs::read_dir(desk.folder.path()).expect("a folder").count();
    desk.done("explain wine.csv --model model -o out.csv");
    assert_eq!(fs::read_dir(desk.folder.path()).expect("a folder").count(), files);
    assert!(desk.read("out.csv").starts_with("index,cluster"));
    desk.fails(
        "explain wine.csv --model model -o no/such/folder/out.csv",
        1,
        "no/such/folder/out.csv: there is no folder no/such/folder\n",
    );
    desk.fails(
        "explain wine.csv --model model -o wine.csv/out.csv",
        1,
        "wine.csv is a file, not a folder",
    );
    desk.fails("explain wine.csv --model model -o model", 1, "is a folder");
}

#[test]
fn wrong_usage_is_code_two() {
    let desk = Desk::with_wine();
    desk.fails("", 2, "Usage");
    desk.fails("frobnicate", 2, "frobnicate");
    desk.fails("fit wine.csv -k 1 --model m", 2, "use 2 or more");
    desk.fails("fit wine.csv -k abc --model m", 2, "give a whole number");
    desk.fails("fit wine.csv -k 3 --tol small --model m", 2, "give a number");
    desk.fails("explain wine.csv --model model --top 0", 2, "give a whole number of at least 1");
    desk.fails("fit wine.csv -k 3 --model m --init rows:x", 2, "`x` is not a row number");
    desk.fails("explain wine.csv --model model --beta -3", 2, "`auto` or a number of at least 0");
    desk.fails(
        "explain wine.csv --model model --cluster two",
        2,
        "`assigned` or the number of a cluster",
    );
    desk.fails("explain wine.csv --model model --delimiter 7", 2, "delimiter");
    desk.fails("explain wine.csv --model model --cluster 3", 1, "the model has clusters 0 to 2");
    desk.fails(
        "explain wine.csv --model model --cluster 1 --versus 1",
        1,
        "contrasted with itself",
    );
    if !cfg!(feature = "wgpu") {
        desk.fails("demo --backend wgpu", 2, "--features wgpu");
    }
    if !cfg!(feature = "ndarray") {
        desk.fails("demo --backend ndarray", 2, "--features ndarray");
    }
}

#[test]
fn a_label_that_is_no_class_costs_no_time() {
    let desk = Desk::new();
    let row = |i: usize| format!("{},{},{}\n", i % 83, (i * 7) % 61, (i / 2) as f64);
    let text: String =
        std::iter::once("a,b,price\n".to_owned()).chain((0..5000).map(row)).collect();
    desk.write("t.csv", &text);
    let fit = desk.done("fit t.csv -k 5 --model m --label price");
    assert!(fit.err.contains("and the 2500 classes: adjusted Rand index 0.00"), "{}", fit.err);
}
