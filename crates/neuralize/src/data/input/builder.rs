//! A table that is being read.

use std::collections::BTreeMap;

use crate::data::encoding::{Encoder, Missing, Outcome};
use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::is_missing;
use crate::data::input::rows::Sink;
use crate::data::table::{Gaps, Table};
use crate::error::{Error, Result};
use crate::text::Shown;

/// The rows read so far, and their missing values.
pub(in crate::data) struct TableBuilder<'a> {
    encoder: &'a Encoder,
    values: Vec<f64>,
    labels: Option<Vec<String>>,
    ids: Option<Vec<String>>,
    /// Rows of the part that are kept, if any was left out.
    kept: Vec<usize>,
    gaps: Gaps,
    /// Missing values that are errors.
    missing: usize,
    first_missing: Vec<String>,
    row: Row,
}

/// The row that is being read.
#[derive(Default)]
struct Row {
    /// Its number in this part.
    number: usize,
    /// Where its features begin.
    start: usize,
    missing: usize,
    filled_before: usize,
}

impl<'a> TableBuilder<'a> {
    pub(in crate::data) fn new(columns: &Columns, encoder: &'a Encoder) -> Self {
        Self {
            encoder,
            values: Vec::new(),
            labels: columns.label.map(|_| Vec::new()),
            ids: columns.id.map(|_| Vec::new()),
            kept: Vec::new(),
            gaps: Gaps { filled: Vec::new(), left_out: 0, blank: 0, unknown: BTreeMap::new() },
            missing: 0,
            first_missing: Vec::new(),
            row: Row::default(),
        }
    }

    /// The table, if no missing value is an error.
    pub(in crate::data) fn finish(self, columns: &Columns) -> Result<Table> {
        if self.missing > 0 {
            return Err(Error::MissingValues {
                file: columns.file.clone(),
                count: self.missing,
                first: self.first_missing.join("; "),
            });
        }
        Ok(Table::read_by(
            self.encoder.encoding(),
            self.values,
            self.labels,
            self.ids,
            (self.row.number, self.kept),
            self.gaps,
        ))
    }

    fn note_missing(&mut self, columns: &Columns, at: usize, place: &dyn Fn() -> Place) {
        const SHOWN: usize = 3;
        self.row.missing += 1;
        match self.encoder.encoding().missing {
            Missing::Error => {
                self.missing += 1;
                if self.first_missing.len() < SHOWN {
                    let name = Shown(&columns.names[at]);
                    self.first_missing.push(format!("{}, column `{name}`", place()));
                }
            }
            Missing::Fill => self.gaps.filled.push((self.kept.len(), at)),
            Missing::Drop => {}
        }
    }
}

impl Sink for TableBuilder<'_> {
    #[inline]
    fn cell(
        &mut self,
        columns: &Columns,
        at: usize,
        cell: Cell<'_>,
        place: &dyn Fn() -> Place,
    ) -> Result<()> {
        match self.encoder.push(at, cell, &mut self.values) {
            Outcome::Taken => {}
            Outcome::Missing => self.note_missing(columns, at, place),
            Outcome::Unknown(value) => {
                self.gaps.unknown.entry(at).or_insert((0, value)).0 += 1;
            }
            Outcome::Refused(reason) => {
                return Err(refused(columns, &columns.names[at], cell, reason, place()));
            }
        }
        Ok(())
    }

    fn label(&mut self, text: &str) {
        if let Some(labels) = &mut self.labels {
            labels.push(label_text(text));
        }
    }

    fn id(&mut self, text: &str) {
        if let Some(ids) = &mut self.ids {
            ids.push(text.to_owned());
        }
    }

    fn end_row(&mut self, columns: &Columns) {
        let missing = std::mem::take(&mut self.row.missing);
        let is_blank = missing == columns.names.len();
        let leave_out = match self.encoder.encoding().missing {
            Missing::Error => false,
            Missing::Fill => is_blank,
            Missing::Drop => missing > 0,
        };
        if leave_out {
            self.values.truncate(self.row.start);
            self.gaps.filled.truncate(self.row.filled_before);
            self.labels.as_mut().map(Vec::pop);
            self.ids.as_mut().map(Vec::pop);
            self.gaps.left_out += usize::from(!is_blank);
            self.gaps.blank += usize::from(is_blank);
        } else {
            self.kept.push(self.row.number);
        }
        self.row.number += 1;
        self.row.start = self.values.len();
        self.row.filled_before = self.gaps.filled.len();
    }
}

/// The error of a cell that a column cannot have.
pub(in crate::data) fn refused(
    columns: &Columns,
    name: &str,
    cell: Cell<'_>,
    reason: &'static str,
    place: Place,
) -> Error {
    let text = match cell {
        Cell::Text(text) => text.to_owned(),
        Cell::Number(value) | Cell::Whole(value) | Cell::Day(value) => value.to_string(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Missing => String::new(),
    };
    let file = columns.file.clone();
    match place {
        Place::Line(line) => Error::Cell { file, line, column: name.to_owned(), text, reason },
        Place::Row(_) => {
            let detail = format!("{place}, column `{}`: `{}` {reason}", Shown(name), Shown(&text));
            Error::Table { file, detail }
        }
    }
}

/// The text of a label; empty for a missing one.
pub(in crate::data) fn label_text(text: &str) -> String {
    if is_missing(text) { String::new() } else { text.trim().to_owned() }
}
