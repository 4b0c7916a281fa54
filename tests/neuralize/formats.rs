//! Parquet and NumPy files, written by other programs, against the CSV file of
//! the same table; damaged files.

use std::fs;
use std::path::{Path, PathBuf};

use neuralize::data::{Table, TableOptions, TableReader};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/formats").join(name)
}

fn plain() -> TableOptions {
    TableOptions::default()
}

fn read(name: &str, options: &TableOptions) -> Table {
    Table::read(fixture(name), options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The message without the folder.
fn refusal(name: &str, options: &TableOptions) -> String {
    let path = fixture(name);
    let error = Table::read(&path, options).expect_err(name).to_string();
    error.replace(&format!("{}/", path.parent().expect("a folder").display()), "")
}

fn rows(table: &Table) -> Vec<Vec<f64>> {
    (0..table.rows()).map(|row| table.row(row).expect("a row").to_vec()).collect()
}

fn column(table: &Table, name: &str) -> Vec<f64> {
    let at = table.features().iter().position(|known| known == name).expect("a column");
    rows(table).iter().map(|row| row[at]).collect()
}

#[test]
fn every_kind_of_file_holds_the_same_table() {
    let expected = read("table.csv", &plain());
    assert_eq!(expected.rows(), 7);
    let names = ["a", "b", "c"];
    for name in [
        "codec_none.parquet",
        "codec_snappy.parquet",
        "codec_gzip.parquet",
        "codec_zstd.parquet",
        "codec_lz4.parquet",
        "codec_brotli.parquet",
        "version_1.parquet",
        "pages_2.parquet",
        "split.parquet",
        "c_order.npy",
        "fortran_order.npy",
        "big_endian.npy",
        "fortran_big_endian.npy",
    ] {
        let by_name = name.ends_with("parquet");
        let found = read(name, &plain());
        assert_eq!(rows(&found), rows(&expected), "{name}");
        assert_eq!(found.features(), if by_name { names } else { ["x0", "x1", "x2"] });

        // In parts, and columns in another order: by name, or by position.
        for limit in 1..9 {
            let options = plain().with_selected(["c", "a", "b"]);
            let mut reader = TableReader::open(fixture(name), &options).expect(name);
            assert_eq!(reader.features(), ["c", "a", "b"]);
            let mut seen = Vec::new();
            loop {
                let part = reader.read_rows(limit).expect(name);
                assert!(part.rows() <= limit);
                if part.rows() == 0 {
                    break;
                }
                seen.extend(rows(&part));
            }
            let turned =
                |row: &Vec<f64>| if by_name { vec![row[2], row[0], row[1]] } else { row.clone() };
            assert_eq!(seen, rows(&expected).iter().map(turned).collect::<Vec<_>>(), "{name}");
            assert!(reader.bytes_read() <= fs::metadata(fixture(name)).expect("a file").len());
        }
    }
    let one = read("one_column.npy", &plain());
    assert_eq!(one.features(), ["x0"]);
    assert_eq!(column(&one, "x0"), column(&expected, "a"));
}

#[test]
fn every_type_of_number_is_read() {
    for (name, expected) in [
        ("f2", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("f4", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("i1", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("i2", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("i4", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("i8", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("u1", [[0.0, 1.0, 100.0], [255.0, 5.0, 156.0]]),
        ("u2", [[0.0, 1.0, 100.0], [65535.0, 5.0, 65436.0]]),
        ("u8", [[0.0, 1.0, 100.0], [18446744073709551615.0, 5.0, 18446744073709551516.0]]),
        ("big_f2", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("big_f4", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("big_i2", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("big_i4", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("big_i8", [[0.0, 1.0, 100.0], [-1.0, 5.0, -100.0]]),
        ("big_u4", [[0.0, 1.0, 100.0], [4294967295.0, 5.0, 4294967196.0]]),
        ("bool", [[0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
    ] {
        assert_eq!(rows(&read(&format!("dtype_{name}.npy"), &plain())), expected, "{name}");
    }

    let types = read("types.parquet", &plain());
    for (name, expected) in [
        ("int8", [0.0, 1.0, -100.0, 5.0]),
        ("int16", [0.0, 1.0, -100.0, 5.0]),
        ("int32", [0.0, 1.0, -100.0, 5.0]),
        ("int64", [0.0, 1.0, -100.0, 5.0]),
        ("uint8", [0.0, 1.0, 100.0, 5.0]),
        ("uint16", [0.0, 1.0, 100.0, 5.0]),
        ("uint32", [0.0, 1.0, 4e9, 5.0]),
        ("uint64", [0.0, 1.0, 1.8e19, 5.0]),
        ("half", [0.0, 1.0, 100.0, 5.0]),
        ("single", [0.0, 1.0, 100.0, 5.0]),
        ("double", [0.0, 1.0, 100.0, 5.0]),
        ("bool", [0.0, 1.0, 1.0, 0.0]),
        ("decimal9", [0.0, 1.25, -1000.10, 5.01]),
        ("decimal18", [0.0, 1.25, -1000.10, 5.01]),
        ("decimal38", [0.0, 1.25, -1000.10, 5.01]),
    ] {
        assert_eq!(column(&types, name), expected, "{name}");
    }
    let decimals = read("decimals.parquet", &plain());
    for name in ["decimal9", "decimal38"] {
        assert_eq!(column(&decimals, name), [0.0, 1.25, -1000.10, 5.01], "{name}, as bytes");
    }
}

#[test]
fn columns_that_are_no_numbers_are_refused_by_name() {
    let only = |name: &str| refusal("kinds.parquet", &plain().with_selected([name]));
    let starts = "kinds.parquet: column `";
    let cell = "kinds.parquet: row 0 (counted from 0), column `";
    assert_eq!(only("text"), format!("{cell}text`: `x` is not a finite number"));
    assert!(only("day").starts_with(&format!("{cell}day`: `")));
    assert!(only("day").ends_with("is a date or time, not a number"));
    assert!(only("time").ends_with("is a date or time, not a number"));
    assert_eq!(only("list"), format!("{starts}list` is nested; drop it"));
    assert_eq!(only("struct"), format!("{starts}struct` is nested; drop it"));
    assert!(only("wide").contains("more than 38 digits"));
    assert!(only("none").contains("there is no column `none`; its columns are `a`, `text`"));

    // What is not read may be anything, and a label may be text.
    let options = plain().with_selected(["b", "a"]);
    let mut reader = TableReader::open(fixture("kinds.parquet"), &options).expect("a table");
    assert_eq!(reader.ignored().len(), 7);
    assert_eq!(rows(&reader.read_all().expect("rows"))[2], [6.0, 3.0]);
    let labelled =
        |label: &str| read("kinds.parquet", &plain().with_selected(["a"]).with_label(label));
    assert_eq!(labelled("text").labels().expect("labels"), ["x", "y, z", ""]);
    // A float would not tell this one from its neighbour.
    assert_eq!(labelled("number").labels().expect("labels"), ["9007199254740993", "2", ""]);
    assert_eq!(labelled("a").labels().expect("labels"), ["1", "2", "3"]);
    let dropped = ["text", "day", "time", "list", "struct", "wide", "number"];
    let options = dropped.into_iter().fold(plain(), |options, name| options.with_dropped(name));
    assert_eq!(read("kinds.parquet", &options).features(), ["a", "b"]);
}

#[test]
fn missing_and_infinite_values_are_told_by_row() {
    assert_eq!(
        refusal("missing.parquet", &plain()),
        "missing.parquet: 3 missing values, first at row 1 (counted from 0), column `a`; \
         row 2 (counted from 0), column `a`; row 2 (counted from 0), column `b`; \
         fill or drop these rows first"
    );
    assert_eq!(
        refusal("missing.npy", &plain()),
        "missing.npy: 2 missing values, first at row 0 (counted from 0), column `x1`; \
         row 2 (counted from 0), column `x0`; fill or drop these rows first"
    );
    assert_eq!(
        refusal("infinite.npy", &plain()),
        "infinite.npy: row 1 (counted from 0), column `x0`: `inf` is not a finite number"
    );
    assert_eq!(
        refusal("infinite.parquet", &plain()),
        "infinite.parquet: row 1 (counted from 0), column `b`: `-inf` is not a finite number"
    );
}

#[test]
fn arrays_that_are_no_tables_are_refused() {
    for (name, says) in [
        ("refused_complex.npy", "its numbers are of type '<c16'; floats of"),
        ("refused_text.npy", "'<U1'"),
        ("refused_object.npy", "'|O'"),
        ("refused_record.npy", "its numbers are of type [('a', '<i4'), ('b', '<f8')"),
        ("refused_cube.npy", "is an array of shape [2, 2, 2]; a table needs two dimensions"),
        ("refused_nothing.npy", "is an array of shape [0, 0], which holds no numbers"),
    ] {
        let text = refusal(name, &plain());
        assert!(text.starts_with(name) && text.contains(says), "{text}");
    }
    assert_eq!(read("no_rows.parquet", &plain()).rows(), 0);
    assert_eq!(
        refusal("c_order.npy", &plain().with_selected(["a", "b"])),
        "c_order.npy: an array has no column names, so columns are matched by position: \
         2 features need as many columns in their order, it has 3"
    );
    // Columns that were dropped from an array are found again by their numbers.
    let options = plain().with_selected(["x2", "x0"]);
    assert_eq!(column(&read("c_order.npy", &options), "x0")[1], 0.37 - 1.0);
}

/// At whatever length a file is cut off, and whatever byte of it is wrong: an
/// error that names the file, or a table of finite numbers.
#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let read = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        Table::read(&path, &plain()).map_err(|error| error.to_string())
    };
    for name in ["c_order.npy", "fortran_order.npy", "codec_snappy.parquet"] {
        let bytes = fs::read(fixture(name)).expect("a file");
        let read = |bytes: &[u8]| read(name, bytes);
        let step = if name.ends_with("npy") { 1 } else { 7 };
        for length in (0..bytes.len()).step_by(step) {
            let error = read(&bytes[..length]).expect_err("cut off");
            assert!(error.contains(&format!("{name}: ")), "{length}: {error}");
        }
        for at in (0..bytes.len()).step_by(step) {
            for change in [0x01, 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                match read(&damaged) {
                    Ok(table) => assert!(rows(&table).iter().flatten().all(|v| v.is_finite())),
                    Err(error) => assert!(error.contains(name), "{at}: {error}"),
                }
            }
        }
    }
    for name in ["foreign.npy", "foreign.parquet"] {
        let error = read(name, b"a,b\n1,2\n3,4\n5,6\n7,8\n").expect_err("foreign");
        assert!(error.contains(name), "{error}");
        let error = read(name, b"").expect_err("empty");
        assert!(error.contains("the file is empty"), "{error}");
    }
}
