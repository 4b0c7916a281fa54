//! Zip archives, which workbooks and NumPy's archives are: what is in them, and its bytes unpacked.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

/// A file in an archive.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Number of its bytes when they are unpacked, as the archive says.
    pub(super) size: u64,
    /// Whether its bytes are in the archive as they are.
    pub(super) is_plain: bool,
    /// Where its bytes are in the archive, and how many.
    start: u64,
    packed: u64,
    crc: u32,
    /// Why it cannot be read.
    fault: Option<&'static str>,
}

/// What an archive is, by the names of the files in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// An Excel workbook, `.xlsx` or `.xlsm`.
    Workbook,
    /// An Excel workbook in binary, `.xlsb`, or of LibreOffice, `.ods`.
    OtherWorkbook,
    /// NumPy arrays, `.npz`.
    Arrays,
    Other,
}

impl Kind {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let has = |name: &str| entries.iter().any(|entry| entry.name == name);
        let is_array = |entry: &Entry| entry.name.ends_with(".npy");
        if has("xl/workbook.bin") || has("mimetype") && has("content.xml") {
            Self::OtherWorkbook
        } else if has("[Content_Types].xml") && entries.iter().any(|e| e.name.starts_with("xl/")) {
            Self::Workbook
        } else if !entries.is_empty() && entries.iter().all(is_array) {
            Self::Arrays
        } else {
            Self::Other
        }
    }
}

/// The files in an archive.
pub(super) fn entries(file: &Arc<File>) -> io::Result<Vec<Entry>> {
    let invalid = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) if error.kind() != ErrorKind::UnexpectedEof => error,
        _ => {
            let damaged = "is a damaged zip archive; save or download the file again";
            io::Error::new(ErrorKind::InvalidData, damaged)
        }
    };
    let length = file.metadata()?.len();
    let whole = BufReader::new(Section::new(Arc::clone(file), 0, length));
    let mut archive = ZipArchive::new(whole).map_err(invalid)?;
    let mut entries = Vec::new();
    for at in 0..archive.len() {
        let found = archive.by_index_raw(at).map_err(invalid)?;
        let start = found.data_start().unwrap_or(length);
        let (packed, size) = (found.compressed_size(), found.size());
        let fault = if found.encrypted() {
            Some("is protected by a password")
        } else if !matches!(
            found.compression(),
            CompressionMethod::STORE | CompressionMethod::DEFLATE
        ) {
            Some("is compressed by another method than deflate")
        } else if start.checked_add(packed).is_none_or(|end| end > length) {
            Some("is cut off")
        } else {
            None
        };
        let is_plain = found.compression() == CompressionMethod::STORE && packed == size;
        entries.push(Entry {
            name: String::from_utf8_lossy(found.name_raw()).into_owned(),
            size,
            is_plain,
            start,
            packed,
            crc: found.crc32(),
            fault,
        });
    }
    Ok(entries)
}

impl Entry {
    /// Its bytes, one after the other. An error at their end if they are not as many as the archive
    /// says or are not the same that were put into it.
    pub(super) fn unpacked(&self, file: &Arc<File>) -> io::Result<Box<dyn Read>> {
        let section = self.section(file)?;
        let source: Box<dyn Read> = match self.is_plain {
            true => Box::new(section),
            false => Box::new(DeflateDecoder::new(section)),
        };
        Ok(Box::new(Checked { source, left: self.size, crc: Crc::new(), expected: self.crc }))
    }

    /// Number of bytes that it takes in the archive.
    pub(super) fn packed(&self) -> u64 {
        self.packed
    }

    /// The part of the archive that holds it.
    pub(super) fn section(&self, file: &Arc<File>) -> io::Result<Section> {
        match self.fault {
            Some(fault) => {
                Err(io::Error::new(ErrorKind::InvalidData, format!("a part of it {fault}")))
            }
            None => Ok(Section::new(Arc::clone(file), self.start, self.packed)),
        }
    }
}

/// A part of a file, as if it were a file. Several may share the file: each goes to its place before
/// it reads.
pub(super) struct Section {
    file: Arc<File>,
    start: u64,
    length: u64,
    at: u64,
}

impl Section {
    pub(super) fn new(file: Arc<File>, start: u64, length: u64) -> Self {
        Self { file, start, length, at: 0 }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        if left == 0 {
            return Ok(0);
        }
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.start.saturating_add(self.at)))?;
        let count = file.take(left).read(buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = at.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// A source that hands on as many bytes as it should have, and checks them.
struct Checked {
    source: Box<dyn Read>,
    left: u64,
    crc: Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let invalid = |what: &str| io::Error::new(ErrorKind::InvalidData, what);
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let longest = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..longest).unwrap_or_default();
        let count = self.source.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::InvalidData => invalid("it is damaged"),
            _ => error,
        })?;
        if count == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "it is cut off"));
        }
        self.crc.update(buffer.get(..count).unwrap_or_default());
        self.left -= count as u64;
        if self.left == 0 {
            if self.source.read(&mut [0])? > 0 {
                return Err(invalid("it holds more than the archive says"));
            }
            if self.crc.sum() != self.expected {
                return Err(invalid("it is damaged: its checksum is wrong"));
            }
        }
        Ok(count)
    }
}
