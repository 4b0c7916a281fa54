use std::io::{self, StdoutLock, Write};
use std::path::Path;

use anyhow::Result;
use neuralize::data::WholeFile;

/// Where results go: standard output, or a file that is there whole or not at all.
pub(crate) enum Output {
    Standard(StdoutLock<'static>),
    File(WholeFile),
}

impl Output {
    pub(crate) fn open(path: Option<&Path>) -> Result<Self> {
        Ok(match path {
            Some(path) if !is_standard(path) => Self::File(WholeFile::create(path)?),
            _ => Self::Standard(io::stdout().lock()),
        })
    }

    /// What messages call it.
    pub(crate) fn name(path: Option<&Path>) -> String {
        match path {
            Some(path) if !is_standard(path) => path.display().to_string(),
            _ => "standard output".into(),
        }
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Standard(mut stdout) => stdout.flush()?,
            Self::File(file) => file.finish()?,
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(stdout) => stdout.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(stdout) => stdout.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

/// The usual ways to say standard output where a file is asked for.
fn is_standard(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdout")
}

/// Tells a person something. Nobody listening is no reason to fail.
pub(crate) fn tell(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
