//! Which columns of a file are features, label, or not read.

use crate::data::input::options::TableOptions;
use crate::error::{Error, Result};

/// The columns of a file, and which of them are read.
#[derive(Debug)]
pub(super) struct Columns {
    /// The name of the file in messages.
    pub(super) file: String,
    /// Names of all columns.
    pub(super) header: Vec<String>,
    /// Names of the features.
    pub(super) features: Vec<String>,
    /// Position of every feature in the file.
    pub(super) positions: Vec<usize>,
    /// Position of the label.
    pub(super) label: Option<usize>,
    /// Names of the columns that the options do not mention.
    pub(super) ignored: Vec<String>,
}

impl Columns {
    /// The columns that the options select, by name.
    pub(super) fn named(file: String, header: Vec<String>, options: &TableOptions) -> Result<Self> {
        let fail = |detail: String| Err(Error::Table { file: file.clone(), detail });
        for (at, name) in header.iter().enumerate() {
            if header[..at].contains(name) && !options.dropped.contains(name) {
                return fail(format!("two columns are named `{name}`; names must be different"));
            }
        }
        let position = |column: &str| {
            header.iter().position(|name| name == column).ok_or_else(|| Error::UnknownColumn {
                file: file.clone(),
                column: column.to_owned(),
                available: header.clone(),
            })
        };
        let label = options.label.as_deref().map(position).transpose()?;
        let dropped =
            options.dropped.iter().map(|name| position(name)).collect::<Result<Vec<_>>>()?;
        let positions: Vec<usize> = match &options.selected {
            Some(names) => names.iter().map(|name| position(name)).collect::<Result<_>>()?,
            None => {
                (0..header.len()).filter(|at| Some(*at) != label && !dropped.contains(at)).collect()
            }
        };
        if positions.is_empty() {
            return fail("no feature column is left: all are dropped or the label".into());
        }
        if let Some(at) = positions.iter().find(|at| header[**at].is_empty()) {
            return fail(format!(
                "column {} has no name (an exported row index?); give it one, or drop it by the empty name",
                at + 1
            ));
        }
        let ignored = (0..header.len())
            .filter(|at| !positions.contains(at) && Some(*at) != label && !dropped.contains(at))
            .map(|at| header[at].clone())
            .collect();
        let features = positions.iter().map(|at| header[*at].clone()).collect();
        Ok(Self { file, header, features, positions, label, ignored })
    }

    /// All columns of a file, which get these names.
    #[cfg(feature = "npy")]
    pub(super) fn all(file: String, names: Vec<String>) -> Self {
        Self {
            file,
            positions: (0..names.len()).collect(),
            header: names.clone(),
            features: names,
            label: None,
            ignored: Vec::new(),
        }
    }
}
