//! Models of every kind, through every command that takes a model.

use std::fs;
use std::path::Path;

use crate::desk::{Desk, table};

const METHODS: [(&str, &str, &str); 10] = [
    ("kmeans", "minmax", "kmeans"),
    ("kmedians", "minmax", "kmeans"),
    ("power=1.5", "minmax", "kmeans"),
    ("mahalanobis", "none", "kmeans"),
    ("bregman-kl", "minmax", "kmeans"),
    ("bregman-is", "none", "kmeans"),
    ("bregman-logistic", "minmax", "kmeans"),
    ("kernel", "minmax", "kernel"),
    ("kernel --prototypes 5", "minmax", "kernel"),
    ("gmm", "standard", "mixture"),
];

/// A reference table of another folder than that of wine.
fn take(desk: &Desk, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference");
    let to = desk.path(Path::new(name).file_name().expect("a name").to_str().expect("text"));
    fs::copy(folder.join(name), to).expect("a reference file");
}

/// Contributions of every row sum to its logit; how far the worst misses, as a
/// part of their magnitude.
fn missed(rows: &[Vec<f64>], first: usize) -> f64 {
    let missed = rows.iter().map(|row| {
        let size: f64 = row[first..].iter().map(|value| value.abs()).sum();
        (row[first..].iter().sum::<f64>() - row[first - 1]).abs() / size.max(1e-300)
    });
    missed.fold(0.0, f64::max)
}

#[test]
fn every_method_predicts_explains_and_reports() {
    let desk = Desk::with_wine();
    for (method, scale, kind) in METHODS {
        let fit = format!("fit wine.csv -k 3 --method {method} --scale {scale} --label target");
        let said = desk.done(&format!("{fit} --model m")).err;
        assert!(said.contains("178 rows of 13 features in 3 clusters of"), "{method}: {said}");
        let agreeing =
            said.split("nearly one to one, ").nth(1).and_then(|rest| rest.split(' ').next());
        let agreeing: usize = agreeing.expect("a number").parse().expect("a number");
        assert!(agreeing > 155, "{method}: {said}");

        let inspected = desk.done("inspect m").out;
        assert!(inspected.contains(&format!("kind       {kind}\n")), "{method}: {inspected}");

        let (_, predicted) = table(&desk.done("predict wine.csv --model m").out, b',');
        for beta in ["auto", "0", "inf"] {
            let explained = desk.done(&format!("explain wine.csv --model m --beta {beta}")).out;
            let (header, rows) = table(&explained, b',');
            assert!(missed(&rows, 3) < 1e-9, "{method}, beta {beta}: {}", missed(&rows, 3));
            let clusters = |rows: &[Vec<f64>]| rows.iter().map(|row| row[1]).collect::<Vec<_>>();
            assert_eq!(clusters(&rows), clusters(&predicted), "{method}");
            // From the boundary, every part of a logit belongs to a feature.
            assert_eq!(header.len(), 16, "{method}");
        }
        let checked = desk.done("explain wine.csv --model m --versus 0 --check --limit 5").err;
        assert!(checked.contains("checked 5 points"), "{method}: {checked}");
        desk.done("report wine.csv --model m --label target -o page.html --figures figures");
        let page = desk.read("page.html");
        assert!(page.contains("neuralize-report"), "{method}");
    }
}

#[test]
fn labels_become_a_model() {
    let desk = Desk::new();
    take(&desk, "rings/rings.csv");
    let said = desk.done("label rings.csv --labels cluster --drop hdbscan --model m").err;
    assert!(said.contains("in 3 clusters of") && said.contains("(labels 0, 1, 2)"), "{said}");
    let share = said.split("assigns ").nth(1).and_then(|rest| rest.split(' ').next());
    let share: f64 = share.expect("a share").parse().expect("a number");
    assert!(share >= 99.0, "{said}");
    let inspected = desk.done("inspect m").out;
    assert!(inspected.contains("kind       labels\n"), "{inspected}");
    assert!(inspected.contains("labels     0 = 0, 1 = 1, 2 = 2\n"), "{inspected}");

    // What DBSCAN said, noise aside, and a row's own support left out or not.
    let (_, data) = table(&desk.read("rings.csv"), b',');
    let plain = desk.done("explain rings.csv --model m").out;
    for precision in ["f32", "f64"] {
        let left = format!("explain rings.csv --model m --leave-one-out --precision {precision}");
        let (_, left) = table(&desk.done(&left).out, b',');
        let (_, plain) = table(&plain, b',');
        let moved = left.iter().zip(&plain).filter(|(a, b)| (a[2] - b[2]).abs() > 1e-4 * b[2]);
        assert!(moved.count() > 300, "{precision}: own supports are not found");
    }
    for option in ["", "--leave-one-out"] {
        let out = desk.done(&format!("explain rings.csv --model m {option}")).out;
        let (_, rows) = table(&out, b',');
        let labelled = data.iter().zip(&rows).filter(|(point, _)| point[2] >= 0.0);
        let (agreeing, all) = labelled.fold((0, 0), |(agreeing, all), (point, row)| {
            (agreeing + usize::from(point[2] == row[1]), all + 1)
        });
        assert!(100 * agreeing >= 99 * all, "{agreeing} of {all}");
        assert!(missed(&rows, 3) < 1e-9, "{}", missed(&rows, 3));
    }
    let pairwise = desk.done("explain rings.csv --model m --rule pairwise --limit 3").out;
    assert!(pairwise.starts_with("index,cluster,logit,x,y,(ties)\n"), "{pairwise}");
    let summed = desk.done("explain rings.csv --model m --rule summed --limit 3").out;
    assert!(summed.starts_with("index,cluster,logit,x,y,(entropy)\n"), "{summed}");
    assert!(desk.done("explain rings.csv --model m").out.starts_with("index,cluster,logit,x,y\n"));
    for (root, moves) in [("toward", false), ("near", true), ("midway", true), ("0.5", true)] {
        let (_, rows) =
            table(&desk.done(&format!("explain rings.csv --model m --root {root}")).out, b',');
        assert!(missed(&rows, 3) < 1e-9, "{root}: {}", missed(&rows, 3));
        let (_, plain) = table(&plain, b',');
        let moved = rows.iter().zip(&plain).any(|(a, b)| (a[3] - b[3]).abs() > 1e-3 * b[2]);
        assert_eq!(moved, moves, "{root}");
    }
    desk.fails("explain rings.csv --model m --rule summed --root near", 2, "only `--rule secant`");
    desk.fails("explain rings.csv --model m --root 1.5", 2, "a number from 0 to 1");
    desk.done("label rings.csv --labels cluster --drop hdbscan --model inf --gamma inf");
    assert!(desk.done("inspect inf").out.contains("gamma      inf\n"));
    desk.done("label rings.csv --labels cluster --drop hdbscan --model m --prototypes 12");
    assert!(desk.done("inspect m").out.contains("supports   36\n"));

    // Names that are no numbers, and a noise of another name.
    let names = "x,y,kind\n0,0,red\n0,1,red\n9,9,blue\n9,8,blue\n5,5,none\n";
    desk.write("names.csv", names);
    let said = desk.done("label names.csv --labels kind --noise none --model n").err;
    assert!(
        said.contains("4 rows of 2 features in 2 clusters of 2, 2 (labels blue, red)"),
        "{said}"
    );
    assert!(said.contains("1 row of noise left out"), "{said}");
    let out = desk.done("predict names.csv --model n").out;
    assert!(out.starts_with("index,cluster,logit,probability\n0,red,"), "{out}");
    let json = desk.done("explain names.csv --model n --cluster blue --limit 1 --format json").out;
    assert!(json.contains("\"cluster\":\"blue\""), "{json}");
    desk.done("explain names.csv --model n --versus red -o n.parquet");
    assert!(desk.done("explain names.csv --model n --format table").out.contains("  blue   "));
    desk.fails(
        "explain names.csv --model n --versus 0",
        2,
        "--versus 0: the clusters of the model are blue, red",
    );
    desk.fails(
        "explain names.csv --model n --cluster x",
        2,
        "--cluster x: the clusters of the model",
    );
    desk.done("report names.csv --model n -o names.html");
    assert!(desk.read("names.html").contains("In cluster red rather than blue"));
    // Noise as other programs write it, and rows without a label.
    desk.write("floats.csv", "x,y,kind\n0,0,1.0\n0,1,1.0\n9,9,0.0\n9,8,0.0\n5,5,-1.0\n4,4,\n");
    let said = desk.done("label floats.csv --labels kind --model f").err;
    assert!(said.contains("(labels 0, 1), 2 rows of noise left out"), "{said}");
}

#[test]
fn outliers_are_scored_and_explained() {
    let desk = Desk::new();
    take(&desk, "moons/moons.csv");
    let mut text = desk.read("moons.csv");
    text += "0.5,9,0\n";
    desk.write("far.csv", &text);
    let out = desk.done("outliers far.csv --drop moon").out;
    let (header, rows) = table(&out, b',');
    assert_eq!(header, ["index", "score", "x", "y"]);
    assert_eq!((rows.len(), rows[0][0]), (401, 400.0));
    assert!(rows[0][3] > 0.95 * rows[0][1], "{:?}", rows[0]);
    assert!(rows.windows(2).all(|pair| pair[0][1] >= pair[1][1]));
    assert!(missed(&rows, 2) < 1e-9);

    // A model of the moons alone, and new points against it.
    desk.done("outliers moons.csv --drop moon --save d -o scores.csv --sort row");
    assert!(desk.done("inspect d").out.contains("kind       density\n"));
    desk.write("new.csv", "y,x\n0.2,0.1\n7,0\n");
    let (_, rows) = table(&desk.done("outliers new.csv --model d --sort row").out, b',');
    assert!(rows[1][1] > 20.0 * rows[0][1], "{rows:?}");
    let shown = desk.done("outliers new.csv --model d --format table --top 1").out;
    assert!(shown.starts_with("   index     score  strongest features\n       1"), "{shown}");
    let json = desk.done("outliers new.csv --model d --format json").out;
    assert!(json.starts_with("[\n{\"index\":1,\"score\":") && !json.contains("cluster"), "{json}");
    desk.done("outliers new.csv --model d -o new.parquet");

    // Models of one kind are not those of another.
    desk.fails("explain new.csv --model d", 1, "scores outliers and has no clusters");
    desk.done("fit moons.csv -k 2 --drop moon --model m");
    desk.fails("outliers new.csv --model m", 1, "is a model of clusters");
}

#[test]
fn what_a_method_is_not_made_for_is_refused() {
    let desk = Desk::new();
    desk.write("t.csv", "a,b\n1,2\n3,-4\n5,6\n0,1\n");
    let fit = |rest: &str, code: i32, says: &str| {
        desk.fails(&format!("fit t.csv -k 2 --model m {rest}"), code, says);
        assert!(!desk.path("m").exists(), "{rest} left a model");
    };
    fit("--method bregman-kl", 1, "t.csv, row 1 (counted from 0), column `b`: -4");
    fit("--method bregman-is --drop b", 1, "column `a`: 0");
    fit("--method bregman-logistic", 1, "column");
    fit("--method dbscan", 2, "give `kmeans`, `kmedians`");
    fit("--method power=0.5", 2, "1 to 16");
    fit("--method kernel --init random", 2, "--init can only be used with --method");
    fit("--method gmm --gamma 1", 2, "--gamma can only be used with --method kernel");
    fit("--method kmedians --stream", 2, "--stream can only be used with --method kmeans");
    fit("--method kmedians --smoothing 1", 2, "--smoothing can only be used with --method");
    fit("--method kernel --gamma -1", 2, "give `auto`");
    fit("--method kernel --gamma 1 -k 9", 2, "cannot be used multiple times");
    for method in ["kernel", "gmm", "kmedians"] {
        desk.fails(&format!("fit t.csv -k 9 --method {method} --model m"), 1, "9 clusters need");
    }
    desk.fails("label t.csv --labels c --model m", 1, "there is no column `c`");
    desk.write("one.csv", "a,kind\n1,x\n2,x\n3,-1\n");
    desk.fails("label one.csv --labels kind --model m", 1, "column `kind` has 1 cluster;");
    desk.write("none.csv", "a,kind\n1,-1\n");
    desk.fails("label none.csv --labels kind --model m", 1, "column `kind` has 0 clusters;");
    desk.fails("label t.csv --labels a --model m --gamma 0", 2, "a positive number");
    desk.write("alone.csv", "a\n1\n");
    desk.fails("outliers alone.csv", 1, "the table has only one row");
    desk.fails("outliers t.csv --perplexity 0", 2, "above 0, at most 1");
    desk.fails("outliers t.csv --supports 0", 2, "at least 1");
    fit("--method kernel --prototypes 0", 2, "at least 1");
    fit("--restarts 0", 2, "at least 1");
    desk.write("equal.csv", "a\n1\n1\n1\n1\n");
    // Points without a scale are compared with the nearest other one.
    assert!(desk.done("outliers equal.csv").err.contains("--gamma inf"));
    desk.done("fit t.csv -k 2 --model k");
    desk.fails(
        "explain t.csv --model k --leave-one-out",
        2,
        "--leave-one-out: k is not a model of points",
    );
    desk.fails("explain t.csv --model k --rule pairwise", 2, "--rule: k is not a model of points");
    let neon = desk.done("explain t.csv --model k").out;
    assert_eq!(desk.done("explain t.csv --model k --root midway").out, neon);
    assert_ne!(desk.done("explain t.csv --model k --root toward --check").out, neon);
    desk.done("fit t.csv -k 2 --method gmm --model g");
    let header = |rule: &str| {
        let out = desk.done(&format!("explain t.csv --model g {rule}")).out;
        out.lines().next().map(str::to_string).unwrap_or_default()
    };
    assert!(!header("").contains('('));
    assert!(header("--rule summed").ends_with(",(prior),(variance)"));
    assert!(!header("--root midway").contains('('));
    desk.fails("explain t.csv --model g --rule pairwise", 2, "g is not a model of points");
    desk.done("fit t.csv -k 2 --method kmedians --model s");
    desk.fails("explain t.csv --model s --root toward", 2, "--root: s is not a model of squared");
}
