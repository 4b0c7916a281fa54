use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// What lies on disk for now: temporary files, and pieces of what is whole only
/// when its last piece is in place.
static PENDING: Mutex<Pending> = Mutex::new(Pending { paths: Vec::new(), finished: 0 });

struct Pending {
    paths: Vec<PathBuf>,
    finished: usize,
}

/// Files and folders that are removed again unless they are finished together:
/// when this is dropped, or by [`remove_unfinished`].
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    /// In the order in which they were made.
    paths: Vec<PathBuf>,
}

/// Nothing is begun and nothing is finished while this lives.
#[must_use = "files are begun again when this is dropped"]
pub struct Stopped {
    pending: MutexGuard<'static, Pending>,
}

/// Removes what this process has begun to write and not finished: temporary
/// files, and the pieces and new folders of a model that is not whole yet. Until
/// the result is dropped no file is begun or put in place, whoever tries waits.
///
/// For programs that end at once, from the thread that receives a signal, say:
/// [`WholeFile`](crate::data::WholeFile) does the same when it is dropped.
pub fn remove_unfinished() -> Stopped {
    let mut pending = lock();
    for path in std::mem::take(&mut pending.paths).iter().rev() {
        remove(path);
    }
    Stopped { pending }
}

impl Stopped {
    /// How many files this process has finished: they are whole, and stay.
    pub fn finished(&self) -> usize {
        self.pending.finished
    }
}

impl Unfinished {
    /// Makes a folder and those above it, as far as they are not there.
    pub(crate) fn folder(path: &Path) -> Result<Self> {
        let mut pending = lock();
        let mut made = Self::default();
        let missing: Vec<&Path> = path.ancestors().take_while(|above| !is_here(above)).collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => made.note(&mut pending, folder.to_path_buf()),
                // Somebody else was faster.
                Err(_) if folder.is_dir() => {}
                Err(error) => {
                    drop(pending);
                    return Err(Error::io(path)(error));
                }
            }
        }
        Ok(made)
    }

    /// Makes a file that counts as unfinished from the first moment.
    pub(crate) fn file<T>(
        make: impl FnOnce() -> io::Result<T>,
        path: impl FnOnce(&T) -> PathBuf,
    ) -> io::Result<(T, Self)> {
        let mut pending = lock();
        let made = make()?;
        let mut unfinished = Self::default();
        unfinished.note(&mut pending, path(&made));
        Ok((made, unfinished))
    }

    /// Puts one piece of several in its place by `place`, where it counts as
    /// unfinished too, unless it was there before.
    pub(crate) fn place_piece<T, E>(
        &mut self,
        path: &Path,
        temporary: Self,
        place: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mut pending = lock();
        let is_new = !is_here(path);
        let placed = place()?;
        temporary.forget(&mut pending);
        if is_new {
            self.note(&mut pending, path.to_path_buf());
        }
        Ok(placed)
    }

    /// Puts the last piece in its place by `place`: all is finished then.
    pub(crate) fn finish<T, E>(self, place: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut pending = lock();
        let placed = match place() {
            Ok(placed) => placed,
            Err(error) => {
                // Dropping takes the lock itself.
                drop(pending);
                return Err(error);
            }
        };
        pending.finished += 1;
        self.forget(&mut pending);
        Ok(placed)
    }

    /// Adds what belongs to the same whole.
    pub(crate) fn and(mut self, mut other: Self) -> Self {
        self.paths.append(&mut other.paths);
        self
    }

    fn note(&mut self, pending: &mut Pending, path: PathBuf) {
        pending.paths.push(path.clone());
        self.paths.push(path);
    }

    fn forget(mut self, pending: &mut Pending) {
        for path in std::mem::take(&mut self.paths) {
            pending.paths.retain(|known| *known != path);
        }
    }
}

impl Drop for Unfinished {
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

fn is_here(path: &Path) -> bool {
    path == Path::new("") || fs::symlink_metadata(path).is_ok()
}

/// A folder goes only if it is empty: what somebody else put there stays.
fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::WholeFile;

    type Done = std::result::Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn pieces_stay_only_if_the_last_is_placed() -> Done {
        let desk = tempfile::tempdir()?;
        let folder = desk.path().join("a/b");
        let mut whole = Unfinished::folder(&folder)?;
        WholeFile::write_piece(&folder.join("record"), b"1", &mut whole)?;
        assert!(folder.join("record").exists());
        drop(whole);
        assert_eq!(fs::read_dir(desk.path())?.count(), 0);

        let mut whole = Unfinished::folder(&folder)?;
        WholeFile::write_piece(&folder.join("record"), b"1", &mut whole)?;
        WholeFile::write_last(&folder.join("config"), b"2", whole)?;
        assert_eq!(fs::read_dir(&folder)?.count(), 2);
        Ok(())
    }

    #[test]
    fn what_was_there_before_stays() -> Done {
        let desk = tempfile::tempdir()?;
        let record = desk.path().join("record");
        fs::write(&record, "old")?;
        let mut whole = Unfinished::folder(desk.path())?;
        WholeFile::write_piece(&record, b"same name", &mut whole)?;
        // The last piece cannot be placed: its name is that of a folder.
        fs::create_dir(desk.path().join("config"))?;
        let failed = WholeFile::write_last(&desk.path().join("config"), b"", whole);
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&record)?, "same name");
        assert_eq!(fs::read_dir(desk.path())?.count(), 2);

        // A folder that somebody else has put something into stays as well.
        let folder = desk.path().join("new");
        let whole = Unfinished::folder(&folder)?;
        fs::write(folder.join("theirs"), "")?;
        drop(whole);
        assert!(folder.join("theirs").exists());
        Ok(())
    }
}
