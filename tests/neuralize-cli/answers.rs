//! What the command answers.

use assert_cmd::Command;

use crate::desk::{Desk, reference, table};

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
    assert!(
        turned.err.contains("note: columns that are not features of the model are ignored: `id`")
    );
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
fn features_may_be_named_like_columns_of_the_results() {
    let desk = Desk::new();
    desk.write("t.csv", "index,logit\n0,0\n1,0\n9,9\n8,9\n");
    desk.done("fit t.csv -k 2 --model m --columns index,logit");
    let out = desk.done("explain t.csv --model m").out;
    assert!(out.starts_with("index,cluster,logit,index (feature),logit (feature)\n"), "{out}");
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
