//! Ctrl-C and its relatives, at any moment.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::desk::Desk;

fn start(desk: &Desk, arguments: &str) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("neuralize"))
        .current_dir(desk.folder.path())
        .args(arguments.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs")
}

/// Sends the signal and waits for the end, which comes at once.
fn interrupt(mut child: Child, signal: &str) -> (i32, String, Output) {
    let running = child.try_wait().expect("a state").is_none();
    assert!(running, "it ended before the signal");
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("`kill` runs").success());
    let start = Instant::now();
    let stdin = child.stdin.take();
    let output = child.wait_with_output().expect("an end");
    drop(stdin);
    assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("an exit code"), said, output)
}

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < Duration::from_secs(60), "never {what}");
        sleep(Duration::from_millis(10));
    }
}

fn has_temporary(desk: &Desk) -> bool {
    desk.names().iter().any(|name| name.starts_with(".neuralize-"))
}

#[test]
fn a_long_fit_is_interrupted() {
    let desk = Desk::new();
    let cell = |i: usize| format!("{:.3}", ((i * i) as f64 * 0.37).sin());
    let row = |i: usize| (0..6).map(|j| cell(6 * i + j)).collect::<Vec<_>>().join(",");
    let rows = (0..20_000).map(row).collect::<Vec<_>>().join("\n");
    desk.write("data.csv", &format!("a,b,c,d,e,f\n{rows}\n"));
    let before = desk.names();
    // A test under `nohup` has this signal ignored, and so has the command.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let hears =
        ignored.is_some_and(|mask| mask.trim().ends_with(['0', '2', '4', '6', '8', 'a', 'c', 'e']));
    let hangup = hears.then_some(("-HUP", 129));
    for (signal, code) in [("-INT", 130), ("-TERM", 143)].into_iter().chain(hangup) {
        let child =
            start(&desk, "fit data.csv -k 200 --restarts 100000 --tol 0 --model deep/er/model");
        sleep(Duration::from_millis(1500));
        let (found, said, output) = interrupt(child, signal);
        assert_eq!(found, code);
        assert!(said.ends_with("\ninterrupted; nothing was written\n"), "{said}");
        assert!(output.stdout.is_empty());
        assert_eq!(desk.names(), before);
    }
}

#[test]
fn an_interrupted_explanation_leaves_the_old_file() {
    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    let (header, body) = wine.split_once('\n').expect("lines");
    desk.write("big.csv", &format!("{header}\n{}", body.repeat(2000)));
    desk.write("out.csv", "old");
    let before = desk.names();
    for format in ["csv", "json", "parquet"] {
        let arguments = format!("explain big.csv --model model -q --format {format} -o out.csv");
        let child = start(&desk, &arguments);
        until("begun", || has_temporary(&desk));
        sleep(Duration::from_millis(100));
        let (code, said, _) = interrupt(child, "-INT");
        assert_eq!((code, said.as_str()), (130, "interrupted; nothing was written\n"), "{format}");
        assert_eq!(desk.names(), before);
        assert_eq!(desk.read("out.csv"), "old");
    }
}

#[test]
fn waiting_for_standard_input_is_interrupted() {
    let desk = Desk::with_wine();
    let before = desk.names();
    for command in ["predict - --model model -o out.csv", "fit - -k 3 --model new/model"] {
        let mut child = start(&desk, command);
        let wine = desk.read("wine.csv");
        let stdin = child.stdin.as_mut().expect("a pipe");
        stdin.write_all(wine.as_bytes()).and_then(|()| stdin.flush()).expect("written");
        sleep(Duration::from_millis(700));
        let (code, said, _) = interrupt(child, "-INT");
        assert_eq!(code, 130, "{said}");
        assert!(said.ends_with("interrupted; nothing was written\n"), "{said}");
        assert_eq!(desk.names(), before, "{command}");
    }
}

/// What went to standard output cannot be taken back, and that is said.
#[test]
fn interrupted_results_on_standard_output_are_not_complete() {
    use std::io::Read;

    let desk = Desk::with_wine();
    let wine = desk.read("wine.csv");
    let mut child = start(&desk, "explain - --model model -q");
    let (header, body) = wine.split_once('\n').expect("lines");
    let text = format!("{header}\n{}", body.repeat(400));
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || {
        // It stays open: the command waits for more.
        stdin.write_all(text.as_bytes()).map(|()| stdin)
    });
    let mut first = [0; 5];
    let stdout = child.stdout.as_mut().expect("a pipe");
    stdout.read_exact(&mut first).expect("output");
    assert_eq!(&first, b"index");
    let (code, said, _) = interrupt(child, "-INT");
    assert_eq!((code, said.as_str()), (130, "interrupted; the results are not complete\n"));
    // The end of the command may have come before it had read everything.
    let _ = writer.join();
}

/// Outliers of many rows take long, which is said before they do.
#[test]
fn long_scores_are_said_beforehand_and_interrupted() {
    let desk = Desk::new();
    let cell = |i: usize| format!("{:.3}", ((i * i) as f64 * 0.37).sin());
    let row = |i: usize| (0..4).map(|j| cell(4 * i + j)).collect::<Vec<_>>().join(",");
    let rows = (0..60_000).map(row).collect::<Vec<_>>().join("\n");
    desk.write("data.csv", &format!("a,b,c,d\n{rows}\n"));
    desk.write("out.csv", "old");
    let before = desk.names();
    let mut child = start(&desk, "outliers data.csv -o out.csv");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let note = "note: to score 60000 rows against 60000 takes about ";
    let said = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with(note));
    let said = said.expect("an estimate");
    assert!(said.contains("; --supports 2000 scores against so many of them, in about "), "{said}");
    assert!(has_temporary(&desk));
    let (code, _, _) = interrupt(child, "-INT");
    assert_eq!(code, 130);
    assert_eq!(
        lines.map_while(Result::ok).last().as_deref(),
        Some("interrupted; nothing was written")
    );
    assert_eq!(desk.names(), before);
    assert_eq!(desk.read("out.csv"), "old");
}
