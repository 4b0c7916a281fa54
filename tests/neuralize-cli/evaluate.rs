//! Methods of explanation, compared. What is on a page and in a figure is tested
//! in `tests/report.rs` and `tests/figures.rs`.

use std::fs;

use crate::desk::Desk;

const FEW: &str = "--methods neon,gradient-times-input,occlusion:mean,random --points 40";

/// Lines of a long table by method and measure.
fn values(text: &str) -> Vec<(String, String, f64)> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().expect("a header"), vec!["method", "measure", "value"]);
    let line = |line: csv::Result<csv::StringRecord>| {
        let line = line.expect("a line");
        (line[0].to_owned(), line[1].to_owned(), line[2].parse().expect("a number"))
    };
    reader.records().map(line).collect()
}

#[test]
fn text_csv_and_json_say_the_same() {
    let desk = Desk::with_wine();
    let text = desk.done(&format!("evaluate wine.csv --model model {FEW}"));
    assert!(text.err.contains("columns that are not features of the model are ignored: `target`"));
    assert!(text.out.starts_with("40 points, 13 features, 3 clusters, seed 0\n"), "{}", text.out);
    for name in ["neon", "gradient-times-input", "occlusion:mean", "random"] {
        let line = text.out.lines().find(|line| line.starts_with(&format!("{name} ")));
        assert!(line.is_some(), "no {name} in\n{}", text.out);
    }
    assert!(text.out.contains('*') && text.out.contains("higher is better"), "{}", text.out);
    assert!(!text.out.contains("NaN"), "{}", text.out);
    assert!(text.out.contains("\nTrust `neon` for why a row is in its cluster"), "{}", text.out);
    assert!(!text.out.contains("continuity"), "{}", text.out);
    let all = desk.done(&format!("evaluate wine.csv --model model {FEW} --all-measures"));
    assert!(all.out.contains("continuity") && all.out.contains("\nTrust `neon`"), "{}", all.out);

    desk.done(&format!("evaluate wine.csv --model model {FEW} -o found.json --label target"));
    desk.done(&format!("evaluate wine.csv --model model {FEW} -o found.csv"));
    let json: serde_json::Value = serde_json::from_str(&desk.read("found.json")).expect("JSON");
    assert_eq!((&json["points"], &json["data"]), (&40.into(), &178.into()));
    let found = values(&desk.read("found.csv"));
    let mut count = 0;
    for method in json["methods"].as_array().expect("methods") {
        let (name, own) = (method["name"].as_str(), method["values"].as_object());
        for (measure, value) in own.expect("values") {
            let line = found.iter().find(|line| Some(&*line.0) == name && line.1 == *measure);
            let line = line.unwrap_or_else(|| panic!("no {measure} of {name:?}"));
            // Run times are those of another run.
            if measure != "seconds" {
                assert_eq!(Some(line.2), value.as_f64(), "{line:?}");
            }
            count += 1;
        }
    }
    assert_eq!(found.len(), count);
    let of = |method: &str, measure: &str| {
        found.iter().find(|line| line.0 == method && line.1 == measure).expect("a value").2
    };
    assert!(of("neon", "conservation") < 1e-9, "{found:?}");
    assert!(of("neon", "shift") < 1e-6 && of("gradient-times-input", "shift") > 1e-3);
    assert!(of("neon", "gain-competitor") > of("random", "gain-competitor"), "{found:?}");

    // Another seed, another sample of the points.
    let other = desk.done(&format!("evaluate wine.csv --model model {FEW} --seed 5 --format csv"));
    assert_ne!(values(&other.out), found);
}

#[test]
fn a_page_and_figures() {
    let desk = Desk::with_wine();
    let answer = desk.done(&format!(
        "evaluate wine.csv --model model {FEW} --report compared.html --figures pictures -o out.txt"
    ));
    assert_eq!(answer.out, "");
    assert!(answer.err.contains("report written to compared.html"), "{}", answer.err);
    assert!(answer.err.contains("figures written to pictures"), "{}", answer.err);
    assert!(desk.read("out.txt").starts_with("40 points"));
    let html = desk.read("compared.html");
    assert!(html.starts_with("<!doctype html>") && !html.contains("<script"));
    assert!(html.contains("<h1>wine.csv</h1>") && html.contains("occlusion:<wbr>mean"));
    let names: Vec<String> = fs::read_dir(desk.path("pictures"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".svg"))
        .collect();
    assert_eq!(html.matches("<svg").count(), names.len());
    assert!(names.contains(&"flipping_competitor.svg".to_owned()), "{names:?}");
    assert!(names.contains(&"agreement.svg".to_owned()), "{names:?}");
    assert_eq!(desk.path("pictures/agreement.png").exists(), cfg!(feature = "png"));
}

/// Methods that are not for a model or for its data are named, and the others
/// are compared all the same.
#[test]
fn models_of_every_kind() {
    let desk = Desk::with_wine();
    for how in [
        "fit wine.csv -k 3 --method kmedians",
        "fit wine.csv -k 3 --method kernel",
        "fit wine.csv -k 3 --method gmm",
    ] {
        desk.done(&format!("{how} --scale standard --label target --model other"));
        let found = desk.done(
            "evaluate wine.csv --model other --methods neon,shapley-pair:mean,random --points 8 --format csv",
        );
        assert!(found.err.contains("note: shapley-pair:mean is left out: "), "{}", found.err);
        let lines = values(&found.out);
        assert!(lines.iter().any(|line| line.0 == "neon"), "{how}: {}", found.out);
        assert!(lines.iter().all(|line| line.2.is_finite()), "{how}: {}", found.out);
        assert!(lines.iter().all(|line| line.0 != "shapley-pair:mean"), "{how}");
    }
    desk.done("label wine.csv --labels target --model labelled --scale minmax");
    desk.done(
        "evaluate wine.csv --model labelled --methods neon,random --points 8 --precision f32",
    );
}

#[test]
fn some_rows() {
    let desk = Desk::with_wine();
    let start = "evaluate wine.csv --model model --methods neon,random";
    let one = desk.done(&format!("{start} --rows 70"));
    assert!(one.out.starts_with("1 points, "), "{}", one.out);
    assert!(!one.out.contains("NaN") && !one.out.contains("inf "), "{}", one.out);
    let some = desk.done(&format!("{start} --rows 60-120 --limit 5"));
    assert!(some.out.starts_with("5 points, "), "{}", some.out);
    desk.fails(&format!("{start} --rows 178"), 1, "there is no row 178");
    desk.fails(&format!("{start} --limit 0"), 1, "wine.csv: there are no rows to explain");
    let header = desk.read("wine.csv").lines().next().expect("a header").to_owned();
    desk.write("none.csv", &format!("{header}\n"));
    desk.fails("evaluate none.csv --model model", 1, "none.csv: there are no rows");
}

#[test]
fn wrong_usage() {
    let desk = Desk::with_wine();
    let start = "evaluate wine.csv --model model";
    for (rest, code, says) in [
        ("--methods noen", 2, "gradient-from-boundary"),
        ("--methods neon,,random", 2, "the methods are neon, "),
        ("--points 0", 2, "at least 1"),
        ("-o out.parquet", 2, "not written as .parquet"),
        ("-o out.html", 2, "--report writes a page"),
        ("-o out.txt --report ./out.txt", 2, "is already the destination of the results"),
        ("--report - ", 2, "is already the destination of the results"),
        ("--label kind", 1, "there is no column `kind`"),
        ("--report no/such/folder.html", 1, "no/such"),
    ] {
        desk.fails(&format!("{start} {rest}"), code, says);
    }
    desk.write("narrow.csv", "alcohol\n13\n");
    desk.fails("evaluate narrow.csv --model model", 1, "narrow.csv: there is no column");
    desk.done("outliers wine.csv --drop target --save density -o scores.csv");
    desk.fails("evaluate wine.csv --model density", 1, "density");
    for file in ["out.parquet", "out.html", "out.txt"] {
        assert!(!desk.path(file).exists(), "{file}");
    }
}

/// No command makes a model of one cluster, but it can be saved.
#[cfg(feature = "flex")]
#[test]
fn one_cluster_has_no_competitor() {
    use burn::backend::Flex;
    use burn::tensor::Tensor;
    use neuralize::prelude::*;

    let desk = Desk::new();
    let x = Tensor::<Flex, 2>::from_data([[1.0, 2.0], [3.0, 5.0]], &Default::default());
    let scaler = Scale::None.fit(&x).expect("a scaler");
    let only = KMeans::from_centroids(x.slice([0..1, 0..2])).expect("a model");
    let info = ModelInfo::new(["a", "b"]);
    let model = Model::new(scaler, only, info).expect("a model");
    model.save(desk.path("single")).expect("saved");
    desk.write("t.csv", "a,b\n1,2\n3,5\n");
    desk.fails("evaluate t.csv --model single --precision f32", 1, "no competitor");
}
