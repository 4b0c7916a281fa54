use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{DType, Tensor, backend::Backend};

use crate::data::{TableOptions, TableReader};
use crate::error::{Error, Result};
use crate::transfer;

/// A table of numbers with a name for every column, and a label for every row
/// where a label column was named.
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
}

/// Labels as numbers from 0, and the label that each number stands for, in order
/// of their text. Rows without a label are of a class of their own.
pub(crate) fn numbered(labels: &[String]) -> (Vec<usize>, Vec<String>) {
    const NONE: &str = "(no label)";
    let text = |label: &String| if label.is_empty() { NONE.to_owned() } else { label.clone() };
    let mut names: Vec<String> = labels.iter().map(text).collect();
    names.sort();
    names.dedup();
    let number: HashMap<&str, usize> =
        names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
    let of = labels.iter().map(|label| number[text(label).as_str()]).collect();
    drop(number);
    (of, names)
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
        Ok(Self { features, values, labels: None })
    }

    pub(in crate::data) fn labelled(
        features: Vec<String>,
        values: Vec<f64>,
        labels: Option<Vec<String>>,
    ) -> Self {
        Self { features, values, labels }
    }

    /// The wine recognition data (Forina et al., UCI Machine Learning
    /// Repository, CC BY 4.0): 178 wines of three cultivars (the labels 0, 1
    /// and 2), 13 measurements.
    pub fn wine() -> Self {
        let options = TableOptions::default().with_label("target");
        TableReader::csv("wine.csv", Self::wine_csv().as_bytes(), &options)
            .and_then(|mut reader| reader.read_all())
            .expect("the embedded table is sound: a test reads it")
    }

    /// The same as the text of a CSV file.
    pub fn wine_csv() -> &'static str {
        include_str!("wine.csv")
    }

    /// Reads a whole file, of the kind that its name says.
    ///
    /// # Errors
    ///
    /// As [`TableReader::open`] and [`TableReader::read_rows`].
    pub fn read(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        TableReader::open(path, options)?.read_all()
    }

    /// Names of the columns, D of them.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// How many rows, N.
    pub fn rows(&self) -> usize {
        self.values.len() / self.features.len()
    }

    /// One row, D values.
    pub fn row(&self, index: usize) -> Option<&[f64]> {
        self.values.chunks_exact(self.features.len()).nth(index)
    }

    /// These rows alone, in this order. What lies beyond the end is left out.
    pub fn select(&self, rows: &[usize]) -> Self {
        let known = rows.iter().filter(|row| **row < self.rows());
        let values = known.clone().filter_map(|row| self.row(*row)).flatten().copied().collect();
        let labels = self
            .labels
            .as_ref()
            .map(|labels| known.filter_map(|row| labels.get(*row).cloned()).collect());
        Self { features: self.features.clone(), values, labels }
    }

    /// The label of every row, if a label column was named.
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// The labels as numbers from 0, with the label each number stands for, in
    /// order of their text.
    pub fn classes(&self) -> Option<(Vec<usize>, Vec<String>)> {
        self.labels.as_deref().map(numbered)
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

    /// Columns that f32 cannot tell apart well: their values lie so far from
    /// zero that less than three digits of their spread are left.
    pub fn coarse_in_f32(&self) -> Vec<&str> {
        let columns = self.features.len();
        let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); columns];
        for row in self.values.chunks_exact(columns) {
            for (range, value) in ranges.iter_mut().zip(row) {
                *range = (range.0.min(*value), range.1.max(*value));
            }
        }
        let coarse = |(least, most): (f64, f64)| {
            let step = least.abs().max(most.abs()) * f64::from(f32::EPSILON);
            most > least && step > 1e-3 * (most - least)
        };
        let named = self.features.iter().zip(ranges);
        named.filter(|(_, range)| coarse(*range)).map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wine_is_sound() {
        let wine = Table::wine();
        assert_eq!((wine.rows(), wine.features().len()), (178, 13));
        let (classes, names) = wine.classes().expect("labels");
        assert_eq!(names, ["0", "1", "2"]);
        assert_eq!(classes.iter().filter(|&&class| class == 1).count(), 71);
    }

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
