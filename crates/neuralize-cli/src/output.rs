//! Where results go.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use neuralize::data::{AtomicFile, Shown};
use neuralize::output::Format;

use crate::args::{AnswerFormat, FormatName, ResultArgs, Usage};
use crate::interrupt;

/// The file that says what the model in its folder is.
const CONFIG: &str = "config.json";

/// The destination of results: standard output, a pipe or device, or a file that is
/// written whole or not at all.
pub(crate) enum Output {
    Standard(BufWriter<Streamed<Stdout>>),
    Special(Streamed<AtomicFile>),
    File(AtomicFile),
    /// A file whose name ends with `.gz`.
    Gzip(GzEncoder<Box<Output>>),
}

impl Output {
    pub(crate) fn open(path: Option<&Path>) -> Result<Self> {
        let output = Self::open_plain(path)?;
        Ok(match path {
            Some(path) if is_gzip(path) => {
                Self::Gzip(GzEncoder::new(Box::new(output), Compression::default()))
            }
            _ => output,
        })
    }

    fn open_plain(path: Option<&Path>) -> Result<Self> {
        Ok(match path {
            Some(path) if !is_standard(path) => {
                refuse_model_file(path)?;
                match AtomicFile::create(path)? {
                    file if file.is_atomic() => Self::File(file),
                    special => Self::Special(Streamed(special)),
                }
            }
            _ => Self::Standard(BufWriter::with_capacity(1 << 16, Streamed(io::stdout()))),
        })
    }

    /// The name of the destination in messages.
    pub(crate) fn name(path: Option<&Path>) -> String {
        match path {
            Some(path) if !is_standard(path) => Shown::path(path),
            _ => "standard output".into(),
        }
    }

    /// Whether two paths lead to the same destination.
    fn is_same(one: Option<&Path>, other: Option<&Path>) -> bool {
        let place = |path: Option<&Path>| {
            let path = path.filter(|path| !is_standard(path))?;
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            let folder = folder.unwrap_or(Path::new(".")).canonicalize();
            Some((folder.ok(), path.file_name().map(ToOwned::to_owned)))
        };
        place(one) == place(other)
    }

    /// An error if an output would replace a file that is read, of a table or of a model, or would be
    /// read as a part of the table the next time.
    pub(crate) fn check_inputs(
        output: Option<&Path>,
        table: &Path,
        model: Option<&Path>,
    ) -> Result<()> {
        let Some(output) = output.filter(|path| !is_standard(path)) else { return Ok(()) };
        let place = place(output);
        let exists = place.is_file();
        let (table, model) = (read_place(table), model.and_then(read_place));
        let is_part = table.as_ref().is_some_and(|folder| is_part(&place, folder));
        let of_model = model.as_deref().is_some_and(|folder| place.parent() == Some(folder));
        let would = if exists && (is_part || of_model || table.as_ref() == Some(&place)) {
            "replace what is read"
        } else if is_part {
            "become a part of what is read"
        } else {
            return refuse_model_file(output);
        };
        let text = format!("{}: the results would {would}; name another file", Shown::path(output));
        Err(Usage(text).into())
    }

    /// An error if the files of a folder that is written would be read as parts of one of these
    /// tables.
    pub(crate) fn check_folder(
        option: &str,
        folder: Option<&Path>,
        tables: &[&Path],
    ) -> Result<()> {
        let Some(folder) = folder else { return Ok(()) };
        let any = place(folder).join("any");
        let mut read = tables.iter().filter_map(|table| read_place(table));
        if read.any(|read| is_part(&any, &read)) {
            let text = format!(
                "{option} {}: its files would become a part of what is read; name another folder",
                Shown::path(folder)
            );
            return Err(Usage(text).into());
        }
        Ok(())
    }

    /// An error if a second output has the destination of the results.
    pub(crate) fn check_other(option: &str, path: &Path, results: Option<&Path>) -> Result<()> {
        if Self::is_same(results, Some(path)) {
            let name = Self::name(results);
            let text = format!("{option}: {name} is already the destination of the results");
            return Err(Usage(text).into());
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Standard(mut stdout) => stdout.flush()?,
            Self::Special(file) => file.0.finish()?,
            Self::File(file) => file.finish()?,
            Self::Gzip(encoder) => encoder.finish()?.finish()?,
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
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(stdout) => stdout.flush(),
            Self::Special(file) => file.flush(),
            Self::File(file) => file.flush(),
            // A flush in between costs compression, and `finish` writes all.
            Self::Gzip(_) => Ok(()),
        }
    }
}

/// A destination that shows bytes at once: they cannot be rolled back.
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

/// The format of the command line, or the one of the file's extension.
pub(crate) fn format(args: &ResultArgs, delimiter: Option<u8>) -> Result<Format> {
    let path = args.output.as_deref().filter(|path| !is_standard(path));
    let named = path.and_then(|path| match is_gzip(path) {
        true => Format::of(path.with_extension("")),
        false => Format::of(path),
    });
    if let (Some(path), None, None) = (path, named, args.format) {
        refuse_other_kinds(path)?;
    }
    let text = match named {
        Some(Format::Csv { delimiter }) => delimiter,
        _ => b',',
    };
    let csv = Format::Csv { delimiter: delimiter.unwrap_or(text) };
    let format = match args.format {
        Some(FormatName::Csv) => csv,
        Some(FormatName::Json) => Format::Json,
        Some(binary @ (FormatName::Parquet | FormatName::Xlsx))
            if path.is_none() && io::stdout().is_terminal() =>
        {
            let name = if binary == FormatName::Xlsx { "xlsx" } else { "parquet" };
            let text =
                format!("--format {name}: a terminal cannot show it; name a file with --output");
            return Err(Usage(text).into());
        }
        Some(FormatName::Parquet) => Format::Parquet,
        Some(FormatName::Xlsx) => Format::Xlsx,
        Some(FormatName::Table) => Format::Table { coloured: path.is_none() && takes_colours() },
        None => named.filter(|named| !matches!(named, Format::Csv { .. })).unwrap_or(csv),
    };
    match (path, format) {
        (Some(path), Format::Parquet | Format::Xlsx) if is_gzip(path) => {
            let text = format!(
                "{}: Parquet files and workbooks are compressed already; leave out .gz",
                Shown::path(path)
            );
            Err(Usage(text).into())
        }
        _ => Ok(format),
    }
}

/// The format of an answer, and the character between the cells of a table: from the command line, or
/// from the extension of the file.
pub(crate) fn answer_format(
    path: Option<&Path>,
    format: Option<AnswerFormat>,
    delimiter: Option<u8>,
) -> Result<(AnswerFormat, u8)> {
    let path = path.filter(|path| !is_standard(path));
    let plain =
        path.map(|path| if is_gzip(path) { path.with_extension("") } else { path.to_owned() });
    let ending = plain.as_deref().and_then(Path::extension);
    let ending = ending.map(|ending| ending.to_string_lossy().to_lowercase());
    let usual = if matches!(ending.as_deref(), Some("tsv" | "tab")) { b'\t' } else { b',' };
    let named = match ending.as_deref() {
        Some("json") => AnswerFormat::Json,
        Some("csv" | "tsv" | "tab") => AnswerFormat::Csv,
        Some("xlsx") => AnswerFormat::Xlsx,
        Some("txt") | None => AnswerFormat::Text,
        Some(_) if format.is_some() => AnswerFormat::Text,
        Some(other) => {
            let text = format!(
                "--output: this answer is not written as .{}; name a .txt, .json, .csv, .tsv or .xlsx file, or give --format",
                Shown(other)
            );
            return Err(Usage(text).into());
        }
    };
    Ok((format.unwrap_or(named), delimiter.unwrap_or(usual)))
}

/// Refuses extensions of files that are not results.
fn refuse_other_kinds(path: &Path) -> Result<()> {
    const KINDS: [&str; 14] = [
        "npy", "npz", "html", "htm", "xls", "ods", "svg", "png", "feather", "arrow", "zip", "zst",
        "bz2", "xz",
    ];
    let path = if is_gzip(path) { path.with_extension("") } else { path.to_owned() };
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.filter(|ending| KINDS.contains(&ending.as_str())) {
        Some(ending) => {
            let text = format!(
                "{}: results are not written as .{ending}; name a .csv, .tsv, .json, .xlsx or .parquet file, or give --format",
                Shown::path(&path)
            );
            Err(Usage(text).into())
        }
        None => Ok(()),
    }
}

/// Whether standard output is a terminal and colours are not switched off.
fn takes_colours() -> bool {
    let stdout = io::stdout();
    stdout.is_terminal() && AutoStream::choice(&stdout) != ColorChoice::Never
}

/// Whether a file is compressed, by its name.
fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"))
}

/// The place that a path leads to, whether something is there or not.
fn place(path: &Path) -> PathBuf {
    const LONGEST_CHAIN: usize = 40;
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // The file behind a link is written, and not the link, also if it is new.
    for _ in 0..LONGEST_CHAIN {
        match fs::read_link(&path) {
            Ok(target) => path = path.with_file_name("").join(target),
            Err(_) => break,
        }
    }
    let found = path.ancestors().find_map(|above| {
        let (found, rest) = (above.canonicalize().ok()?, path.strip_prefix(above).ok()?);
        // With nothing behind it, a file would end as a folder does.
        Some(if rest == Path::new("") { found } else { found.join(rest) })
    });
    found.unwrap_or(path)
}

/// The place of what is read, if it has one: that of a file behind standard input, too.
fn read_place(path: &Path) -> Option<PathBuf> {
    let path = if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
    path.canonicalize().ok()
}

/// Whether a file in this place would be read as a part of a folder: as a file in it, or in folders
/// `key=value` in it. What programs and people write beside the parts is not.
fn is_part(place: &Path, folder: &Path) -> bool {
    let Ok(inner) = place.strip_prefix(folder) else { return false };
    let names: Vec<_> = inner.iter().map(|name| name.to_string_lossy()).collect();
    let Some((file, folders)) = names.split_last() else { return false };
    let is_hidden = |name: &str| name.starts_with(['_', '.']);
    let is_read = folders.iter().all(|name| name.contains('=') && !is_hidden(name));
    let lower = file.to_lowercase();
    let is_beside =
        lower.starts_with("readme") || lower.ends_with(".md") || lower.ends_with(".crc");
    folder.is_dir() && is_read && !is_beside && !is_hidden(file)
}

/// An error if a file is one of a model, which would be none without it.
fn refuse_model_file(path: &Path) -> Result<()> {
    let place = place(path);
    let name = place.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_record = name.starts_with("model-") && name.ends_with(".bpk");
    if (is_record || name == CONFIG) && place.is_file() && is_in_model(&place) {
        let text = format!("{}: is a file of a model; name another file", Shown::path(path));
        return Err(Usage(text).into());
    }
    Ok(())
}

/// Whether the folder of a file holds a model, of whatever version.
fn is_in_model(file: &Path) -> bool {
    let config = fs::read(file.with_file_name(CONFIG)).unwrap_or_default();
    String::from_utf8_lossy(&config).contains("\"neuralize-model\"")
}

/// The usual names of standard output.
fn is_standard(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdout")
}

/// Whether the reader of the results closed the pipe.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
