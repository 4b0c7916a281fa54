//! Kinds of input.

use std::fs;

use crate::desk::{Desk, table};

/// The wine data as a NumPy array, `<f8` in the order of C.
fn wine_array(desk: &Desk) -> Vec<u8> {
    let (_, rows) = table(&desk.read("wine.csv"), b',');
    let shape = format!("({}, {})", rows.len(), rows[0].len() - 1);
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    header += &" ".repeat(117 - header.len());
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(rows.iter().flat_map(|row| &row[..row.len() - 1]).flat_map(|v| v.to_le_bytes()));
    bytes
}

/// The same model and the same explanations, to the byte, whatever holds the data.
#[test]
fn every_kind_of_file_gives_the_same_answers() {
    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    desk.write("wine.tsv", &wine.replace(',', "\t"));
    desk.write("WINE.TAB", &wine.replace(',', "\t"));
    desk.write("wine.txt", &wine);
    desk.take("wine.parquet");
    fs::copy(desk.path("wine.parquet"), desk.path("wine.PQ")).expect("copied");
    fs::write(desk.path("wine.npy"), wine_array(&desk)).expect("written");
    let expected = desk.done("explain wine.csv --model model -q").out;
    let predicted = desk.done("predict wine.csv --model model -q").out;
    for name in ["wine.tsv", "WINE.TAB", "wine.txt", "wine.parquet", "wine.PQ", "wine.npy"] {
        assert!(desk.done(&format!("explain {name} --model model -q")).out == expected, "{name}");
        assert_eq!(desk.done(&format!("predict {name} --model model -q")).out, predicted);
        let label = match name {
            "wine.npy" => "",
            "wine.parquet" | "wine.PQ" => "--label target --drop cultivar",
            _ => "--label target",
        };
        for stream in ["--restarts 1", "--stream"] {
            let options = format!("-k 3 --scale standard {stream} --seed 4");
            let said = desk.done(&format!("fit wine.csv --label target {options} --model a")).err;
            let again = desk.done(&format!("fit {name} {label} {options} --model b")).err;
            if !label.is_empty() {
                let rest = |said: &str| said.split_once('\n').map(|(_, rest)| rest.to_owned());
                assert_eq!(rest(&again.replace("to b", "to a")), rest(&said), "{name}");
            }
            let [a, b] = ["a", "b"].map(|model| desk.read(&format!("{model}/config.json")));
            let record = |config: &str| config.split("sha256").nth(1).map(str::to_owned);
            assert_eq!(record(&a), record(&b), "{name} {stream}");
        }
    }
    let said = desk.done("explain wine.parquet --model model").err;
    assert!(said.contains("ignored: `target`, `cultivar`"), "{said}");
    desk.done("fit wine.parquet -k 3 --label cultivar --drop target --model m");
    let said = desk.done("fit wine.parquet -k 3 --model m").err;
    assert!(said.contains("178 rows of 17 features"), "{said}");

    // A model of an array knows its columns by number.
    desk.done("fit wine.npy -k 3 --drop x0 --model numbered");
    assert!(desk.done("inspect numbered").out.contains("x1, x2, x3"));
    let out = desk.done("explain wine.npy --model numbered -q").out;
    assert!(out.starts_with("index,cluster,logit,x1,x2,"));
    desk.write("three.csv", "a,b,c\n1,2,3\n4,5,6\n");
    desk.done("fit three.csv -k 2 --model three");
    desk.fails(
        "explain wine.npy --model three",
        1,
        "3 features need as many columns in their order, it has 13",
    );
}

#[test]
fn centroids_come_from_every_kind_of_file() {
    let desk = Desk::new();
    desk.take("c_order.npy");
    desk.take("codec_zstd.parquet");
    desk.take("table.csv");
    for name in ["c_order.npy", "codec_zstd.parquet", "table.csv"] {
        let said = desk.done(&format!("import {name} --data {name} --model {name}.model")).err;
        assert!(said.contains("7 centroids of 3 features"), "{said}");
        assert!(desk.done(&format!("inspect {name}.model")).out.contains("sizes      1, 1, 1, 1"));
    }
    desk.done("import table.csv --data c_order.npy --model m");
    desk.fails("import c_order.npy --data table.csv --model n", 1, "there is no column `x0`");
}

#[test]
fn files_that_are_no_tables_are_refused_in_words() {
    let desk = Desk::with_wine();
    for (name, text, says) in [
        ("empty.parquet", "", "empty.parquet: the file is empty"),
        ("empty.npy", "", "empty.npy: the file is empty"),
        ("foreign.parquet", "a,b\n1,2\n3,4\n", "foreign.parquet: is not a usable Parquet file"),
        ("foreign.npy", "a,b\n1,2\n3,4\n", "foreign.npy: is not a NumPy array"),
        ("PAR1.csv", "PAR1\u{15}\u{4}\u{15}", "PAR1.csv: "),
    ] {
        desk.write(name, text);
        for command in ["fit -k 2 --model m", "fit -k 2 --model m --stream"] {
            desk.fails(&format!("{command} {name}"), 1, says);
        }
        desk.fails(&format!("predict --model model {name}"), 1, says);
    }
    desk.fails("predict none.npy --model model", 1, "none.npy: No such file");
    desk.fails("predict none.parquet --model model", 1, "none.parquet: No such file");
    desk.take("missing.parquet");
    desk.fails("fit missing.parquet -k 2 --model m --missing error", 1, "in column `a`");
    // Where the reader underneath panics, there are words all the same.
    desk.take("codec_snappy.parquet");
    let bytes = fs::read(desk.path("codec_snappy.parquet")).expect("a file");
    for at in (0..bytes.len()).step_by(61) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        fs::write(desk.path("damaged.parquet"), &damaged).expect("written");
        let answer = desk.run("fit damaged.parquet -k 2 --model damaged");
        assert!(answer.code == 0 || answer.err.contains("damaged.parquet"), "{}", answer.err);
        assert!(answer.code < 2 && !answer.err.contains("panicked"), "{at}: {}", answer.err);
    }
    desk.take("no_rows.parquet");
    desk.fails("fit no_rows.parquet -k 2 --model m", 1, "no_rows.parquet: the table has no rows");
    assert!(!desk.path("m").exists());
}

#[test]
fn standard_input_is_a_table_too() {
    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    let done = |arguments: &str, input: &str| {
        let answer = desk.run_with(arguments, input);
        assert_eq!(answer.code, 0, "{arguments}: {}", answer.err);
        answer
    };
    for command in ["predict", "explain"] {
        let expected = desk.done(&format!("{command} wine.csv --model model -q")).out;
        assert_eq!(done(&format!("{command} - --model model -q"), &wine).out, expected);
        let tabs = wine.replace(',', "\t");
        let out = done(&format!("{command} - --model model -q --delimiter tab"), &tabs).out;
        assert_eq!(out.replace('\t', ","), expected);
    }
    let said = done("fit - -k 3 --model piped --label target --scale minmax", &wine);
    assert!(said.err.contains("178 rows of 13 features"), "{}", said.err);
    desk.done("fit wine.csv -k 3 --model read --label target --scale minmax");
    assert_eq!(desk.read("piped/config.json"), desk.read("read/config.json"));
    done("import - --beta 1 --model imported", "a,b\n1,2\n3,4\n");

    let fails = |arguments: &str, input: &str, code: i32, says: &str| {
        let answer = desk.run_with(arguments, input);
        assert_eq!((answer.code, answer.out.as_str()), (code, ""), "{}", answer.err);
        assert!(answer.err.contains(says), "{}", answer.err);
    };
    fails(
        "fit - -k 3 --model m --stream",
        &wine,
        2,
        "--stream reads the data several times, but standard input",
    );
    fails("predict - --model model", "", 1, "standard input: the file is empty");
    for (bytes, kind) in [("PAR1\u{15}\u{4}", "Apache Parquet"), ("PK\u{3}\u{4}", "a ZIP archive")]
    {
        fails("fit - -k 3 --model m", bytes, 1, &format!("standard input: holds {kind}"));
        fails("predict - --model model", bytes, 1, "name the file itself");
    }
    fails(
        "fit - -k 3 --model m",
        "a,b\n1,2\n3,x\n",
        1,
        "standard input: column `b`: 1 of 2 cells are numbers, but `x` (line 3)",
    );
    let bad = "a,b\n1,2\n3,1e200\n5,6\n";
    fails("fit - -k 2 --model m", bad, 1, "standard input, row 1 (counted from 0), column `b`");
    fails(
        "explain - --model model --rows 178",
        &wine,
        1,
        "standard input: there is no row 178, the table has 178 rows",
    );
    assert!(!desk.path("m").exists() && !desk.path("-").exists());
}

/// An array has no names, so a label is none of its columns.
#[cfg(feature = "npy")]
#[test]
fn a_label_of_an_array_is_refused() {
    let desk = Desk::new();
    desk.take("c_order.npy");
    desk.done("fit c_order.npy -k 2 --model m");
    desk.done("report c_order.npy --model m -o page.html");
    desk.fails(
        "report c_order.npy --model m --label target -o page.html",
        1,
        "c_order.npy: there is no column `target`; its columns are `x0`",
    );
}

/// An array that is not the whole file, and one of a later version of the format.
#[cfg(feature = "npy")]
#[test]
fn an_array_is_all_that_is_in_a_file() {
    let desk = Desk::with_wine();
    let array = wine_array(&desk);
    let fails = |bytes: &[u8], says: &str| {
        fs::write(desk.path("t.npy"), bytes).expect("written");
        desk.fails("fit t.npy -k 2 --model m", 1, says);
    };
    let behind = format!("goes on behind its array of 178 x 13, from byte {} on", array.len() + 1);
    fails(&[&array[..], &array].concat(), &behind);
    let mut later = array;
    later[6] = 9;
    fails(&later, "is a NumPy array of version 9.0, which is not known");
}

/// A folder in memory is a folder like any other.
#[cfg(target_os = "linux")]
#[test]
fn files_in_memory_are_replaced_whole() {
    let Ok(folder) = tempfile::tempdir_in("/dev/shm") else { return };
    let desk = Desk::with_wine();
    let path = folder.path().join("out.csv");
    fs::write(&path, "old\n".repeat(100_000)).expect("written");
    desk.done(&format!("predict wine.csv --model model -o {}", path.display()));
    let plain = desk.done("predict wine.csv --model model").out;
    assert_eq!(fs::read_to_string(&path).expect("a file"), plain);
}

/// What is written is read again: the explanations of a table, as a table.
#[test]
fn results_are_written_as_workbooks_and_compressed() {
    let desk = Desk::with_wine();
    let plain = desk.done("explain wine.csv --model model -q").out;
    desk.done("explain wine.csv --model model -q -o why.csv.gz");
    let unpacked = |name: &str| {
        let file = fs::File::open(desk.path(name)).expect("a file");
        std::io::read_to_string(flate2::read::GzDecoder::new(file)).expect("text")
    };
    assert!(unpacked("why.csv.gz") == plain);
    desk.done("explain wine.csv --model model -q -o why.json.gz");
    let json = desk.done("explain wine.csv --model model -q --format json").out;
    assert!(unpacked("why.json.gz") == json);
    desk.done("explain wine.csv --model model -q -o why.csv");
    // A model of the results, whichever file has them.
    let model = |file: &str| {
        desk.done(&format!("fit {file} -k 2 --drop index --as cluster=number --model m"));
        let config = desk.read("m/config.json");
        config.split("sha256").nth(1).map(str::to_owned)
    };
    let expected = model("why.csv");
    assert!(expected.is_some());
    assert_eq!(model("why.csv.gz"), expected);
    for (name, says) in [
        ("why.parquet.gz", "leave out .gz"),
        ("why.html.gz", "results are not written as .html"),
        ("why.csv.zst", "results are not written as .zst"),
        ("why.xls", "results are not written as .xls"),
    ] {
        desk.fails(&format!("explain wine.csv --model model -o {name}"), 2, says);
        assert!(!desk.path(name).exists(), "{name}");
    }
    #[cfg(feature = "xlsx")]
    {
        desk.done("explain wine.csv --model model -q -o why.xlsx");
        assert_eq!(model("why.xlsx"), expected);
        let first = fs::read(desk.path("why.xlsx")).expect("a file");
        std::thread::sleep(std::time::Duration::from_millis(2100));
        desk.done("explain wine.csv --model model -q --format xlsx -o again");
        assert!(fs::read(desk.path("again")).expect("a file") == first, "the time of day is in it");
        desk.done("explain wine.csv --model model -q --top 2 -o top.xlsx");
        let said = desk.done("fit top.xlsx -k 2 --model m").err;
        assert!(said.contains("feature_1 (category of"), "{said}");
        desk.fails("explain wine.csv --model model -o why.xlsx.gz", 2, "leave out .gz");
        for command in ["predict wine.csv --model model", "outliers wine.csv --drop target"] {
            desk.done(&format!("{command} -q -o other.xlsx"));
            let said = desk.done("fit other.xlsx -k 2 --model m").err;
            assert!(said.contains("178 rows"), "{said}");
        }
    }
}
