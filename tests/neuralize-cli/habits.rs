//! What people and pipelines expect of any command.

use crate::desk::Desk;

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
fn standard_output_has_its_names() {
    let desk = Desk::with_wine();
    let plain = desk.done("predict wine.csv --model model").out;
    for name in ["-", "/dev/stdout"] {
        assert_eq!(desk.done(&format!("predict wine.csv --model model -o {name}")).out, plain);
    }
    assert!(!desk.path("-").exists());
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
    for (arguments, start) in [
        ("explain long.csv --model model --quiet", b"index"),
        ("explain long.csv --model model --quiet --format json", b"[\n{\"i"),
        ("explain long.csv --model model --quiet --format table", b"   in"),
        ("explain long.csv --model model --quiet --format table --sort typical", b"   in"),
        ("predict long.csv --model model --quiet", b"index"),
        ("completions zsh", b"#comp"),
        ("man", b".ie \\"),
    ] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("neuralize"))
            .current_dir(desk.folder.path())
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let mut first = [0; 5];
        child.stdout.take().expect("a pipe").read_exact(&mut first).expect("output");
        let output = child.wait_with_output().expect("an end");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((&first, output.status.code(), &*said), (start, Some(0), ""), "{arguments}");
    }
    // A Parquet file begins when its first row group is full, or at the end.
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("neuralize"))
        .current_dir(desk.folder.path())
        .args(["explain", "long.csv", "--model", "model", "--quiet", "--format", "parquet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}
