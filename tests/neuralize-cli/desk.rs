//! Where the tests work.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder of its own for every test, and the command run in it.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A desk with the wine data and a model fitted to them.
    pub(crate) fn with_wine() -> Self {
        let desk = Self::new();
        desk.done("demo --out .");
        desk.done(
            "fit wine.csv -k 3 --model model --scale minmax --label target --init rows:98,149,54",
        );
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    /// A copy of a file that another program wrote.
    pub(crate) fn take(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/formats");
        fs::copy(folder.join(name), self.path(name)).expect("a reference file");
    }

    /// A copy of a table with a trouble of real ones; its name on the desk.
    pub(crate) fn take_case(&self, name: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/cases");
        let short = name.replace('/', "-");
        fs::copy(folder.join(name), self.path(&short)).expect("a case");
        short
    }

    /// Names of the files and folders on the desk.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name());
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).expect("an entry").to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn run(&self, arguments: &str) -> Answer {
        self.run_with(arguments, "")
    }

    /// With a text on standard input.
    pub(crate) fn run_with(&self, arguments: &str, input: &str) -> Answer {
        let mut command: Command = assert_cmd::cargo::cargo_bin_cmd!("neuralize");
        let output = command
            .current_dir(self.folder.path())
            .args(arguments.split_whitespace())
            .write_stdin(input)
            .output()
            .expect("the command runs");
        Answer {
            code: output.status.code().expect("no signal"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    pub(crate) fn done(&self, arguments: &str) -> Answer {
        let answer = self.run(arguments);
        assert_eq!(answer.code, 0, "{arguments}: {}", answer.err);
        answer
    }

    /// A failure: nothing on standard output, and the message on standard error.
    pub(crate) fn fails(&self, arguments: &str, code: i32, says: &str) {
        let answer = self.run(arguments);
        assert_eq!(answer.code, code, "{arguments}: {}", answer.err);
        assert!(answer.err.contains(says), "{arguments}: {}", answer.err);
        assert!(!answer.err.contains("panicked"), "{arguments}: {}", answer.err);
        assert_eq!(answer.out, "", "{arguments}");
    }
}

/// A CSV text as text: header and rows.
pub(crate) fn cells(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let row = |row: csv::Result<csv::StringRecord>| -> Vec<String> {
        row.expect("a row").iter().map(str::to_owned).collect()
    };
    (header, reader.records().map(row).collect())
}

/// Header and rows of a CSV text.
pub(crate) fn table(text: &str, delimiter: u8) -> (Vec<String>, Vec<Vec<f64>>) {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|row| row.expect("a row").iter().map(|cell| cell.parse().expect("a number")).collect())
        .collect();
    (header, rows)
}

pub(crate) fn reference(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/wine");
    fs::read_to_string(folder.join(name)).expect("a reference file")
}
