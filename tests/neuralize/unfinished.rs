//! The end of a process with files half-written: a process of its own, since it
//! concerns every file that the process writes.

use std::fs;
use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use neuralize::data::{AtomicFile, rollback_all};

#[test]
fn unfinished_files_are_removed_and_none_is_begun() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let count = || fs::read_dir(folder.path()).map(Iterator::count);
    fs::write(path("old"), "old")?;
    AtomicFile::create(path("done"))?.finish()?;
    let mut replacing = AtomicFile::create(path("old"))?;
    replacing.write_all(b"new")?;
    let other = AtomicFile::create(path("other"))?;
    assert_eq!(count()?, 4);

    let guard = rollback_all();
    assert_eq!(guard.committed(), 1);
    assert_eq!(count()?, 2);
    assert_eq!(fs::read_to_string(path("old"))?, "old");

    let (begun, waits) = mpsc::channel();
    let late = path("late");
    let thread = thread::spawn(move || {
        let finished = replacing.finish();
        let file = AtomicFile::create(late).and_then(AtomicFile::finish);
        begun.send((finished.is_err(), file.is_ok()))
    });
    assert!(waits.recv_timeout(Duration::from_millis(300)).is_err(), "it did not wait");
    drop(guard);
    assert_eq!(waits.recv_timeout(Duration::from_secs(60))?, (true, true));
    thread.join().map_err(|_| "it panicked")??;
    drop(other);
    assert_eq!(count()?, 3);
    Ok(())
}
