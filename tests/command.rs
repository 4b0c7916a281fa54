//! The command, run as a person runs it.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder of its own for every test, and the command run in it.
struct Desk {
    folder: TempDir,
}

struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A desk with the wine data and a model fitted to them.
    fn with_wine() -> Self {
        let desk = Self::new();
        desk.done("demo --out .");
        desk.done(
            "fit wine.csv -k 3 --model model --scale minmax --label target --init rows:98,149,54",
        );
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    fn run(&self, arguments: &str) -> Answer {
        let mut command: Command = assert_cmd::cargo::cargo_bin_cmd!("neuralize");
        let output = command
            .current_dir(self.folder.path())
            .args(arguments.split_whitespace())
            .output()
            .expect("the command runs");
        Answer {
            code: output.status.code().expect("no signal"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    fn done(&self, arguments: &str) -> Answer {
        let answer = self.run(arguments);
        assert_eq!(answer.code, 0, "{arguments}: {}", answer.err);
        answer
    }

    /// A failure: nothing on standard output, and the message on standard error.
    fn fails(&self, arguments: &str, code: i32, says: &str) {
        let answer = self.run(arguments);
        assert_eq!(answer.code, code, "{arguments}: {}", answer.err);
        assert!(answer.err.contains(says), "{arguments}: {}", answer.err);
        assert!(!answer.err.contains("panicked"), "{arguments}: {}", answer.err);
        assert_eq!(answer.out, "", "{arguments}");
    }
}

/// Header and rows of a CSV text.
fn table(text: &str, delimiter: u8) -> (Vec<String>, Vec<Vec<f64>>) {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|row| row.expect("a row").iter().map(|cell| cell.parse().expect("a number")).collect())
        .collect();
    (header, rows)
}

fn reference(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/wine");
    fs::read_to_string(folder.join(name)).expect("a reference file")
}

#[test]
fn demo_prints_the_nine_points() {
    let desk = Desk::new();
    for arguments in ["demo", "demo --precision f32"] {
        let out = desk.done(arguments).out;
        for line in [
            "heuristic beta 1.8197; explained with beta 1",
            "169 of 178 points agree",
            "point 60   cluster 2 (probability 0.52)   true class 1   sum of relevances 0.0772 / logit 0.0772",
            "point 61   cluster 2 (probability 0.56)   true class 1   sum of relevances 0.2447 / logit 0.2447",
            "point 68   cluster 2 (probability 0.52)   true class 1   sum of relevances 0.0800 / logit 0.0800",
            "point 70   cluster 2 (probability 0.52)   true class 1   sum of relevances 0.0866 / logit 0.0866",
            "point 73   cluster 0 (probability 0.57)   true class 1   sum of relevances 0.2848 / logit 0.2848",
            "point 83   cluster 2 (probability 0.61)   true class 1   sum of relevances 0.4378 / logit 0.4378",
            "point 92   cluster 2 (probability 0.50)   true class 1   sum of relevances 0.0089 / logit 0.0089",
            "point 95   cluster 0 (probability 0.53)   true class 1   sum of relevances 0.1348 / logit 0.1348",
            "point 118  cluster 2 (probability 0.55)   true class 1   sum of relevances 0.2151 / logit 0.2151",
            "checked 178 points",
            "conservation error",
        ] {
            assert!(out.contains(line), "{arguments}: no `{line}` in\n{out}");
        }
        let inertia = if arguments == "demo" { "inertia 48.960517," } else { "inertia 48.9605" };
        assert!(out.contains(inertia), "{arguments}: {out}");
        assert_eq!(out.matches("\npoint ").count(), 9);
    }
}

#[test]
fn demo_folder_holds_what_it_says() {
    let desk = Desk::new();
    desk.done("demo --out here/and/there");
    let (header, rows) = table(&desk.read("here/and/there/relevance.csv"), b',');
    let (names, expected) = table(&reference("relevance_beta1.csv"), b',');
    assert_eq!(header[3..], names);
    for (row, expected) in rows.iter().zip(&expected) {
        for (a, b) in row[3..].iter().zip(expected) {
            // The reference is off by up to 1.1e-8 itself (its stabiliser).
            assert!((a - b).abs() < 1.2e-8, "{a} against {b}");
        }
    }
    let again = desk.done("explain here/and/there/wine.csv --model here/and/there/model --beta 1");
    assert_eq!(again.out, desk.read("here/and/there/relevance.csv"));
    let again = desk.done("predict here/and/there/wine.csv --model here/and/there/model");
    assert_eq!(again.out, desk.read("here/and/there/predictions.csv"));
}

#[test]
fn fit_predict_explain_inspect() {
    let desk = Desk::with_wine();
    let inspect = desk.done("inspect model").out;
    for line in [
        "clusters   3",
        "features   13",
        "scale      minmax",
        "beta       1.81974330802",
        "inertia    48.9605171366",
        "sizes      62, 55, 61",
    ] {
        assert!(inspect.contains(line), "no `{line}` in\n{inspect}");
    }

    let predict = desk.done("predict wine.csv --model model");
    assert!(predict.err.contains("ignored: `target`"), "{}", predict.err);
    let (header, rows) = table(&predict.out, b',');
    assert_eq!(header, ["index", "cluster", "logit", "probability"]);
    let (_, logits) = table(&reference("logits.csv"), b',');
    let (_, labels) = table(&reference("labels.csv"), b',');
    assert_eq!(rows.len(), 178);
    for ((row, logit), label) in rows.iter().zip(&logits).zip(&labels) {
        assert_eq!((row[0], row[1]), (logit[0], label[1]));
        assert!((row[2] - logit[1]).abs() < 1e-12);
        assert!((row[3] - 1.0 / (1.0 + (-row[2]).exp())).abs() < 1e-12);
    }

    let explain = desk.done("explain wine.csv --model model --check -o out.csv");
    assert_eq!(explain.out, "");
    for words in
        ["checked 178 points", "conservation error", "shift invariance", "autodiff agreement"]
    {
        assert!(explain.err.contains(words), "{}", explain.err);
    }
    let (header, rows) = table(&desk.read("out.csv"), b',');
    assert_eq!(header[..4], ["index", "cluster", "logit", "alcohol"]);
    assert_eq!(header.len(), 16);
    for row in &rows {
        let size: f64 = row[3..].iter().map(|value| value.abs()).sum();
        assert!((row[3..].iter().sum::<f64>() - row[2]).abs() < 1e-14 * size.max(1.0));
    }
}

#[test]
fn questions_have_their_answers() {
    let desk = Desk::with_wine();
    let ask = |arguments: &str| {
        table(&desk.done(&format!("explain wine.csv --model model --quiet {arguments}")).out, b',')
            .1
    };
    let (_, distances) = table(&reference("distances_sq.csv"), b',');
    let assigned =
        |i: usize| (0..3).fold(0, |b, k| if distances[i][k] < distances[i][b] { k } else { b });

    for (i, row) in ask("--cluster 0").iter().enumerate() {
        let others = distances[i][1].min(distances[i][2]);
        assert_eq!(row[1], 0.0);
        assert!((row[2] - (others - distances[i][0])).abs() < 1e-12);
    }
    for (i, row) in ask("--cluster 2 --versus 1").iter().enumerate() {
        assert!((row[2] - (distances[i][1] - distances[i][2])).abs() < 1e-12);
    }
    for (i, row) in ask("--versus 1").iter().enumerate() {
        assert_eq!(row[1], assigned(i) as f64);
        assert!((row[2] - (distances[i][1] - distances[i][assigned(i)])).abs() < 1e-12);
        assert!(row[1] != 1.0 || row[2..].iter().all(|value| *value == 0.0));
    }
    assert_ne!(ask("--beta 0"), ask("--beta inf"));
    assert_eq!(ask("--beta auto"), ask(""));
}

#[test]
fn columns_are_matched_by_name() {
    let desk = Desk::new();
    desk.write("train.csv", "a,b\n0,0\n1,0\n9,9\n8,9\n");
    desk.done("fit train.csv --clusters 2 --model m");
    desk.write("same.csv", "a,b\n1,2\n");
    desk.write("turned.csv", "id;b;a\nx;2;1\n");
    let same = desk.done("explain same.csv --model m").out;
    let turned = desk.done("explain turned.csv --model m --delimiter ;");
    assert_eq!(turned.out.replace(';', ","), same);
    assert!(turned.err.contains("note: columns that the model does not know are ignored: `id`"));
    assert_eq!(desk.done("explain turned.csv --model m --delimiter ; --quiet").err, "");
    desk.write("short.csv", "a,c\n1,2\n");
    desk.fails(
        "explain short.csv --model m",
        1,
        "short.csv: there is no column `b`; its columns are `a`, `c`",
    );
}

#[test]
fn digits_are_enough_to_read_numbers_back() {
    let desk = Desk::with_wine();
    let double = desk.done("explain wine.csv --model model").out;
    let single = desk.done("explain wine.csv --model model --precision f32").out;
    let mut long = 0;
    for (line, other) in double.lines().zip(single.lines()).skip(1) {
        for (a, b) in line.split(',').zip(other.split(',')).skip(2) {
            let (wide, narrow): (f64, f32) = (a.parse().expect("f64"), b.parse().expect("f32"));
            assert_eq!(format!("{wide:?}"), a);
            assert_eq!(format!("{narrow:?}"), b);
            assert!((wide - f64::from(narrow)).abs() < 2e-5);
            long += usize::from(a.len() > 15);
        }
    }
    assert!(long > 1000);
}

#[test]
fn import_takes_centroids_from_elsewhere() {
    let desk = Desk::with_wine();
    desk.write("centroids.csv", &reference("centroids.csv"));
    desk.write("scaled.csv", &reference("wine_minmax.csv"));
    let import = desk.done("import centroids.csv --data scaled.csv --model imported");
    assert!(import.err.contains("3 centroids of 13 features, beta 1.819743"), "{}", import.err);
    let inspect = desk.done("inspect imported").out;
    assert!(
        inspect.contains("sizes      62, 55, 61") && inspect.contains("scale      none"),
        "{inspect}"
    );
    let (_, found) = table(&desk.done("explain scaled.csv --model imported --quiet").out, b',');
    let (_, expected) = table(&desk.done("explain wine.csv --model model --quiet").out, b',');
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() < 1e-12);
    }

    desk.done("import centroids.csv --beta 2.5 --model imported");
    assert!(desk.done("inspect imported").out.contains("beta       2.5\n"));
    desk.fails("import centroids.csv --model x", 2, "--beta");
    desk.fails("import centroids.csv --beta -1 --model x", 1, "beta = -1 cannot be used");
    desk.write("one.csv", "a,b\n1,2\n");
    desk.fails("import one.csv --beta 1 --model x", 1, "no competitor");
    assert!(!desk.path("x").exists());
}

#[test]
fn large_files_go_through_in_parts() {
    let desk = Desk::new();
    let line = |i: usize| format!("{},{}\n", i % 97, (i * 31) % 89);
    let rows = 140_000;
    let text: String = std::iter::once("a,b\n".to_owned()).chain((0..rows).map(line)).collect();
    desk.write("large.csv", &text);
    let small: String = std::iter::once("a,b\n".to_owned()).chain((0..500).map(line)).collect();
    desk.write("small.csv", &small);
    desk.done("fit small.csv --clusters 2 --model m --scale standard");
    desk.done("explain large.csv --model m -o large.out");
    let small = desk.done("explain small.csv --model m").out;
    let large = desk.read("large.out");
    assert_eq!(large.lines().count(), rows + 1);
    assert!(large.starts_with(&small));
    // Far beyond the first part the rows are still numbered and explained alike.
    let at = 97 * 89 * 15;
    let late = large.lines().nth(at + 1).expect("a row");
    let early = large.lines().nth(1).expect("a row");
    assert_eq!(
        late.split_once(',').expect("cells"),
        (at.to_string().as_str(), early.split_once(',').expect("cells").1)
    );
}

#[test]
fn what_f32_cannot_hold_is_said() {
    let desk = Desk::new();
    desk.write("t.csv", "time,x\n1700000001,1\n1700000300,2\n1700000600,9\n");
    let note = "note: `time`: these values are too far from 0 for f32";
    assert!(desk.done("fit t.csv -k 2 --model m --precision f32").err.contains(note));
    assert!(desk.done("explain t.csv --model m --precision f32").err.contains(note));
    assert!(!desk.done("fit t.csv -k 2 --model m").err.contains("note:"));
}

/// The same files from the same seed, whatever the number of threads.
#[test]
fn a_seed_decides_everything() {
    let desk = Desk::new();
    // Enough numbers for the backend to use its threads.
    let cell = |i: usize| format!("{:.4}", ((i * i) as f64 * 0.37).sin() * ((i % 7) as f64));
    let row = |i: usize| (0..16).map(|j| cell(16 * i + j)).collect::<Vec<_>>().join(",");
    let names = (0..16).map(|j| format!("f{j}")).collect::<Vec<_>>().join(",");
    let rows: Vec<String> = std::iter::once(names).chain((0..4000).map(row)).collect();
    desk.write("data.csv", &(rows.join("\n") + "\n"));
    for precision in ["f32", "f64"] {
        let mut seen: Option<(String, String)> = None;
        for threads in ["1", "2", "5"] {
            let run = |arguments: &str| {
                let mut command: Command = assert_cmd::cargo::cargo_bin_cmd!("neuralize");
                command.current_dir(desk.folder.path()).env("RAYON_NUM_THREADS", threads);
                let output = command.args(arguments.split_whitespace()).output().expect("it runs");
                assert!(output.status.success(), "{arguments}");
                String::from_utf8(output.stdout).expect("text")
            };
            run(&format!(
                "fit data.csv -k 12 --model m --seed 5 --restarts 2 --precision {precision}"
            ));
            let explained = run(&format!("explain data.csv --model m --precision {precision}"));
            let found = (desk.read("m/config.json"), explained);
            assert!(
                seen.as_ref().is_none_or(|seen| *seen == found),
                "{threads} threads, {precision}"
            );
            seen = Some(found);
        }
    }
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
fn features_may_be_named_like_columns_of_the_results() {
    let desk = Desk::new();
    desk.write("t.csv", "index,logit\n0,0\n1,0\n9,9\n8,9\n");
    desk.done("fit t.csv -k 2 --model m");
    let out = desk.done("explain t.csv --model m").out;
    assert!(out.starts_with("index,cluster,logit,index (feature),logit (feature)\n"), "{out}");
}

#[test]
fn standard_output_has_its_names() {
    let desk = Desk::with_wine();
    let plain = desk.done("predict wine.csv --model model").out;
    for name in ["-", "/dev/stdout"] {
        assert_eq!(desk.done(&format!("predict wine.csv --model model -o {name}")).out, plain);
    }
    assert!(!desk.path("-").exists());
}

#[test]
fn a_label_that_is_no_class_costs_no_time() {
    let desk = Desk::new();
    let row = |i: usize| format!("{},{},{}\n", i % 83, (i * 7) % 61, i as f64 * 0.5);
    let text: String =
        std::iter::once("a,b,price\n".to_owned()).chain((0..5000).map(row)).collect();
    desk.write("t.csv", &text);
    let fit = desk.done("fit t.csv -k 5 --model m --label price");
    assert!(fit.err.contains("5000 classes agree for 5 of 5000 rows"), "{}", fit.err);
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
        "-k 2",
        "nan.csv: 1 missing value, first at line 3, column `b`",
    );
    fit(
        "inf.csv",
        "a,b\n1,2\n-inf,4\n",
        "-k 2",
        "inf.csv, line 3, column `a`: `-inf` is not a finite number",
    );
    fit(
        "text.csv",
        "a,b\n1,2\n3,x4\n",
        "-k 2",
        "text.csv, line 3, column `b`: `x4` is not a finite number",
    );
    fit("empty.csv", "", "-k 2", "empty.csv: the file is empty");
    fit("header.csv", "a,b\n", "-k 2", "header.csv: there is no row below the header");
    fit("few.csv", "a,b\n1,2\n3,4\n", "-k 3", "3 clusters need at least 3 distinct points");
    fit("same.csv", "a\n1\n1\n1\n2\n2\n", "-k 3", "the data have 2");
    fit("constant.csv", "a,b\n5,5\n5,5\n", "-k 2", "the data have 1");
    fit("ragged.csv", "a,b\n1,2\n3\n", "-k 2", "line 3 has 1 cells, the header has 2");
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
    desk.fails("fit . -k 2 --model m", 1, "directory");

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
        desk.fails(command, 1, "was changed since the model was saved");
    }
    fs::write(&record, &bytes).expect("written");
    desk.write("model/config.json", &config.replace("\"version\": 1", "\"version\": 99"));
    desk.fails("explain wine.csv --model model", 1, "is of version 99");
    desk.write("model/config.json", "{\"model\": \"mine\"}");
    desk.fails("explain wine.csv --model model", 1, "not the configuration of a neuralize model");
    // And a folder of somebody else's is left alone.
    desk.fails("fit wine.csv -k 3 --model model --label target", 1, "not overwritten");
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
        "no/such/folder/out.csv",
    );
    desk.fails("explain wine.csv --model model -o model", 1, "is a folder");
}

#[test]
fn wrong_usage_is_code_two() {
    let desk = Desk::with_wine();
    desk.fails("", 2, "Usage");
    desk.fails("frobnicate", 2, "frobnicate");
    desk.fails("fit wine.csv --model m", 2, "--clusters");
    desk.fails("fit wine.csv -k 1 --model m", 2, "ask for 2 or more");
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

/// With the features built in, every backend prints the same table.
#[test]
fn backends_are_chosen_by_name() {
    let desk = Desk::new();
    let flex = desk.done("demo").out;
    if cfg!(feature = "ndarray") {
        let ndarray = desk.done("demo --backend ndarray").out;
        assert_eq!(ndarray.lines().next(), flex.lines().next());
        desk.done("demo --backend ndarray --precision f32");
    }
    if cfg!(feature = "wgpu") {
        desk.fails("demo --backend wgpu --precision f64", 2, "computes in f32");
        let wgpu = desk.run("demo --backend wgpu");
        let required = std::env::var("NEURALIZE_REQUIRE_WGPU").is_ok_and(|value| value == "1");
        if wgpu.code == 0 || required {
            assert_eq!(wgpu.code, 0, "{}", wgpu.err);
            assert_eq!(wgpu.out.lines().next(), flex.lines().next());
        } else {
            assert!(wgpu.err.contains("no usable device"), "{}", wgpu.err);
        }
    }
}

/// `neuralize … | head -1` is a normal end.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    use std::io::Read;
    use std::process::{Command, Stdio};

    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    let (header, body) = wine.split_once('\n').expect("lines");
    desk.write("long.csv", &format!("{header}\n{}", body.repeat(40)));
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("neuralize"))
        .current_dir(desk.folder.path())
        .args(["explain", "long.csv", "--model", "model", "--quiet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut first = [0; 5];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("output");
    let output = child.wait_with_output().expect("an end");
    assert_eq!((&first, output.status.code(), output.stderr.len()), (b"index", Some(0), 0));
}

/// A file that is gone through part by part gives the model of the whole file.
#[test]
fn fit_from_a_stream() {
    let desk = Desk::with_wine();
    let options = "-k 3 --scale minmax --label target --seed 3";
    desk.done(&format!("fit wine.csv {options} --model whole --restarts 1"));
    let said = desk.done(&format!("fit wine.csv {options} --model parts --stream"));
    assert!(said.err.contains("greedy k-means++"), "{}", said.err);
    for model in ["whole", "parts"] {
        desk.done(&format!("predict wine.csv --model {model} -o {model}.csv"));
    }
    let labels = |name: &str| -> Vec<String> {
        let of_line = |line: &str| line.split(',').nth(1).map(str::to_owned);
        desk.read(name).lines().filter_map(of_line).collect()
    };
    assert_eq!(labels("whole.csv"), labels("parts.csv"));

    desk.write("bad.csv", "a,b\n1,2\n3,x\n");
    let failed = desk.run("fit bad.csv -k 2 --model m --stream");
    assert_ne!(failed.code, 0);
    assert!(failed.err.contains("bad.csv") && failed.err.contains("`b`"), "{}", failed.err);
    let failed = desk.run("fit wine.csv -k 3 --model m --stream --init rows:1,2,3");
    assert_ne!(failed.code, 0);
    assert!(failed.err.contains("no numbered rows"), "{}", failed.err);
}
