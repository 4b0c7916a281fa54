//! Formats of result files.

use std::path::Path;

/// The format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Text: a line for every point, a column for every feature.
    Csv {
        /// The character between cells.
        delimiter: u8,
    },
    /// An array of objects, one on every line.
    Json,
    /// Apache Parquet (feature `parquet`): a column for every feature.
    Parquet,
    /// An Excel workbook (feature `xlsx`): one sheet, with a column for every feature.
    Xlsx,
    /// A table for the terminal: a line for every point with its strongest
    /// features.
    Table {
        /// Whether positive relevances are red and negative ones blue, by ANSI
        /// escape sequences.
        coloured: bool,
    },
}

impl Format {
    /// The format that belongs to the extension of a file: `.json`, `.parquet` or
    /// `.pq`, `.xlsx`, `.tsv` or `.tab` (text with tabs), `.csv`.
    ///
    /// ```
    /// use neuralize::output::Format;
    ///
    /// assert_eq!(Format::of("why.json"), Some(Format::Json));
    /// assert_eq!(Format::of("why.TSV"), Some(Format::Csv { delimiter: b'\t' }));
    /// assert_eq!(Format::of("why"), None);
    /// ```
    pub fn of(path: impl AsRef<Path>) -> Option<Self> {
        let extension = path.as_ref().extension()?.to_string_lossy().to_lowercase();
        match extension.as_str() {
            "csv" => Some(Self::Csv { delimiter: b',' }),
            "tsv" | "tab" => Some(Self::Csv { delimiter: b'\t' }),
            "json" => Some(Self::Json),
            "parquet" | "pq" => Some(Self::Parquet),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }
}
