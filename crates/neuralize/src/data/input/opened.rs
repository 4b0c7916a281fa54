//! A file of any kind that is open: names of its columns, and its rows.

use crate::data::input::blanks::Blanked;
use crate::data::input::columns::Columns;
use crate::data::input::number::Decimal;
use crate::data::input::options::TableOptions;
use crate::data::input::rows::Rows;
use crate::error::{Error, Result};
use crate::text::Shown;

/// A file before its columns are chosen.
pub(in crate::data) struct Opened<'a> {
    /// Its name in messages.
    pub(in crate::data) file: String,
    /// Names of all columns.
    pub(in crate::data) header: Vec<String>,
    /// Why a column cannot be read, for the columns that cannot.
    pub(in crate::data) obstacles: Vec<(usize, String)>,
    /// Positions of the columns that the file says are an index of rows.
    pub(in crate::data) indices: Vec<usize>,
    /// Whether columns have no names of their own.
    pub(in crate::data) is_unnamed: bool,
    /// Whether it has lines or rows that can be skipped, and sheets.
    pub(super) has_lines: bool,
    pub(super) has_sheets: bool,
    /// Whether commas separate its cells.
    pub(in crate::data) has_commas: bool,
    /// What was taken for what.
    pub(in crate::data) notes: Vec<String>,
    /// The decimal sign of numbers that are text, and whether it is more than a guess.
    pub(in crate::data) decimal: Decimal,
    pub(in crate::data) decimal_is_known: bool,
    pub(in crate::data) rows: Box<dyn Rows + 'a>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(file: String, header: Vec<String>, rows: impl Rows + 'a) -> Self {
        Self {
            file,
            header,
            obstacles: Vec::new(),
            indices: Vec::new(),
            is_unnamed: false,
            has_lines: false,
            has_sheets: false,
            has_commas: false,
            notes: Vec::new(),
            decimal: Decimal::default(),
            decimal_is_known: false,
            rows: Box::new(rows),
        }
    }

    /// What the options say of files of all kinds.
    pub(super) fn with_options(mut self, options: &TableOptions) -> Self {
        for (given, applies, what, of) in [
            (options.skipped > 0, self.has_lines, "lines are", "text files and sheets"),
            (options.sheet.is_some(), self.has_sheets, "a sheet is", "Excel workbooks"),
        ] {
            if given && !applies {
                self.notes.push(format!("{what} chosen only in {of}: the option is ignored here"));
            }
        }
        if let Some(decimal) = options.named_decimal() {
            self.decimal = decimal;
        }
        let values = options.missing_values();
        if !values.is_empty() {
            self.rows = Box::new(Blanked::new(self.rows, &values, self.decimal));
        }
        self
    }

    /// Whether it is a text file of cells with separators.
    pub(in crate::data) fn is_text(&self) -> bool {
        self.has_lines && !self.has_sheets
    }

    /// The error of a column that cannot be read.
    pub(in crate::data) fn refuse_obstacle(&self, position: usize) -> Result<()> {
        match self.obstacles.iter().find(|(at, _)| *at == position) {
            Some((_, why)) => {
                let detail = format!("column `{}` {why}; drop it", Shown(&self.header[position]));
                Err(Error::Table { file: self.file.clone(), detail })
            }
            None => Ok(()),
        }
    }

    /// The columns that the options select, by name.
    pub(super) fn named(&mut self, options: &TableOptions) -> Result<Columns> {
        self.columns(options, false)
    }

    /// All columns but those that the options name, for a survey, which knows how to leave out
    /// columns without a name.
    pub(in crate::data) fn all(&mut self, options: &TableOptions) -> Result<Columns> {
        self.columns(options, true)
    }

    fn columns(&mut self, options: &TableOptions, is_survey: bool) -> Result<Columns> {
        let mut wanted = options.wanted();
        if let Some(names) =
            wanted.as_mut().filter(|_| self.is_unnamed && options.encoding.is_none())
        {
            let each =
                names.iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned());
            *names = each.collect();
        }
        if let Some(wanted) = &wanted {
            self.name_by_position(wanted, options)?;
        }
        let kind = (is_survey, self.has_lines);
        Columns::of(&self.file, &self.header, wanted.as_deref(), options, kind)
    }

    /// Gives columns without names the wanted ones, if there are as many.
    fn name_by_position(&mut self, wanted: &[String], options: &TableOptions) -> Result<()> {
        // A label or a dropped column can only be named `x0`, `x1`, ….
        let has_id = options.id.is_some() && !options.id_is_optional;
        let others = options.label.is_some() || has_id || !options.dropped.is_empty();
        if !self.is_unnamed || others {
            return Ok(());
        }
        if wanted.len() == self.header.len() {
            self.header = wanted.to_vec();
            return Ok(());
        }
        if wanted.iter().all(|name| self.header.contains(name)) {
            return Ok(());
        }
        let need = match wanted.len() {
            1 => "1 feature needs an array of one column".to_owned(),
            count => format!("{count} features need as many columns in their order"),
        };
        let detail = format!(
            "an array has no column names, so columns are matched by position: {need}, it has {}",
            self.header.len()
        );
        Err(Error::Table { file: self.file.clone(), detail })
    }
}
