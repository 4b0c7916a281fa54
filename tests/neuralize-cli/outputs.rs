//! Where results must not go: over what is read, or into it.

use std::fs;

use crate::desk::Desk;

const REPLACES: &str = "would replace what is read";
const BECOMES: &str = "would become a part of what is read";

/// A table in folders `key=value`, and a model of it.
fn with_parts() -> Desk {
    let desk = Desk::new();
    for (part, rows) in [("d/y=1", "0,0\n1,0\n"), ("d/y=2", "9,9\n8,9\n")] {
        fs::create_dir_all(desk.path(part)).expect("a folder");
        desk.write(&format!("{part}/a.csv"), &format!("a,b\n{rows}"));
    }
    desk.done("fit d -k 2 --drop y --model m");
    desk
}

#[test]
fn parts_of_a_folder_are_not_replaced() {
    let desk = with_parts();
    let part = desk.read("d/y=1/a.csv");
    for command in ["predict d --model m", "explain d --model m", "outliers d --drop y"] {
        for (output, says) in
            [("d/y=1/a.csv", REPLACES), ("d/y=1/b.csv", BECOMES), ("d/part-2.csv", BECOMES)]
        {
            desk.fails(&format!("{command} -o {output}"), 2, says);
        }
    }
    assert_eq!(desk.read("d/y=1/a.csv"), part);
    assert!(!desk.path("d/part-2.csv").exists());
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("d/new.csv", desk.path("link.csv")).expect("a link");
        desk.fails("predict d --model m -o link.csv", 2, BECOMES);
    }
    // Not a part, and not read.
    desk.done("predict d --model m -o d/_clusters.csv");
    desk.done("predict d --model m -o clusters.csv");
    assert_eq!(desk.read("clusters.csv"), desk.read("d/_clusters.csv"));
}

#[test]
fn folders_do_not_become_parts() {
    let desk = with_parts();
    for command in [
        "fit d -k 2 --drop y --model d",
        "fit d -k 2 --drop y --model d/y=1",
        "fit d -k 2 --drop y --model d/new=1",
        "label d --labels y --model d",
        "import d --beta 1 --model d/y=2",
        "import m.csv --data d --model d",
        "outliers d --drop y --save d/y=1",
        "profile d --model m --figures d",
        "report d --model m -o page.html --figures d/y=1",
        "evaluate d --model m --figures d",
        "choose d --figures d",
    ] {
        desk.fails(command, 2, BECOMES);
    }
    assert!(!desk.path("d/config.json").exists() && !desk.path("d/new=1").exists());
    // A folder of another name is not read.
    desk.done("fit d -k 2 --drop y --model d/model");
    desk.done("predict d --model d/model");
}

/// `neuralize predict - -o t.csv < t.csv`
#[cfg(target_os = "linux")]
#[test]
fn what_standard_input_reads_is_not_replaced() {
    use std::process::{Command, Stdio};

    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    for (output, code) in [("wine.csv", 2), ("clusters.csv", 0)] {
        let input = fs::File::open(desk.path("wine.csv")).expect("a file");
        let found = Command::new(assert_cmd::cargo::cargo_bin!("neuralize"))
            .current_dir(desk.folder.path())
            .args(["predict", "-", "--model", "model", "-o", output])
            .stdin(Stdio::from(input))
            .output()
            .expect("the command runs");
        let said = String::from_utf8_lossy(&found.stderr);
        assert_eq!(found.status.code(), Some(code), "{said}");
        assert_eq!(said.contains(REPLACES), code == 2, "{said}");
    }
    assert_eq!(desk.read("wine.csv"), wine);
    assert!(desk.path("clusters.csv").exists());
}

#[test]
fn files_of_models_are_not_replaced() {
    let desk = Desk::with_wine();
    desk.done("fit wine.csv -k 2 --drop target --model other");
    let config = desk.read("other/config.json");
    let record = fs::read_dir(desk.path("other")).expect("a folder");
    let record = record
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .find(|name| name.ends_with(".bpk"))
        .expect("a record");
    let over_record = format!("predict wine.csv --model model --format csv -o other/{record}");
    let says = "is a file of a model; name another file";
    for command in [
        "predict wine.csv --model model --format csv -o other/config.json",
        "outliers wine.csv --drop target -o other/config.json",
        "choose wine.csv --drop target -o other/config.json",
        "report wine.csv --model model --format html -o other/config.json",
        "evaluate wine.csv --model model --report other/config.json",
        over_record.as_str(),
    ] {
        desk.fails(command, 2, says);
    }
    assert_eq!(desk.read("other/config.json"), config);
    desk.done("predict wine.csv --model other");

    // New files beside a model are not files of it, nor is another program's config.json.
    desk.done("predict wine.csv --model model -o model/clusters.csv");
    fs::create_dir(desk.path("mine")).expect("a folder");
    desk.write("mine/config.json", "{}");
    desk.done("predict wine.csv --model model -o mine/config.json");
    desk.fails("outliers wine.csv --save new -o new/config.json", 2, "already the destination");
}
