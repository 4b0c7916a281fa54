//! A file that is replaced whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::data::transaction::Transaction;
use crate::error::{Error, Result};

/// A file that is written whole or not at all: bytes go to a temporary file in the same folder,
/// which [`finish`](Self::finish) renames. If it is dropped before that, an existing file of that
/// name is unchanged. A program that exits without dropping it calls
/// [`rollback_all`](crate::data::rollback_all) first.
///
/// If the path exists and is not a regular file (a pipe, a device), bytes are
/// written to it directly.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    writer: BufWriter<Destination>,
}

#[derive(Debug)]
enum Destination {
    Temporary(NamedTempFile, Transaction),
    Direct(fs::File),
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Temporary(file, _) => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Temporary(file, _) => file.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

impl AtomicFile {
    /// Creates the temporary file.
    ///
    /// # Errors
    ///
    /// If the folder does not exist or cannot be written to.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let given = path.as_ref();
        // These may lead to a regular file that other programs write to as well.
        let device = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"]
            .iter()
            .any(|place| given.starts_with(place));
        let path = if device { given.to_path_buf() } else { behind_links(given) };
        let special =
            device || fs::metadata(&path).is_ok_and(|found| !found.is_file() && !found.is_dir());
        let destination = if special {
            let file = fs::OpenOptions::new().write(true).open(&path);
            Destination::Direct(file.map_err(Error::io(&path))?)
        } else {
            let (file, transaction) = temporary_beside(&path)?;
            Destination::Temporary(file, transaction)
        };
        Ok(Self { path, writer: BufWriter::with_capacity(1 << 16, destination) })
    }

    /// Whether the file appears only when it is complete: bytes do not go directly
    /// to a pipe or a device.
    pub fn is_atomic(&self) -> bool {
        matches!(self.writer.get_ref(), Destination::Temporary(..))
    }

    /// Writes a file of these bytes.
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
        Self::with(path, bytes)?.finish()
    }

    /// Writes a file of these bytes that belongs to a transaction.
    pub(crate) fn write_in(transaction: &mut Transaction, path: &Path, bytes: &[u8]) -> Result<()> {
        Self::with(path, bytes)?
            .put(|path, temporary, place| transaction.place(path, temporary, place))
    }

    /// Writes a file of these bytes as the last of a transaction.
    pub(crate) fn write_last(transaction: Transaction, path: &Path, bytes: &[u8]) -> Result<()> {
        Self::with(path, bytes)?.put(|_, temporary, place| transaction.and(temporary).commit(place))
    }

    fn with(path: &Path, bytes: &[u8]) -> Result<Self> {
        let mut file = Self::create(path)?;
        file.writer.write_all(bytes).map_err(Error::io(path))?;
        Ok(file)
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    ///
    /// If the last bytes cannot be written or the file cannot be renamed.
    pub fn finish(self) -> Result<()> {
        self.put(|_, temporary, place| temporary.commit(place))
    }

    /// `commit` gets the path, the transaction of the temporary file, and the
    /// step that renames it.
    fn put(
        self,
        commit: impl FnOnce(&Path, Transaction, &mut dyn FnMut() -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let Self { path, writer } = self;
        let destination = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .map_err(Error::io(&path))?;
        match destination {
            Destination::Temporary(file, transaction) => {
                // A replaced file keeps its permissions.
                if let Ok(old) = fs::metadata(&path) {
                    file.as_file().set_permissions(old.permissions()).map_err(Error::io(&path))?;
                }
                file.as_file().sync_all().map_err(Error::io(&path))?;
                let mut file = Some(file);
                commit(&path, transaction, &mut || match file.take() {
                    Some(file) => {
                        let placed = file.persist(&path).map_err(|error| error.error);
                        placed.map(drop).map_err(Error::io(&path))
                    }
                    None => Ok(()),
                })?;
            }
            Destination::Direct(mut file) => file.flush().map_err(Error::io(&path))?,
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The file that links lead to, whether it exists or not: it is replaced, and not
/// the link.
fn behind_links(path: &Path) -> PathBuf {
    const LONGEST_CHAIN: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..LONGEST_CHAIN {
        match fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            Err(_) => break,
        }
    }
    path
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn temporary_beside(path: &Path) -> Result<(NamedTempFile, Transaction)> {
    if path.is_dir() {
        let source = io::Error::new(io::ErrorKind::IsADirectory, "is a folder, not a file");
        return Err(Error::io(path)(source));
    }
    let folder = folder_of(path);
    let fault = match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Some((
            io::ErrorKind::NotADirectory,
            format!("{} is a file, not a folder", folder.display()),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some((error.kind(), format!("there is no folder {}", folder.display())))
        }
        _ => None,
    };
    if let Some((kind, detail)) = fault {
        return Err(Error::io(path)(io::Error::new(kind, detail)));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".neuralize-");
    #[cfg(unix)]
    {
        // The permissions of any new file; the default of the crate is private.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    Transaction::file(|| builder.tempfile_in(folder), |file| file.path().to_path_buf())
        .map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_file_leaves_the_old_one() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("out.csv");
        fs::write(&path, "old")?;
        let mut file = AtomicFile::create(&path)?;
        file.write_all(b"new")?;
        drop(file);
        assert_eq!(fs::read_to_string(&path)?, "old");
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);

        let mut file = AtomicFile::create(&path)?;
        file.write_all(b"new")?;
        file.finish()?;
        assert_eq!(fs::read_to_string(&path)?, "new");
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() -> Result<(), Box<dyn std::error::Error>> {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir()?;
        let (file, link) = (folder.path().join("private"), folder.path().join("link"));
        symlink("private", &link)?;
        AtomicFile::write(&link, b"made through a link to nothing")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        AtomicFile::write(&link, b"replaced")?;
        assert_eq!(fs::read(&file)?, b"replaced");
        assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link)?.is_symlink());
        Ok(())
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let error = AtomicFile::create("/no such folder/out.csv").expect_err("no folder");
        let expected = "/no such folder/out.csv: there is no folder /no such folder";
        assert_eq!(error.to_string(), expected);
    }
}
