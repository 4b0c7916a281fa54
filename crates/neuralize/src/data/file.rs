use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::data::unfinished::Unfinished;
use crate::error::{Error, Result};

/// A file that is there whole or not at all: what is written goes to a
/// temporary name in the same folder, which [`finish`](Self::finish) renames.
/// Dropped before that, it leaves an old file of the name as it was; a program
/// that ends without dropping it calls
/// [`remove_unfinished`](crate::data::remove_unfinished) first.
///
/// A name that is there already and is not a regular file (a pipe, a device)
/// is written to directly.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    writer: BufWriter<Sink>,
}

#[derive(Debug)]
enum Sink {
    Renamed(NamedTempFile, Unfinished),
    Direct(fs::File),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Renamed(file, _) => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Renamed(file, _) => file.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

impl WholeFile {
    /// Starts a file.
    ///
    /// # Errors
    ///
    /// If the folder is not there or cannot be written to.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let given = path.as_ref();
        // These may stand for a regular file that others write to as well.
        let device = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"]
            .iter()
            .any(|place| given.starts_with(place));
        let path = if device { given.to_path_buf() } else { behind_links(given) };
        let special =
            device || fs::metadata(&path).is_ok_and(|found| !found.is_file() && !found.is_dir());
        let sink = if special {
            let file = fs::OpenOptions::new().write(true).open(&path);
            Sink::Direct(file.map_err(Error::io(&path))?)
        } else {
            let (file, unfinished) = temporary_beside(&path)?;
            Sink::Renamed(file, unfinished)
        };
        Ok(Self { path, writer: BufWriter::with_capacity(1 << 16, sink) })
    }

    /// Whether what is written takes the place of a file only at the end, and
    /// does not go to a pipe or a device at once.
    pub fn is_replaced(&self) -> bool {
        matches!(self.writer.get_ref(), Sink::Renamed(..))
    }

    /// A file of these bytes.
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
        Self::with(path, bytes)?.finish()
    }

    /// A file of these bytes as a piece of something that is not whole yet.
    pub(crate) fn write_piece(path: &Path, bytes: &[u8], whole: &mut Unfinished) -> Result<()> {
        Self::with(path, bytes)?
            .put(|path, temporary, place| whole.place_piece(path, temporary, place))
    }

    /// A file of these bytes as the piece that makes the rest whole.
    pub(crate) fn write_last(path: &Path, bytes: &[u8], whole: Unfinished) -> Result<()> {
        Self::with(path, bytes)?.put(|_, temporary, place| whole.and(temporary).finish(place))
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
        self.put(|_, temporary, place| temporary.finish(place))
    }

    /// `settle` is given the file's path, what stands for the temporary name,
    /// and the step that renames it.
    fn put(
        self,
        settle: impl FnOnce(&Path, Unfinished, &mut dyn FnMut() -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let Self { path, writer } = self;
        let sink = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .map_err(Error::io(&path))?;
        match sink {
            Sink::Renamed(file, unfinished) => {
                // A file that is replaced keeps its permissions.
                if let Ok(old) = fs::metadata(&path) {
                    file.as_file().set_permissions(old.permissions()).map_err(Error::io(&path))?;
                }
                file.as_file().sync_all().map_err(Error::io(&path))?;
                let mut file = Some(file);
                settle(&path, unfinished, &mut || match file.take() {
                    Some(file) => {
                        let placed = file.persist(&path).map_err(|error| error.error);
                        placed.map(drop).map_err(Error::io(&path))
                    }
                    None => Ok(()),
                })?;
            }
            Sink::Direct(mut file) => file.flush().map_err(Error::io(&path))?,
        }
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The file behind a link, so that it is replaced and not the link, whether it
/// is there yet or not.
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

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn temporary_beside(path: &Path) -> Result<(NamedTempFile, Unfinished)> {
    if path.is_dir() {
        let source = io::Error::new(io::ErrorKind::IsADirectory, "is a folder, not a file");
        return Err(Error::io(path)(source));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".neuralize-");
    #[cfg(unix)]
    {
        // As any program creates files; the default would be private.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    Unfinished::file(|| builder.tempfile_in(folder_of(path)), |file| file.path().to_path_buf())
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
        let mut file = WholeFile::create(&path)?;
        file.write_all(b"new")?;
        drop(file);
        assert_eq!(fs::read_to_string(&path)?, "old");
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);

        let mut file = WholeFile::create(&path)?;
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
        WholeFile::write(&link, b"made through a link to nothing")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        WholeFile::write(&link, b"replaced")?;
        assert_eq!(fs::read(&file)?, b"replaced");
        assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link)?.is_symlink());
        Ok(())
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let error = WholeFile::create("/no such folder/out.csv").expect_err("no folder");
        assert!(error.to_string().contains("/no such folder/out.csv"), "{error}");
    }
}
