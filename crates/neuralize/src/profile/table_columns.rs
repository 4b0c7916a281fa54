//! The columns of a table, from the features that a model sees.

use std::sync::Arc;

use crate::data::{Column, Encoding, Kind, Table};
use crate::profile::clustered_rows::ColumnValues;
use crate::text;

/// The columns of a table in the units of the file, collected part by part.
///
/// ```
/// use neuralize::data::{Survey, SurveyOptions};
/// use neuralize::profile::{ClusteredRows, Profile, TableColumns};
///
/// let text = "weight,colour\n1.5,red\n2.5,red\n2.0,red\n9.0,blue\n8.5,blue\n9.5,blue\n";
/// let table = Survey::csv("fruit", text.as_bytes(), &SurveyOptions::new(Default::default()))?.table()?;
/// let mut columns = TableColumns::default();
/// columns.add(&table, &table.numbers());
/// let columns = columns.values();
/// let profile = Profile::of(&ClusteredRows::new(&columns, &[0, 0, 0, 1, 1, 1], 2)?);
/// assert_eq!(profile.clusters[0].size, 3);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TableColumns {
    columns: Vec<Collected>,
    rows: usize,
    names: Option<Vec<String>>,
    numbers: Vec<usize>,
}

/// A column so far.
#[derive(Debug, Clone)]
struct Collected {
    name: String,
    cells: Collection,
    /// Whether a value stands for a missing one.
    filled: Vec<bool>,
}

#[derive(Debug, Clone)]
enum Collection {
    Numbers(Vec<f64>),
    Dates(Vec<f64>),
    Flags(Vec<bool>),
    Category { codes: Vec<Option<usize>>, values: Vec<String> },
}

impl TableColumns {
    /// Adds the rows of a part of the table, which has the columns of the parts before it, with
    /// their numbers in the file.
    pub fn add(&mut self, table: &Table, numbers: &[usize]) {
        let encoding = match table.encoding() {
            Some(encoding) => Arc::new(encoding.clone()),
            None => Arc::new(Encoding::numbers(table.features())),
        };
        if self.columns.is_empty() {
            self.columns = encoding.columns.iter().map(Collected::new).collect();
        }
        let width = encoding.columns.len().max(1);
        let start = self.rows;
        let features: Vec<f64> =
            (0..table.rows()).filter_map(|row| table.row(row)).flatten().copied().collect();
        for row in encoding.values(&features).chunks_exact(width) {
            for (column, value) in self.columns.iter_mut().zip(row) {
                column.push(*value);
            }
        }
        self.numbers.extend(numbers);
        self.rows += table.rows();
        for (row, column) in &table.gaps().filled {
            let column = self.columns.get_mut(*column);
            if let Some(cell) = column.and_then(|column| column.filled.get_mut(start + row)) {
                *cell = true;
            }
        }
        if let Some(ids) = table.ids() {
            self.names.get_or_insert_default().extend(ids.iter().cloned());
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Names of the rows, if they have names.
    pub fn row_names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    /// The numbers of the rows in their file, counted from 0.
    pub fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// The number of a row in its file, counted from 0.
    pub fn number(&self, row: usize) -> usize {
        self.numbers.get(row).copied().unwrap_or(row)
    }

    /// The columns, `[C]`. A constant column has no v-test, a missing value that was filled counts
    /// for nothing.
    pub fn values(&self) -> Vec<ColumnValues<'_>> {
        self.columns.iter().map(Collected::values).collect()
    }
}

impl Collected {
    fn new(column: &Column) -> Self {
        let cells = match &column.kind {
            Kind::Number => Collection::Numbers(Vec::new()),
            Kind::Date => Collection::Dates(Vec::new()),
            Kind::Flag => Collection::Flags(Vec::new()),
            Kind::Category { values } => {
                Collection::Category { codes: Vec::new(), values: values.clone() }
            }
        };
        Self { name: column.name.clone(), cells, filled: Vec::new() }
    }

    fn push(&mut self, value: f64) {
        match &mut self.cells {
            Collection::Numbers(values) | Collection::Dates(values) => values.push(value),
            Collection::Flags(flags) => flags.push(value > 0.5),
            Collection::Category { codes, .. } => {
                codes.push((value >= 0.0).then_some(value as usize))
            }
        }
        self.filled.push(false);
    }

    fn values(&self) -> ColumnValues<'_> {
        let name = &self.name;
        let values = match &self.cells {
            Collection::Numbers(values) => ColumnValues::numbers(name, values),
            Collection::Dates(values) => ColumnValues::numbers(name, values).with_text(text::date),
            Collection::Flags(flags) => ColumnValues::flags(name, flags),
            Collection::Category { codes, values } => ColumnValues::category(name, codes, values),
        };
        values.with_filled(&self.filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ColumnKind, Survey, SurveyOptions, TableOptions};
    use crate::profile::clustered_rows::Cells;

    #[test]
    fn columns_are_those_of_the_file() {
        let text = "a,f,c,d,n\n1.5,yes,x,2024-01-01,r\n,no,y,2024-01-03,s\n3,yes,,2024-01-02,t\n4,yes,x,2024-01-05,u\n";
        let options = SurveyOptions::new(TableOptions::default().with_id("n"))
            .with_kind("c", ColumnKind::Category)
            .with_kind("d", ColumnKind::Date)
            .with_log("a");
        let table = Survey::csv("t", text.as_bytes(), &options).and_then(|found| found.table());
        let table = table.expect("a table");
        let mut columns = TableColumns::default();
        columns.add(&table.select(&[0, 1]), &[10, 11]);
        columns.add(&table.select(&[2, 3]), &[12, 20]);
        assert_eq!((columns.n_rows(), columns.number(3)), (4, 20));
        assert_eq!(columns.row_names().expect("names"), ["r", "s", "t", "u"]);
        let values = columns.values();
        assert_eq!(values.iter().map(ColumnValues::name).collect::<Vec<_>>(), ["a", "f", "c", "d"]);
        match values[0].cells() {
            Cells::Numbers(numbers) => {
                let expected = [1.5, 3.0, 3.0, 4.0];
                assert!(
                    numbers.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12),
                    "{numbers:?}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(values[1].cells(), Cells::Flags([true, false, true, true])));
        match values[2].cells() {
            Cells::Category { codes, values } => {
                assert_eq!(codes, [Some(0), Some(1), Some(0), Some(0)]);
                assert_eq!(values, ["x", "y"]);
            }
            other => panic!("{other:?}"),
        }
        let filled =
            |at: usize| (0..4).filter(|row| values[at].is_filled(*row)).collect::<Vec<_>>();
        assert_eq!((filled(0), filled(2), filled(3)), (vec![1], vec![2], vec![]));
    }
}
