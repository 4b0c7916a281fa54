use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use anyhow::Result;
use neuralize::data::{Format, WholeFile};

use crate::args::{FormatName, ResultArgs, Usage};
use crate::interrupt;

/// Where results go: standard output, or a file that is there whole or not at all.
pub(crate) enum Output {
    Standard(BufWriter<Streamed<Stdout>>),
    Special(Streamed<WholeFile>),
    File(WholeFile),
}

impl Output {
    pub(crate) fn open(path: Option<&Path>) -> Result<Self> {
        Ok(match path {
            Some(path) if !is_standard(path) => match WholeFile::create(path)? {
                file if file.is_replaced() => Self::File(file),
                special => Self::Special(Streamed(special)),
            },
            _ => Self::Standard(BufWriter::with_capacity(1 << 16, Streamed(io::stdout()))),
        })
    }

    /// What messages call it.
    pub(crate) fn name(path: Option<&Path>) -> String {
        match path {
            Some(path) if !is_standard(path) => path.display().to_string(),
            _ => "standard output".into(),
        }
    }

    /// Whether two paths stand for one destination.
    pub(crate) fn is_same(one: Option<&Path>, other: Option<&Path>) -> bool {
        let place = |path: Option<&Path>| {
            let path = path.filter(|path| !is_standard(path))?;
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            let folder = folder.unwrap_or(Path::new(".")).canonicalize();
            Some((folder.ok(), path.file_name().map(ToOwned::to_owned)))
        };
        place(one) == place(other)
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Standard(mut stdout) => stdout.flush()?,
            Self::Special(file) => file.0.finish()?,
            Self::File(file) => file.finish()?,
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(stdout) => stdout.write(bytes),
            Self::Special(file) => file.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(stdout) => stdout.flush(),
            Self::Special(file) => file.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

/// What is written here is seen at once and cannot be taken back.
pub(crate) struct Streamed<W>(W);

impl<W: Write> Write for Streamed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        interrupt::note_streamed();
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The format that was asked for, or that the name of the file stands for.
pub(crate) fn format(args: &ResultArgs, delimiter: Option<u8>) -> Result<Format> {
    let path = args.output.as_deref().filter(|path| !is_standard(path));
    let named = path.and_then(Format::of);
    if let (Some(path), None, None) = (path, named, args.format) {
        refuse_other_kinds(path)?;
    }
    let text = match named {
        Some(Format::Csv { delimiter }) => delimiter,
        _ => b',',
    };
    let csv = Format::Csv { delimiter: delimiter.unwrap_or(text) };
    Ok(match args.format {
        Some(FormatName::Csv) => csv,
        Some(FormatName::Json) => Format::Json,
        Some(FormatName::Parquet) if path.is_none() && io::stdout().is_terminal() => {
            let text = "--format parquet: a terminal cannot show it; give a file by --output";
            return Err(Usage(text.into()).into());
        }
        Some(FormatName::Parquet) => Format::Parquet,
        Some(FormatName::Table) => Format::Table { coloured: path.is_none() && takes_colours() },
        None => named.filter(|named| !matches!(named, Format::Csv { .. })).unwrap_or(csv),
    })
}

/// A name that promises what is not written.
fn refuse_other_kinds(path: &Path) -> Result<()> {
    const KINDS: [&str; 7] = ["npy", "npz", "html", "htm", "xlsx", "svg", "png"];
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.filter(|ending| KINDS.contains(&ending.as_str())) {
        Some(ending) => {
            let text = format!(
                "{}: results are not written as .{ending}; name a .csv, .tsv, .json or .parquet file, or say --format",
                path.display()
            );
            Err(Usage(text).into())
        }
        None => Ok(()),
    }
}

/// Whether standard output is a terminal that shows colours, to somebody who
/// wants to see them.
fn takes_colours() -> bool {
    let stdout = io::stdout();
    stdout.is_terminal() && AutoStream::choice(&stdout) != ColorChoice::Never
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
