//! Pages and figures. What is on a page is tested in `tests/report.rs`, what a
//! browser makes of it in `tests/browser`.

use std::fs;

use crate::desk::{Desk, table};

/// The data of a page.
fn page(html: &str) -> serde_json::Value {
    let (_, rest) = html.split_once("id=\"report-data\">").expect("data");
    let (data, _) = rest.split_once("</script>").expect("an end");
    serde_json::from_str(data).expect("JSON")
}

#[test]
fn the_demonstration_has_a_page_and_figures() {
    let desk = Desk::new();
    let demo = desk.done("demo --report wine.html --figures pictures");
    assert!(demo.err.contains("report written to wine.html"), "{}", demo.err);
    assert!(demo.err.contains("21 figures written to pictures"), "{}", demo.err);
    assert_eq!(demo.out, desk.done("demo").out);
    let html = desk.read("wine.html");
    assert!(html.starts_with("<!doctype html>") || html.starts_with("<!DOCTYPE html>"));
    assert!(html.len() < 3_000_000);
    let page = page(&html);
    assert_eq!((&page["total"], &page["agreeing"]), (&178.into(), &169.into()));
    assert_eq!(page["trust"]["points"], 178);
    assert_eq!(page["model"]["beta"], 1.0);
    let mut names: Vec<String> = fs::read_dir(desk.path("pictures"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".svg"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 3 + 2 * 9);
    for point in [60, 61, 68, 70, 73, 83, 92, 95, 118] {
        let svg = desk.read(&format!("pictures/point_{point}.svg"));
        assert!(svg.contains(&format!("point {point}: cluster ")), "{svg}");
        assert!(names.contains(&format!("waterfall_{point}.svg")));
    }
    assert_eq!(desk.path("pictures/clusters.png").exists(), cfg!(feature = "png"));
}

#[test]
fn a_report_on_ones_own_data() {
    let desk = Desk::with_wine();
    let answer = desk.done("report wine.csv --model model --label target -o why.html");
    assert_eq!(answer.out, "");
    assert!(answer.err.contains("report written to why.html"), "{}", answer.err);
    let found = page(&desk.read("why.html"));
    assert_eq!((&found["title"], &found["label"]), (&"wine.csv".into(), &"target".into()));
    assert_eq!(found["classes"], serde_json::json!(["0", "1", "2"]));
    assert_eq!(found["model"]["scale"], "minmax");
    assert_eq!(found["model"]["beta"], found["model"]["heuristic_beta"]);

    // The same beside the relevances; and without labels there are no classes.
    let explain = desk.done("explain wine.csv --model model --label target --report same.html");
    assert_eq!(explain.out, desk.done("explain wine.csv --model model").out);
    assert!(!explain.err.contains("conservation"), "only --check prints it: {}", explain.err);
    assert_eq!(page(&desk.read("same.html")), found);
    desk.done("report wine.csv --model model -o plain.html --beta inf --quiet");
    let plain = page(&desk.read("plain.html"));
    assert_eq!((&plain["classes"], &plain["agreeing"]), (&().into(), &().into()));
    assert_eq!(plain["model"]["beta"], serde_json::Value::Null);

    // Rows keep their numbers.
    desk.done("explain wine.csv --model model --rows 60-69,100 --report rows.html -o rows.csv");
    let some = page(&desk.read("rows.html"));
    assert_eq!(some["total"], 11);
    let (_, rows) = table(&desk.read("rows.csv"), b',');
    let ambiguous = rows.iter().min_by(|a, b| a[2].total_cmp(&b[2])).expect("rows");
    let cluster = ambiguous[1] as usize;
    assert_eq!(some["clusters"][cluster]["ambiguous"][0], ambiguous[0] as u64);
}

#[test]
fn figures_without_classes_are_of_ambiguous_points() {
    let desk = Desk::with_wine();
    desk.done("report wine.csv --model model -o - --figures figures");
    let out = desk.done("report wine.csv --model model -o - --quiet").out;
    assert_eq!(page(&out)["total"], 178);
    let points = fs::read_dir(desk.path("figures"))
        .expect("a folder")
        .filter(|entry| {
            let name = entry.as_ref().expect("an entry").file_name();
            name.to_string_lossy().starts_with("point_") && name.to_string_lossy().ends_with(".svg")
        })
        .count();
    assert_eq!(points, 3);
}

#[test]
fn a_report_from_standard_input() {
    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    let answer = desk.run_with("report - --model model -o page.html", &wine);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let found = page(&desk.read("page.html"));
    assert_eq!((&found["total"], &found["title"]), (&178.into(), &"standard input".into()));
}

/// Whoever has seen enough of the relevances still gets the page.
#[cfg(unix)]
#[test]
fn a_closed_pipe_does_not_cost_the_page() {
    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    let (header, body) = wine.split_once('\n').expect("lines");
    desk.write("long.csv", &format!("{header}\n{}", body.repeat(60)));
    let binary = assert_cmd::cargo::cargo_bin!("neuralize").display().to_string();
    let line =
        format!("'{binary}' explain long.csv --model model --quiet --report page.html | head -1");
    let output = std::process::Command::new("sh")
        .args(["-c", &line])
        .current_dir(desk.folder.path())
        .output()
        .expect("a shell");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("index,"));
    assert_eq!(page(&desk.read("page.html"))["total"], 60 * 178);

    // And the other way round; a check is told in any case.
    for (line, told) in [
        (
            format!("'{binary}' explain long.csv --model model -o out.csv --report - | head -c 9"),
            "",
        ),
        (
            format!(
                "'{binary}' explain long.csv --model model --sort typical --check --report q.html | head -1"
            ),
            "conservation error",
        ),
    ] {
        let output = std::process::Command::new("sh")
            .args(["-c", &line])
            .current_dir(desk.folder.path())
            .output()
            .expect("a shell");
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{line}");
    }
    assert_eq!(desk.read("out.csv").lines().count(), 60 * 178 + 1);
}

#[test]
fn what_cannot_be_reported_is_refused_in_words() {
    let desk = Desk::with_wine();
    desk.write("page.html", "old");
    desk.write("none.csv", desk.read("wine.csv").lines().next().expect("a header"));
    let report = |rest: &str| format!("report {rest} -o page.html");
    desk.fails(&report("none.csv --model model"), 1, "none.csv: there are no rows to report on");
    desk.fails(&report("wine.csv --model none"), 1, "there is no such model folder");
    desk.fails(&report("wine.csv --model model --label kind"), 1, "there is no column `kind`");
    desk.fails(&report("wine.csv --model model --beta -1"), 2, "at least 0");
    desk.fails("report wine.csv --model model", 2, "--output");
    desk.fails("explain wine.csv --model model --label target", 2, "--report");
    desk.fails(
        "explain wine.csv --model model --report -",
        2,
        "already the destination of the results",
    );
    desk.fails(
        "explain wine.csv --model model -o a.csv --report a.csv",
        2,
        "already the destination",
    );
    desk.fails(
        "explain wine.csv --model model -o a.csv --report ./a.csv",
        2,
        "already the destination",
    );
    desk.fails("explain wine.csv --model model --limit 3 --report a.html", 2, "--limit");
    desk.fails("explain wine.csv --model model -o why.html", 2, "not written as .html");
    // What cannot be written is said before anything else is.
    desk.fails(
        "explain wine.csv --model model -o out.csv --report no/page.html",
        1,
        "no/page.html",
    );
    desk.fails("report wine.csv --model model --figures f -o no/page.html", 1, "no/page.html");
    assert!(!desk.path("out.csv").exists() && !desk.path("f").exists());
    desk.fails("explain wine.csv --model model --versus 1 --report page.html", 2, "--versus");
    desk.write("broken.csv", &desk.read("wine.csv").replace("14.23", "oops"));
    desk.fails(&report("broken.csv --model model"), 1, "`oops` is not a finite number");
    assert_eq!(desk.read("page.html"), "old");
    desk.fails(
        "report wine.csv --model model -o no/such/folder/page.html",
        1,
        "no/such/folder/page.html",
    );
    desk.fails(&report("wine.csv --model model --figures page.html"), 1, "page.html");
    assert_eq!(desk.read("page.html"), "old");
}

/// Data that can be explained but not shifted have a page without a check.
#[test]
fn a_page_without_a_check() {
    let desk = Desk::new();
    desk.write("large.csv", "a,b\n1e152,0\n1.1e152,1e150\n7e152,7e152\n6.9e152,7e152\n");
    desk.done("fit large.csv -k 2 --model m");
    let answer = desk.done("report large.csv --model m -o page.html");
    assert!(answer.err.contains("note: the explanations cannot be checked"), "{}", answer.err);
    assert_eq!(page(&desk.read("page.html"))["trust"], serde_json::Value::Null);
}

/// As Markdown, with groups, and with the choice that a model keeps.
#[test]
fn a_report_for_a_wiki_and_groups() {
    let desk = Desk::with_wine();
    desk.done("fit wine.csv --drop target --scale standard --model chosen -q");
    desk.done("report wine.csv --model chosen -o r.md -q");
    let text = desk.read("r.md");
    for words in ["# wine.csv", "## What each cluster is", "## How many clusters", "| 3 |"] {
        assert!(text.contains(words), "no {words}:\n{text}");
    }
    let group = "--group colour=hue,color_intensity";
    desk.done(&format!("report wine.csv --model chosen -o r.html {group} -q"));
    let found = page(&desk.read("r.html"));
    assert_eq!(found["groups"], serde_json::json!([{"name": "colour", "features": [9, 10]}]));
    assert_eq!(found["choice"]["recommended"], 3);
    let report = "report wine.csv --model chosen -o n.html";
    desk.fails(&format!("{report} --group colour=hue,colour"), 1, "there is no column `colour`");
    desk.fails(&format!("{report} --group colour=hue"), 1, "at least two columns");
    desk.fails(&format!("{report} --group colour"), 2, "give NAME=A,B,..");
    assert!(!desk.path("n.html").exists());
}
