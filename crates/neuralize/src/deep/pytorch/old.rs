//! Files of PyTorch before 1.6: pickles, then for every storage the number of its
//! elements, in eight bytes, and the elements.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::entry::Entry;
use super::pickle;

/// The first pickle: 0x1950a86a20f9469cfc6c.
pub(super) const MAGIC: [u8; 15] = *b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// A whole file in memory: files of that time are small.
pub(super) struct File {
    bytes: Vec<u8>,
    /// The bytes of every storage, by its key.
    storages: HashMap<Rc<str>, Range<usize>>,
}

impl File {
    /// The tensors in a file, and the file.
    pub(super) fn open(bytes: Vec<u8>) -> Result<(Vec<(String, Entry)>, Self), String> {
        let pickles = &bytes[MAGIC.len()..];
        let longest = pickles.len().min(pickle::MAX_BYTES as usize);
        let pickles = pickle::pickles(&pickles[..longest])
            .map_err(|error| format!("of PyTorch before 1.6: {error}"))?;
        let mut at = MAGIC.len() + pickles.length;
        let mut storages = HashMap::new();
        for storage in pickles.storages {
            let element = storage
                .dtype()
                .ok_or_else(|| format!("it has a `{}`, which Burn lacks", storage.kind))?
                .size();
            let range = range(&bytes, at, element)
                .ok_or_else(|| format!("it is damaged: storage {} is cut off", storage.key))?;
            at = range.end;
            storages.insert(storage.key.clone(), range);
        }
        // There are no checksums.
        if at != bytes.len() {
            return Err("it is damaged: its storages do not fill it".to_string());
        }
        Ok((pickles.tensors, Self { bytes, storages }))
    }

    pub(super) fn storage(&self, key: &str) -> Result<&[u8], String> {
        let range = self.storages.get(key).ok_or("has no storage in the file")?;
        Ok(&self.bytes[range.clone()])
    }
}

/// The bytes of the elements of the storage that begins here.
fn range(bytes: &[u8], at: usize, element: usize) -> Option<Range<usize>> {
    let (count, _) = bytes.get(at..)?.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(element)?;
    let start = at + 8;
    let end = start.checked_add(length)?;
    (end <= bytes.len()).then_some(start..end)
}
