//! Tables read from files and scaled, at once or in parts.

use std::collections::HashSet;

use burn::tensor::{DType, Tensor, backend::Backend};

use crate::data::input::TableReader;
use crate::data::row_set::RowSet;
use crate::data::scaler::{Scale, Scaler, ScalerFit};
use crate::data::table::{Gaps, Table};
use crate::error::{Error, Result};

/// Rows to read at a time from a table that may be larger than memory: as many as make 2¹⁹ numbers
/// if every row produces `columns` of them, but at least 64.
pub fn part_rows(columns: usize) -> usize {
    const NUMBERS: usize = 1 << 19;
    (NUMBERS / columns.max(1)).max(64)
}

/// Rows of a file, unscaled and scaled.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ScaledTable<B: Backend> {
    /// Number of every row in the file, counted from 0, in ascending order.
    pub rows: Vec<usize>,
    /// The rows in the units of the file.
    pub table: Table,
    /// The scaled rows, `[N, D]`.
    pub x: Tensor<B, 2>,
    file: String,
    is_scaled: bool,
}

impl<B: Backend> ScaledTable<B> {
    /// Turns an error about a value of [`x`](Self::x) into an error about the file, with the name
    /// of the file, the row and the name of the column. Other errors are unchanged.
    pub fn located(&self, error: Error) -> Error {
        let row = |row: usize| self.rows.get(row).copied().unwrap_or(row);
        error.located(&self.file, self.table.features(), row, self.is_scaled)
    }
}

impl Scale {
    /// Reads all remaining rows, fits a scaler to them and scales them. A fit to a table starts
    /// from the result.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::DType;
    /// use neuralize::data::{Scale, TableOptions, TableReader};
    ///
    /// let text = "width,height\n1,7\n3,9\n";
    /// let reader = TableReader::csv("shapes", text.as_bytes(), &TableOptions::default())?;
    /// let (scaler, data) = Scale::MinMax.fit_table::<Flex>(reader, &Default::default(), DType::F64)?;
    /// assert_eq!(data.table.row(1), Some(&[3.0, 9.0][..]));
    /// assert_eq!(data.x.into_data().iter::<f64>().collect::<Vec<_>>(), [0.0, 0.0, 1.0, 1.0]);
    /// # let _ = scaler;
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`TableReader::read_rows`], and if there are no rows or a value is too
    /// large.
    pub fn fit_table<B: Backend>(
        self,
        mut reader: TableReader<'_>,
        device: &B::Device,
        dtype: DType,
    ) -> Result<(Scaler<B>, ScaledTable<B>)> {
        let table = reader.read_all()?;
        let file = reader.name().to_owned();
        self.fit_rows(table, file, device, dtype)
    }

    /// As [`fit_table`](Self::fit_table), for a table that was read already, from a file of this name.
    ///
    /// # Errors
    ///
    /// If there are no rows or a value is too large.
    pub fn fit_rows<B: Backend>(
        self,
        table: Table,
        file: String,
        device: &B::Device,
        dtype: DType,
    ) -> Result<(Scaler<B>, ScaledTable<B>)> {
        if table.rows() == 0 {
            return Err(Error::Table { file, detail: "the table has no rows".into() });
        }
        let rows = table.numbers();
        let fit = || {
            let x = table.to_tensor::<B>(device, dtype)?;
            let mut fit = self.start().with_categories(table.encoding());
            fit.add(&x)?;
            let scaler = fit.finish()?;
            Ok((scaler.transform(&x)?, scaler))
        };
        let (x, scaler) = fit().map_err(|error: Error| {
            error.located(&file, table.features(), |row| rows[row], false)
        })?;
        let is_scaled = !scaler.is_identity();
        Ok((scaler, ScaledTable { rows, table, x, file, is_scaled }))
    }
}

impl<B: Backend> ScalerFit<B> {
    /// Adds all remaining rows, `part_rows` at a time, and returns their number.
    /// Errors count rows from the one that is read first.
    ///
    /// # Errors
    ///
    /// As [`TableReader::read_rows`] and [`add`](Self::add).
    pub fn add_table(
        &mut self,
        mut reader: TableReader<'_>,
        part_rows: usize,
        device: &B::Device,
        dtype: DType,
    ) -> Result<usize> {
        let (mut first, mut rows) = (0, 0);
        loop {
            let table = reader.read_rows(part_rows)?;
            if table.rows_read() == 0 {
                return Ok(rows);
            }
            if table.rows() > 0 {
                let numbers = table.numbers();
                let add = table.to_tensor::<B>(device, dtype).and_then(|x| self.add(&x));
                add.map_err(|error| {
                    let row = |row: usize| first + numbers[row];
                    error.located(reader.name(), table.features(), row, false)
                })?;
            }
            first += table.rows_read();
            rows += table.rows();
        }
    }
}

/// Scaled parts of a table that may be larger than memory, in the order of the
/// file; made by [`Model::parts`](crate::record::Model::parts) and
/// [`Scaler::parts`].
///
/// The iterator ends after the last selected row, without reading the rest of the
/// file, and after an error.
pub struct ScaledParts<'a, B: Backend> {
    reader: TableReader<'a>,
    scaler: Scaler<B>,
    is_scaled: bool,
    rows: Option<RowSet>,
    limit: Option<usize>,
    part_rows: usize,
    observer: Option<Box<dyn FnMut(u64) + 'a>>,
    /// Row of the file that is read next.
    next: usize,
    is_done: bool,
}

impl<B: Backend> Scaler<B> {
    /// Scaled parts of the table that a reader reads. Its features must be those
    /// of the scaler, and nothing may have been read of it: rows are counted from
    /// the one that is read first.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::DType;
    /// use neuralize::data::{Scaler, TableOptions, TableReader};
    ///
    /// let text = "a,b\n1,2\n3,4\n5,6\n7,8\n";
    /// let reader = TableReader::csv("t.csv", text.as_bytes(), &TableOptions::default())?;
    /// let scaler = Scaler::<Flex>::identity(2, &Default::default(), DType::F64);
    /// let parts = scaler.parts(reader).with_rows("0,2-3".parse()?).with_part_rows(2);
    /// let rows: Vec<Vec<usize>> =
    ///     parts.map(|part| Ok(part?.rows)).collect::<Result<_, neuralize::Error>>()?;
    /// assert_eq!(rows, [vec![0], vec![2, 3]]);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    pub fn parts<'a>(&self, reader: TableReader<'a>) -> ScaledParts<'a, B> {
        ScaledParts {
            reader,
            scaler: self.clone(),
            is_scaled: !self.is_identity(),
            rows: None,
            limit: None,
            part_rows: part_rows(self.n_features()),
            observer: None,
            next: 0,
            is_done: false,
        }
    }
}

impl<'a, B: Backend> ScaledParts<'a, B> {
    /// The column that names the rows, if there is one.
    pub fn id(&self) -> Option<&str> {
        self.reader.id()
    }

    /// What was found in the file so far, as [`TableReader::notes`].
    pub fn notes(&self) -> &[String] {
        self.reader.notes()
    }

    /// Selects rows. A row that the file does not have is an error.
    pub fn with_rows(mut self, rows: RowSet) -> Self {
        self.rows = Some(rows);
        self
    }

    /// Selects the first `limit` rows, or the first of the selected rows.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets how many rows are read at a time. By default, [`part_rows`] of the number
    /// of features.
    pub fn with_part_rows(mut self, rows: usize) -> Self {
        self.part_rows = rows.max(1);
        self
    }

    /// Sets a function that is called after every read, with the number of bytes read
    /// so far.
    pub fn with_observer(mut self, observer: impl FnMut(u64) + 'a) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// The next part with a selected row, if there is one.
    fn advance(&mut self) -> Result<Option<ScaledTable<B>>> {
        if self.next == 0
            && let (Some(rows), Some(limit @ 1..)) = (&self.rows, self.limit)
        {
            self.rows = Some(rows.lowest(limit));
        }
        let selected = &self.rows;
        let end = match selected {
            _ if self.limit == Some(0) => 0,
            Some(rows) => rows.last().saturating_add(1),
            None => self.limit.unwrap_or(usize::MAX),
        };
        while self.next < end {
            let wanted = self.part_rows.min(end - self.next);
            let read = self.reader.read_rows(wanted)?;
            let first = self.next;
            self.next += read.rows_read();
            if let Some(rows) = selected
                && read.rows_read() < wanted
                && rows.last() >= self.next
            {
                return Err(self.beyond_the_end(rows.last()));
            }
            if let Some(observer) = &mut self.observer {
                observer(self.reader.bytes_read());
            }
            if read.rows_read() == 0 {
                break;
            }
            let numbers: Vec<usize> = read.numbers().iter().map(|row| first + row).collect();
            let (rows, table): (Vec<usize>, Table) = match selected {
                None => (numbers, read),
                Some(rows) => {
                    let wanted: HashSet<usize> = rows.within(first..self.next).collect();
                    let some: Vec<usize> =
                        (0..numbers.len()).filter(|at| wanted.contains(&numbers[*at])).collect();
                    (some.iter().map(|at| numbers[*at]).collect(), read.select(&some))
                }
            };
            if !rows.is_empty() || table.gaps() != &Gaps::default() {
                return self.scaled(rows, table).map(Some);
            }
        }
        Ok(None)
    }

    fn scaled(&self, rows: Vec<usize>, table: Table) -> Result<ScaledTable<B>> {
        let (device, dtype) = self.scaler.place();
        let file = self.reader.name();
        let x = table
            .to_tensor::<B>(&device, dtype)
            .and_then(|x| self.scaler.transform(&x))
            .map_err(|error| error.located(file, table.features(), |row| rows[row], false))?;
        Ok(ScaledTable { rows, table, x, file: file.to_owned(), is_scaled: self.is_scaled })
    }

    fn beyond_the_end(&self, row: usize) -> Error {
        let detail = match self.next {
            0 => format!("there is no row {row}, the table has no rows"),
            1 => format!("there is no row {row}, the table has 1 row, row 0"),
            rows => format!("there is no row {row}, the table has {rows} rows, 0 to {}", rows - 1),
        };
        Error::Table { file: self.reader.name().to_owned(), detail }
    }
}

impl<B: Backend> Iterator for ScaledParts<'_, B> {
    type Item = Result<ScaledTable<B>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let part = self.advance().transpose();
        self.is_done = !matches!(part, Some(Ok(_)));
        part
    }
}
