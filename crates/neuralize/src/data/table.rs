//! A table of numbers with named columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{DType, Tensor, backend::Backend};

use crate::data::encoding::Encoding;
use crate::data::labels;
use crate::error::{Error, Result};
use crate::transfer;

/// A table of numbers with a name for every column and, if a label column was
/// named, a label for every row.
///
/// ```
/// use neuralize::data::{TableOptions, Table};
///
/// let wine = Table::wine();
/// assert_eq!((wine.rows(), wine.features().len()), (178, 13));
///
/// let error = Table::read("no such file.csv", &TableOptions::default()).unwrap_err();
/// assert!(error.to_string().starts_with("no such file.csv: "));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    features: Vec<String>,
    values: Vec<f64>,
    labels: Option<Vec<String>>,
    ids: Option<Vec<String>>,
    encoding: Option<Arc<Encoding>>,
    /// Rows of the file that were read, and which of them these rows are, if some were left out.
    read: usize,
    kept: Option<Vec<usize>>,
    gaps: Gaps,
}

/// Cells and rows of a table that had no usable value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Gaps {
    /// Row and column (of the encoding) of every missing value that another value stands for.
    pub filled: Vec<(usize, usize)>,
    /// Number of rows that were left out because a value is missing.
    pub left_out: usize,
    /// Number of rows that were left out because they have no value at all.
    pub blank: usize,
    /// Values that a category does not have: by column of the encoding, how many, and the first.
    pub unknown: BTreeMap<usize, (usize, String)>,
}

impl Gaps {
    /// How many values were filled, by column of the encoding.
    pub fn filled_by_column(&self) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for (_, column) in &self.filled {
            *counts.entry(*column).or_default() += 1;
        }
        counts
    }

    /// Adds the counts of another part; filled cells stay apart.
    pub fn add(&mut self, other: &Self) {
        self.left_out += other.left_out;
        self.blank += other.blank;
        for (column, (count, first)) in &other.unknown {
            self.unknown.entry(*column).or_insert_with(|| (0, first.clone())).0 += count;
        }
    }
}

impl Table {
    /// A table from its columns' names and its values, row by row.
    ///
    /// # Errors
    ///
    /// If there is no column or the values do not fill the rows.
    pub fn new(features: Vec<String>, values: Vec<f64>) -> Result<Self> {
        if features.is_empty() {
            return Err(Error::Empty { what: "the table" });
        }
        if !values.len().is_multiple_of(features.len()) {
            let expected = format!("[rows × {}]", features.len());
            return Err(Error::shape("the table", expected, &[values.len()]));
        }
        let read = values.len() / features.len();
        let gaps = Gaps::default();
        Ok(Self {
            features,
            values,
            labels: None,
            ids: None,
            encoding: None,
            read,
            kept: None,
            gaps,
        })
    }

    /// A table that was read by an encoding: rows that were read, and which of them are kept.
    pub(in crate::data) fn read_by(
        encoding: &Arc<Encoding>,
        values: Vec<f64>,
        labels: Option<Vec<String>>,
        ids: Option<Vec<String>>,
        (read, kept): (usize, Vec<usize>),
        gaps: Gaps,
    ) -> Self {
        let kept = (kept.len() < read).then_some(kept);
        let (features, encoding) = (encoding.features(), Some(encoding.clone()));
        Self { features, values, labels, ids, encoding, read, kept, gaps }
    }

    pub(in crate::data) fn no_rows(encoding: &Arc<Encoding>) -> Self {
        let none = (Vec::new(), None, None, (0, Vec::new()), Gaps::default());
        Self::read_by(encoding, none.0, none.1, none.2, none.3, none.4)
    }

    /// How columns of a file became these features, if the table was read from one.
    pub fn encoding(&self) -> Option<&Encoding> {
        self.encoding.as_deref()
    }

    /// The table with marks at values that stand for missing ones, by row and column.
    #[cfg(feature = "report")]
    pub(crate) fn with_filled(mut self, filled: Vec<(usize, usize)>) -> Self {
        self.gaps.filled = filled;
        self
    }

    /// What became of missing and unknown values.
    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    /// Names of the rows, if a column of names was named.
    pub fn ids(&self) -> Option<&[String]> {
        self.ids.as_deref()
    }

    /// Rows that were read, those that were left out among them.
    pub fn rows_read(&self) -> usize {
        self.read
    }

    /// Numbers of the rows among those that were read.
    pub fn numbers(&self) -> Vec<usize> {
        self.kept.clone().unwrap_or_else(|| (0..self.rows()).collect())
    }

    /// Names of the columns, D of them.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Number of rows, N.
    pub fn rows(&self) -> usize {
        self.values.len() / self.features.len()
    }

    /// One row, D values.
    pub fn row(&self, index: usize) -> Option<&[f64]> {
        self.values.chunks_exact(self.features.len()).nth(index)
    }

    /// The given rows, in the given order. Rows beyond the end are left out.
    pub fn select(&self, rows: &[usize]) -> Self {
        let known: Vec<usize> = rows.iter().copied().filter(|row| *row < self.rows()).collect();
        let texts = |texts: &Option<Vec<String>>| -> Option<Vec<String>> {
            let texts = texts.as_ref()?;
            Some(known.iter().filter_map(|row| texts.get(*row).cloned()).collect())
        };
        let mut filled_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (row, column) in &self.gaps.filled {
            filled_of.entry(*row).or_default().push(*column);
        }
        let filled = known.iter().enumerate().flat_map(|(at, row)| {
            filled_of.get(row).into_iter().flatten().map(move |column| (at, *column))
        });
        Self {
            features: self.features.clone(),
            values: known.iter().filter_map(|row| self.row(*row)).flatten().copied().collect(),
            labels: texts(&self.labels),
            ids: texts(&self.ids),
            encoding: self.encoding.clone(),
            read: known.len(),
            kept: None,
            gaps: Gaps { filled: filled.collect(), ..self.gaps.clone() },
        }
    }

    /// The label of every row, if a label column was named.
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// The labels as known classes: the number of every row's class, and the
    /// names of the classes in the order of their text. Rows without a label form
    /// a class of their own.
    pub fn classes(&self) -> Option<(Vec<usize>, Vec<String>)> {
        self.labels.as_deref().map(labels::classes)
    }

    /// The labels as clusters, for
    /// [`LabelledConfig`](crate::cluster::LabelledConfig): the number of every
    /// row's cluster (`None` for noise), and the names of the clusters, ordered
    /// as numbers if all of them are numbers and as text otherwise.
    ///
    /// Rows without a label are noise, and so are those with one of the labels in
    /// `noise`; numbers are compared as numbers.
    ///
    /// ```
    /// use neuralize::data::{TableOptions, TableReader};
    ///
    /// let options = TableOptions::default().with_label("found");
    /// let text = "x,found\n1,10\n2,9\n3,-1.0\n4,10\n";
    /// let table = TableReader::csv("points", text.as_bytes(), &options)?.read_all()?;
    /// let (clusters, names) = table.clusters(&["-1"]).expect("a label column");
    /// assert_eq!(names, ["9", "10"]);
    /// assert_eq!(clusters, [Some(1), Some(0), None, Some(1)]);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    pub fn clusters(&self, noise: &[impl AsRef<str>]) -> Option<(Vec<Option<usize>>, Vec<String>)> {
        self.labels.as_deref().map(|labels| labels::clusters(labels, noise))
    }

    /// The values on a device, `[N, D]`.
    ///
    /// # Errors
    ///
    /// If the precision is neither F32 nor F64, or a value is beyond its range.
    pub fn to_tensor<B: Backend>(&self, device: &B::Device, dtype: DType) -> Result<Tensor<B, 2>> {
        if !matches!(dtype, DType::F32 | DType::F64) {
            return Err(Error::UnsupportedDType { what: "the table", found: dtype });
        }
        let (rows, columns) = (self.rows(), self.features.len());
        let limit = transfer::largest(dtype);
        if let Some(index) = self.values.iter().position(|value| value.abs() > limit) {
            return Err(Error::TooLarge {
                what: "the table",
                row: index / columns,
                column: index % columns,
                value: self.values[index],
                limit,
            });
        }
        Ok(transfer::upload(self.values.clone(), [rows, columns], device, dtype))
    }

    /// Columns whose values lie so far from zero that f32 keeps fewer than three
    /// digits of their spread.
    pub fn coarse_in_f32(&self) -> Vec<&str> {
        let columns = self.features.len();
        let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); columns];
        for row in self.values.chunks_exact(columns) {
            for (range, value) in ranges.iter_mut().zip(row) {
                *range = (range.0.min(*value), range.1.max(*value));
            }
        }
        let coarse = |(min, max): (f64, f64)| {
            let step = min.abs().max(max.abs()) * f64::from(f32::EPSILON);
            max > min && step > 1e-3 * (max - min)
        };
        let named = self.features.iter().zip(ranges);
        named.filter(|(_, range)| coarse(*range)).map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_in_any_order() {
        let wine = Table::wine();
        let some = wine.select(&[177, 3, 178, 3]);
        assert_eq!(some.rows(), 3);
        assert_eq!((some.row(0), some.row(2)), (wine.row(177), wine.row(3)));
        assert_eq!(some.labels(), Some(&["2", "0", "0"].map(str::to_owned)[..]));
    }

    #[test]
    fn coarse_columns_are_named() {
        let names = ["time", "x"].map(str::to_owned).to_vec();
        let table = Table::new(names, vec![1700000001.0, 1.0, 1700000500.0, 2.0]);
        assert_eq!(table.expect("a table").coarse_in_f32(), ["time"]);
        assert!(Table::wine().coarse_in_f32().is_empty());
    }
}
