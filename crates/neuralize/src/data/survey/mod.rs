//! What the columns of a table are: numbers, categories, dates, identifiers, and what is done with
//! them.

mod column;
mod column_kind;
mod kind;

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::data::encoding::{Encoder, Encoding, Missing};
use crate::data::input::{
    self, Cell, Columns, Decimal, Opened, Place, Sink, TableBuilder, TableOptions, label_text,
};
use crate::data::scaler::Scale;
use crate::data::survey::column::{ColumnCells, Reading};
use crate::data::survey::kind::Context;
use crate::data::table::Table;
use crate::error::{Error, Result};
use crate::text::Shown;

pub use column_kind::ColumnKind;
pub use kind::{Extreme, Found};

/// How a survey decides about columns.
#[derive(Debug, Clone, Default)]
pub struct SurveyOptions {
    table: TableOptions,
    stated: Vec<(String, ColumnKind)>,
    logged: Vec<String>,
    missing: Missing,
}

impl SurveyOptions {
    /// Options with those of the table: label, names of rows, columns that are dropped or selected.
    pub fn new(table: TableOptions) -> Self {
        Self { table, missing: Missing::Fill, ..Self::default() }
    }

    /// Says what a column is. Call it again for further columns.
    pub fn with_kind(mut self, column: impl Into<String>, kind: ColumnKind) -> Self {
        self.stated.push((column.into(), kind));
        self
    }

    /// Takes the logarithm of 1 + number of a column.
    pub fn with_log(mut self, column: impl Into<String>) -> Self {
        self.logged.push(column.into());
        self
    }

    /// Sets what happens to missing values. By default they are filled.
    pub fn with_missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// Whether a column that is read was asked for by its name.
    fn asks_for(&self, name: &str) -> bool {
        self.table.selects() || self.logged.iter().any(|column| column == name)
    }

    /// The kind that was stated for a column, last.
    fn kind_of(&self, name: &str) -> Option<ColumnKind> {
        self.stated.iter().rev().find(|(column, _)| column == name).map(|(_, kind)| *kind)
    }
}

/// What the columns of a table are, and what is done with them: numbers, yes or no, and categories
/// become features; dates, identifiers and texts are left out unless
/// [`SurveyOptions::with_kind`] says otherwise.
///
/// ```
/// use neuralize::data::{ColumnKind, Survey, SurveyOptions};
///
/// let text = "id,width,colour\n11,1.5,red\n12,,blue\n13,2.5,red\n14,9,blue\n";
/// let survey = Survey::csv("shapes", text.as_bytes(), &SurveyOptions::new(Default::default()))?;
/// let kinds: Vec<ColumnKind> = survey.found().iter().map(|found| found.kind).collect();
/// assert_eq!(kinds, [ColumnKind::Identifier, ColumnKind::Number, ColumnKind::Category]);
///
/// let table = survey.table()?;
/// assert_eq!(table.features(), ["width", "colour=blue", "colour=red"]);
/// // The median stands for the missing width.
/// assert_eq!(table.row(1), Some(&[2.5, 1.0, 0.0][..]));
/// # Ok::<(), neuralize::Error>(())
/// ```
pub struct Survey {
    columns: Columns,
    cells: Cells,
    found: Vec<Found>,
    notes: Vec<String>,
    missing: Missing,
    missing_values: Vec<String>,
    /// The decimal sign that the options name, or that the features show.
    decimal: Option<Decimal>,
}

/// The cells of all columns.
struct Cells {
    decimal: Decimal,
    columns: Vec<ColumnCells>,
    labels: Option<Vec<String>>,
    ids: Option<Vec<String>>,
    rows: usize,
    /// Rows without any value, and missing values of the row that is being read.
    blank: usize,
    missing: usize,
    keeps_rows: bool,
}

impl Survey {
    /// Reads a file and keeps its cells.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or lacks a column that the options name.
    pub fn open(path: impl AsRef<Path>, options: &SurveyOptions) -> Result<Self> {
        Self::of(input::open(path.as_ref(), &options.table)?, options, true)
    }

    /// Reads a file that may be larger than memory, and keeps no cells: there is no
    /// [`table`](Self::table). Medians are those of a sample of 65 536 numbers.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn scan(path: impl AsRef<Path>, options: &SurveyOptions) -> Result<Self> {
        Self::of(input::open(path.as_ref(), &options.table)?, options, false)
    }

    /// Reads text from any source and keeps its cells. Error messages call it `name`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn csv(
        name: impl Into<String>,
        source: impl Read,
        options: &SurveyOptions,
    ) -> Result<Self> {
        Self::of(input::text(name.into(), source, &options.table)?, options, true)
    }

    fn of(mut opened: Opened<'_>, options: &SurveyOptions, keeps_rows: bool) -> Result<Self> {
        let mut columns = opened.all(&options.table)?;
        let stated = options.stated.iter().map(|(name, _)| name);
        let stated: Vec<&String> = stated.chain(&options.logged).collect();
        columns.expect(&stated, &opened.header)?;
        // Columns that cannot be read have no cells.
        let unreadable = columns.without_obstacles(&opened.obstacles);
        opened.rows.select(&columns)?;
        // Of a text file it is found, or asked for, from how the file begins.
        let asks_decimal = !opened.is_text() && options.table.named_decimal().is_none();
        let decimal_is_known = opened.decimal_is_known || options.table.named_decimal().is_some();
        let reading = |name: &String| Reading {
            keeps_rows,
            stated: options.kind_of(name),
            is_asked: options.asks_for(name),
            columns: columns.names.len(),
            asks_decimal,
            decimal_is_known,
        };
        let mut cells = Cells {
            decimal: opened.decimal,
            columns: columns.names.iter().map(|name| ColumnCells::new(reading(name))).collect(),
            labels: columns.label.map(|_| Vec::new()),
            ids: columns.id.map(|_| Vec::new()),
            rows: 0,
            blank: 0,
            missing: 0,
            keeps_rows,
        };
        const PART: usize = 1 << 14;
        let mut before = 1;
        while before > 0 {
            let rows = cells.rows;
            opened.rows.read(&columns, PART, &mut cells)?;
            before = cells.rows - rows;
        }
        cells.columns.iter_mut().for_each(|column| column.blank = cells.blank);
        let context = |at: usize, name: &String, position: usize| Context {
            stated: options.kind_of(name),
            is_asked: options.asks_for(name),
            is_index: opened.indices.contains(&position),
            is_first: at == 0,
            obstacle: None,
            log: options.logged.contains(name),
            name: name.clone(),
        };
        let named = columns.names.iter().zip(&columns.positions).enumerate();
        let mut found: Vec<Found> = named
            .map(|(at, (name, position))| {
                Found::of(context(at, name, *position), &cells.columns[at])
            })
            .collect();
        for (name, why) in unreadable {
            let context = Context { obstacle: Some(why), ..context(1, &name, usize::MAX) };
            let reading = Reading { keeps_rows: false, ..reading(&name) };
            found.push(Found::of(context, &ColumnCells::new(reading)));
        }
        let mut notes = opened.notes;
        notes.extend(opened.rows.later_notes());
        let (missing, missing_values) = (options.missing, options.table.missing_values());
        let named = options.table.named_decimal();
        let decimal = named.or_else(|| shown_decimal(&cells, &found, opened.has_commas));
        Ok(Self { columns, cells, found, notes, missing, missing_values, decimal })
    }

    /// What was found, column by column.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// Number of rows of the file.
    pub fn rows(&self) -> usize {
        self.cells.rows
    }

    /// The name of the file in messages.
    pub fn file(&self) -> &str {
        &self.columns.file
    }

    /// What was found in the file and taken for granted, in words.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Names of the columns that were neither selected nor mentioned.
    pub fn ignored(&self) -> &[String] {
        &self.columns.ignored
    }

    /// How columns become features.
    ///
    /// # Errors
    ///
    /// If something must be decided: a column of numbers and something else, no column that can be a
    /// feature, or missing values where they are an error. The message names all of it.
    pub fn encoding(&self) -> Result<Encoding> {
        let fail = |detail: String| Err(Error::Table { file: self.columns.file.clone(), detail });
        if self.cells.rows == 0 {
            return fail("the table has no rows".into());
        }
        let nested = self.found.iter().find(|found| found.remark == "is nested");
        if let Some(found) = nested.filter(|_| self.cells.rows == 1) {
            return fail(format!(
                "is one record, in which `{}` is nested; a table is a list of objects, one for each row",
                Shown(&found.name)
            ));
        }
        let questions: Vec<String> = self
            .found
            .iter()
            .filter_map(|found| {
                let question = found.question.as_ref()?;
                Some(format!("column `{}`: {question}", Shown(&found.name)))
            })
            .collect();
        if !questions.is_empty() {
            return fail(format!(
                "{}; read such a column as a category, drop it, name a value that stands for a missing one (--na), or correct the cell",
                listed(&questions, "; ")
            ));
        }
        let columns: Vec<_> = self.found.iter().filter_map(|found| found.column.clone()).collect();
        if columns.is_empty() {
            let why = described(&self.found.iter().collect::<Vec<_>>());
            return fail(format!("no column can be a feature: {}", listed(&why, ", ")));
        }
        if self.missing == Missing::Error {
            // Here, rows without any value count, too.
            let blank = if self.cells.columns.len() > 1 { self.cells.blank } else { 0 };
            let holes = self.found.iter().filter(|found| found.column.is_some());
            let holes: Vec<String> = holes
                .map(|found| (found.missing + blank, Shown(&found.name)))
                .filter(|(missing, _)| *missing > 0)
                .map(|(missing, name)| format!("{missing} in column `{name}`"))
                .collect();
            if !holes.is_empty() {
                return fail(format!(
                    "missing values: {}; fill or drop these rows first",
                    listed(&holes, ", ")
                ));
            }
        }
        let missing_values = self.missing_values.clone();
        Ok(Encoding { columns, missing: self.missing, missing_values, decimal: self.decimal })
    }

    /// The table of the features.
    ///
    /// # Errors
    ///
    /// As [`encoding`](Self::encoding), and if no cells were kept.
    pub fn table(&self) -> Result<Table> {
        let encoding = self.encoding()?;
        if !self.cells.keeps_rows {
            let detail = "the cells of a scanned table are not kept; read it again".into();
            return Err(Error::Table { file: self.columns.file.clone(), detail });
        }
        let encoder = Encoder::new(Arc::new(encoding), self.cells.decimal).of_values();
        let columns = self.columns.some(|at| self.found[at].column.is_some());
        let chosen: Vec<&ColumnCells> = (0..self.columns.names.len())
            .filter(|at| self.found[*at].column.is_some())
            .map(|at| &self.cells.columns[at])
            .collect();
        let mut table = TableBuilder::new(&columns, &encoder);
        for row in 0..self.cells.rows {
            let place = || Place::Row(row as u64);
            for (at, cells) in chosen.iter().enumerate() {
                table.cell(&columns, at, cells.cell(row), &place)?;
            }
            if let Some(labels) = &self.cells.labels {
                table.label(&labels[row]);
            }
            if let Some(ids) = &self.cells.ids {
                table.id(&ids[row]);
            }
            table.end_row(&columns);
        }
        table.finish(&columns)
    }

    /// A scaling that suits the features, and the reason: standard where columns differ ten times
    /// or more in spread or some are categories, otherwise none.
    pub fn suggested_scale(&self) -> (Scale, String) {
        const APART: f64 = 10.0;
        let features = || self.found.iter().filter(|found| found.column.is_some());
        let category = features().any(|found| found.kind == ColumnKind::Category);
        let spreads = || features().filter(|found| found.spread > 0.0).map(|found| found.spread);
        let (low, high) = spreads()
            .fold((f64::INFINITY, 0.0f64), |(a, b), spread| (a.min(spread), b.max(spread)));
        let ratio = high / low;
        if ratio >= APART {
            let much = match ratio {
                ratio if ratio < 1e4 => format!("{ratio:.0}-fold"),
                ratio if ratio.is_finite() => format!("{ratio:.0e}-fold"),
                // A variance, or the ratio, is too large for a number.
                _ => "very much".to_owned(),
            };
            return (Scale::Standard, format!("since columns differ {much} in spread"));
        }
        match category && high > 0.0 {
            true => (Scale::Standard, "since there are numbers and categories".into()),
            false => (Scale::None, String::new()),
        }
    }

    /// The name of the column that has more than nine tenths of the variance of the features, if
    /// there is one.
    pub fn dominant(&self) -> Option<&str> {
        let varies = |found: &&Found| found.column.is_some() && found.spread > 0.0;
        let features = || self.found.iter().filter(varies);
        let total: f64 = features().map(|found| found.spread.powi(2)).sum();
        let largest = features().max_by(|a, b| a.spread.total_cmp(&b.spread))?;
        let dominates = features().count() > 1 && largest.spread.powi(2) > 0.9 * total;
        dominates.then_some(largest.name.as_str())
    }
}

/// The decimal sign that the features show, where another table of this kind may be read otherwise. A
/// point alone says nothing where commas separate cells: there it is taken unless a comma shows.
fn shown_decimal(cells: &Cells, found: &[Found], has_commas: bool) -> Option<Decimal> {
    let features = || {
        let columns = cells.columns.iter().zip(found);
        columns.filter(|(_, found)| found.column.is_some()).map(|(column, _)| column)
    };
    let has_own = features().any(|column| column.shows_own);
    let has_groups = features().any(|column| column.shows_groups);
    let is_usual = cells.decimal == Decimal::Point && has_commas;
    (has_groups || has_own && !is_usual).then_some(cells.decimal)
}

/// Columns with what is remarkable; those without a name of which the same is said are counted.
fn described(found: &[&Found]) -> Vec<String> {
    let mut unnamed: HashMap<String, usize> = HashMap::new();
    for found in found.iter().copied().filter(|found| found.name.is_empty()) {
        *unnamed.entry(found.to_string()).or_default() += 1;
    }
    let each = found.iter().copied().filter_map(|found| {
        let text = found.to_string();
        if !found.name.is_empty() {
            return Some(text);
        }
        match unnamed.remove(&text)? {
            1 => Some(text),
            count => {
                let what = text.trim_start_matches("(no name)");
                Some(format!("{count} columns without a name{what}"))
            }
        }
    });
    each.collect()
}

/// The first of many, and how many there are more.
fn listed(items: &[String], separator: &str) -> String {
    const SHOWN: usize = 24;
    let shown = items[..items.len().min(SHOWN)].join(separator);
    match items.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{separator}and {more} more"),
    }
}

impl fmt::Display for Survey {
    /// What was found, in lines: the file, the features, what is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, rows, width) = (&self.columns.file, self.cells.rows, self.columns.width);
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        write!(f, "{file}: {rows} row{}, {width} column{}", plural(rows), plural(width))?;
        for note in &self.notes {
            write!(f, "; {note}")?;
        }
        let texts = |is_feature: bool| -> Vec<String> {
            let some = self
                .found
                .iter()
                .filter(|found| found.question.is_none() && found.column.is_some() == is_feature);
            described(&some.collect::<Vec<_>>())
        };
        let mut line = |name: &str, items: Vec<String>| match items.is_empty() {
            true => Ok(()),
            false => write!(f, "\n  {name:<10} {}", listed(&items, ", ")),
        };
        line("features", texts(true))?;
        line("names", self.columns.id_name.iter().map(|name| Shown(name).to_string()).collect())?;
        let label = self.columns.label.map(|_| Shown(&self.columns.label_name).to_string());
        line("label", label.into_iter().collect())?;
        line("left out", texts(false))?;
        let n_features = self.found.iter().filter(|found| found.column.is_some()).count();
        let holes = self.found.iter().any(|found| found.column.is_some() && found.missing > 0);
        if holes {
            let is_sampled = self.cells.columns.iter().any(ColumnCells::is_sampled);
            let how = match self.missing {
                Missing::Fill if n_features == 1 => "rows without a value are left out",
                Missing::Fill if is_sampled => {
                    "filled by the median of a sample or the most frequent value"
                }
                Missing::Fill => "filled by the median or the most frequent value",
                Missing::Drop => "rows with missing values are left out",
                Missing::Error => "an error",
            };
            line("missing", vec![how.to_owned()])?;
        }
        Ok(())
    }
}

impl Sink for Cells {
    #[inline]
    fn cell(
        &mut self,
        _: &Columns,
        at: usize,
        cell: Cell<'_>,
        place: &dyn Fn() -> Place,
    ) -> Result<()> {
        let column = &mut self.columns[at];
        let missing = column.missing;
        column.add(cell, self.decimal, place);
        self.missing += column.missing - missing;
        Ok(())
    }

    fn label(&mut self, text: &str) {
        if let Some(labels) = self.labels.as_mut().filter(|_| self.keeps_rows) {
            labels.push(label_text(text));
        }
    }

    fn id(&mut self, text: &str) {
        if let Some(ids) = self.ids.as_mut().filter(|_| self.keeps_rows) {
            ids.push(text.to_owned());
        }
    }

    fn end_row(&mut self, _: &Columns) {
        self.blank += usize::from(self.missing == self.columns.len());
        self.missing = 0;
        self.rows += 1;
    }
}
