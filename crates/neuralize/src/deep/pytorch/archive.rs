//! Zip archives of PyTorch since 1.6.

use std::fs::File;
use std::io::{BufReader, Read};

use zip::ZipArchive;

use super::pickle;

/// A zip archive of `torch.save`.
pub(super) struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// The start of all names in it.
    folder: String,
    /// The storage read last and its key: views of one storage usually follow each other.
    last: Option<(String, Vec<u8>)>,
}

impl Archive {
    pub(super) fn open(file: BufReader<File>) -> Result<Self, String> {
        let damaged = |error: &dyn std::fmt::Display| format!("the file is damaged: {error}");
        let zip = ZipArchive::new(file).map_err(|error| damaged(&error))?;
        let folder = zip
            .file_names()
            .filter_map(|name| Some(name.ok()?.strip_suffix("data.pkl")?.to_owned()))
            .find(|folder| folder.is_empty() || folder.find('/') == Some(folder.len() - 1))
            .ok_or("it has no `data.pkl`, so it is no file of `torch.save`")?;
        let mut archive = Self { zip, folder, last: None };
        let order = format!("{}byteorder", archive.folder);
        // Files of PyTorch before 2.1 are little-endian and have no record of it.
        if archive.zip.index_for_name(&order).is_some() && archive.record(&order)? != b"little" {
            return Err("its numbers are big-endian: save it anew, as safetensors".to_string());
        }
        Ok(archive)
    }

    /// The start of all names in it.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// The bytes of the pickle.
    pub(super) fn pickle(&mut self) -> Result<Vec<u8>, String> {
        let name = format!("{}data.pkl", self.folder);
        let pickle = self.start_of(&name, pickle::MAX_BYTES + 1)?;
        if pickle.len() as u64 > pickle::MAX_BYTES {
            return Err(format!(
                "its pickle has more than {} bytes, too many for weights: save the state_dict alone",
                pickle::MAX_BYTES
            ));
        }
        Ok(pickle)
    }

    /// The bytes of a record, whose checksum is right.
    fn record(&mut self, name: &str) -> Result<Vec<u8>, String> {
        self.start_of(name, u64::MAX)
    }

    /// At most `count` bytes of a record, whatever size the archive claims; the checksum is
    /// verified if there are fewer.
    fn start_of(&mut self, name: &str, count: u64) -> Result<Vec<u8>, String> {
        let damaged = |error: &dyn std::fmt::Display| format!("`{name}` is damaged: {error}");
        let record = self.zip.by_name(name).map_err(|error| damaged(&error))?;
        let mut bytes = Vec::new();
        record.take(count).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        Ok(bytes)
    }

    /// The bytes of a storage.
    pub(super) fn storage(&mut self, key: &str) -> Result<&[u8], String> {
        if self.last.as_ref().is_none_or(|(last, _)| last != key) {
            self.last = None;
            let bytes = self.record(&format!("{}data/{key}", self.folder))?;
            self.last = Some((key.to_string(), bytes));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, bytes)| bytes))
    }
}
