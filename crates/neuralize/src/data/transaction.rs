//! Files and folders that appear together or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// The files and folders of all open transactions of this process.
static PENDING: Mutex<Pending> = Mutex::new(Pending { paths: Vec::new(), committed: 0 });

struct Pending {
    paths: Vec<PathBuf>,
    committed: usize,
}

/// Files and folders created so far. They are removed when this is dropped, or by
/// [`rollback_all`], unless they are committed together.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    /// In the order in which they were created.
    paths: Vec<PathBuf>,
}

/// While this lives, no file is created or put in place: threads that try wait.
#[must_use = "files can be created again when this is dropped"]
pub struct RollbackGuard {
    pending: MutexGuard<'static, Pending>,
}

/// Removes all files of this process that are not complete yet: temporary files,
/// and the files and new folders of a model of which a part is missing. No file
/// is created or put in place until the guard is dropped.
///
/// Meant for programs that exit at once, such as from the thread that receives a
/// signal; otherwise an [`AtomicFile`](crate::data::AtomicFile) cleans up when it
/// is dropped.
pub fn rollback_all() -> RollbackGuard {
    let mut pending = lock();
    for path in std::mem::take(&mut pending.paths).iter().rev() {
        remove(path);
    }
    RollbackGuard { pending }
}

impl RollbackGuard {
    /// Number of files that this process has completed; they stay.
    pub fn committed(&self) -> usize {
        self.pending.committed
    }
}

impl Transaction {
    /// Creates a folder and its parents, if they do not exist.
    pub(crate) fn folder(path: &Path) -> Result<Self> {
        let mut pending = lock();
        let mut created = Self::default();
        let missing: Vec<&Path> = path.ancestors().take_while(|above| !exists(above)).collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => created.add(&mut pending, folder.to_path_buf()),
                // Another process was faster.
                Err(_) if folder.is_dir() => {}
                Err(error) => {
                    drop(pending);
                    return Err(Error::io(path)(error));
                }
            }
        }
        Ok(created)
    }

    /// Creates a file that belongs to the transaction from the first moment.
    pub(crate) fn file<T>(
        create: impl FnOnce() -> io::Result<T>,
        path: impl FnOnce(&T) -> PathBuf,
    ) -> io::Result<(T, Self)> {
        let mut pending = lock();
        let file = create()?;
        let mut transaction = Self::default();
        transaction.add(&mut pending, path(&file));
        Ok((file, transaction))
    }

    /// Puts a file in its place by `place`. If it is new there, it belongs to this transaction.
    /// `temporary` then has no files left to remove.
    pub(crate) fn place<T, E>(
        &mut self,
        path: &Path,
        temporary: Self,
        place: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut pending = lock();
        let is_new = !exists(path);
        let placed = place()?;
        temporary.forget(&mut pending);
        if is_new {
            self.add(&mut pending, path.to_path_buf());
        }
        Ok(placed)
    }

    /// Puts the last file in its place by `place`, and keeps everything.
    pub(crate) fn commit<T, E>(self, place: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut pending = lock();
        let placed = match place() {
            Ok(placed) => placed,
            Err(error) => {
                // `drop(self)` takes the lock itself.
                drop(pending);
                return Err(error);
            }
        };
        pending.committed += 1;
        self.forget(&mut pending);
        Ok(placed)
    }

    /// Joins both transactions.
    pub(crate) fn and(mut self, mut other: Self) -> Self {
        self.paths.append(&mut other.paths);
        self
    }

    fn add(&mut self, pending: &mut Pending, path: PathBuf) {
        pending.paths.push(path.clone());
        self.paths.push(path);
    }

    fn forget(mut self, pending: &mut Pending) {
        for path in std::mem::take(&mut self.paths) {
            pending.paths.retain(|known| *known != path);
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.paths.is_empty() {
            return;
        }
        let mut pending = lock();
        for path in std::mem::take(&mut self.paths).into_iter().rev() {
            if let Some(at) = pending.paths.iter().rposition(|known| *known == path) {
                pending.paths.remove(at);
                remove(&path);
            }
        }
    }
}

fn lock() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn exists(path: &Path) -> bool {
    path == Path::new("") || fs::symlink_metadata(path).is_ok()
}

/// Removes a folder only if it is empty: other files in it stay.
fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::AtomicFile;

    type TestResult = std::result::Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn files_stay_only_if_the_last_is_placed() -> TestResult {
        let desk = tempfile::tempdir()?;
        let folder = desk.path().join("a/b");
        let mut transaction = Transaction::folder(&folder)?;
        AtomicFile::write_in(&mut transaction, &folder.join("record"), b"1")?;
        assert!(folder.join("record").exists());
        drop(transaction);
        assert_eq!(fs::read_dir(desk.path())?.count(), 0);

        let mut transaction = Transaction::folder(&folder)?;
        AtomicFile::write_in(&mut transaction, &folder.join("record"), b"1")?;
        AtomicFile::write_last(transaction, &folder.join("config"), b"2")?;
        assert_eq!(fs::read_dir(&folder)?.count(), 2);
        Ok(())
    }

    #[test]
    fn files_from_before_stay() -> TestResult {
        let desk = tempfile::tempdir()?;
        let record = desk.path().join("record");
        fs::write(&record, "old")?;
        let mut transaction = Transaction::folder(desk.path())?;
        AtomicFile::write_in(&mut transaction, &record, b"same name")?;
        // The last file cannot be placed: a folder has its name.
        fs::create_dir(desk.path().join("config"))?;
        let failed = AtomicFile::write_last(transaction, &desk.path().join("config"), b"");
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&record)?, "same name");
        assert_eq!(fs::read_dir(desk.path())?.count(), 2);

        // A folder with another file in it stays as well.
        let folder = desk.path().join("new");
        let transaction = Transaction::folder(&folder)?;
        fs::write(folder.join("theirs"), "")?;
        drop(transaction);
        assert!(folder.join("theirs").exists());
        Ok(())
    }
}
