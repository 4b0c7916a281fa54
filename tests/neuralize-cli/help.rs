//! What the command says of itself.

use std::process::Command;

use crate::desk::Desk;

/// Names of all subcommands, as the help lists them.
fn subcommands(desk: &Desk) -> Vec<String> {
    let help = desk.done("help").out;
    let (_, list) = help.split_once("Commands:\n").expect("a list");
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

/// Every example of every help, as it is printed, does what it says.
#[cfg(unix)]
#[test]
fn examples_work() {
    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    desk.write("new.csv", &wine);
    desk.write("data.csv", &wine);
    let centroids: Vec<&str> = wine.lines().take(4).collect();
    desk.write("centroids.csv", &(centroids.join("\n") + "\n"));
    let binary = std::path::Path::new(assert_cmd::cargo::cargo_bin!("neuralize"));
    let folder = binary.parent().expect("a folder").display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());

    let names = subcommands(&desk);
    assert!(names.len() >= 8, "{names:?}");
    let mut helps: Vec<String> = names.iter().map(|name| format!("help {name}")).collect();
    helps.push("--help".into());
    for help in helps {
        let text = desk.done(&help).out;
        let examples: Vec<&str> =
            text.lines().filter_map(|line| line.trim().strip_prefix("Example: ")).collect();
        assert!(!examples.is_empty(), "no example in `{help}`");
        for example in examples {
            assert!(example.contains("neuralize "), "{example}");
            let output = Command::new("sh")
                .args(["-c", &format!("set -e; {example}")])
                .current_dir(desk.folder.path())
                .env("PATH", &path)
                .output()
                .expect("a shell");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{example}: {said}");
        }
    }
    for written in
        ["wine", "clusters.csv", "relevance.csv", "neuralize.bash", "neuralize.1", "man1"]
    {
        assert!(desk.path(written).exists(), "no {written}");
    }
}

#[test]
fn shells_and_man_know_every_subcommand() {
    let desk = Desk::new();
    let names = subcommands(&desk);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.done(&format!("completions {shell}")).out;
        for name in &names {
            assert!(script.contains(name.as_str()), "{shell}: no {name}");
        }
        assert!(script.contains("versus"), "{shell}");
    }
    desk.fails("completions tcsh", 2, "tcsh");

    let page = desk.done("man").out;
    assert!(page.contains(".TH neuralize 1"), "{page}");
    desk.done("man --out pages/man1");
    let mut expected: Vec<String> =
        names.iter().map(|name| format!("neuralize-{name}.1")).collect();
    expected.push("neuralize.1".into());
    expected.sort();
    let folder = std::fs::read_dir(desk.path("pages/man1")).expect("a folder");
    let mut found: Vec<String> = folder
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(desk.read("pages/man1/neuralize.1"), page);
    assert!(desk.read("pages/man1/neuralize-explain.1").contains(".TH neuralize-explain 1"));
    desk.write("file", "");
    desk.fails("man --out file", 1, "file");
}
