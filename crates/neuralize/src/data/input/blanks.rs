//! Values that stand for missing ones because the user says so.

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::number::{Decimal, number};
use crate::data::input::rows::{Rows, Sink};
use crate::error::Result;

/// Rows in which some values are missing ones.
pub(super) struct Blanked<'a> {
    rows: Box<dyn Rows + 'a>,
    blanks: Blanks,
}

/// What stands for a missing value: texts, and the numbers among them.
struct Blanks {
    texts: Vec<String>,
    numbers: Vec<f64>,
    decimal: Decimal,
}

impl<'a> Blanked<'a> {
    pub(super) fn new(rows: Box<dyn Rows + 'a>, values: &[String], decimal: Decimal) -> Self {
        let texts: Vec<String> = values.iter().map(|value| value.trim().to_owned()).collect();
        // The user may write a number as programs do, or as the file does.
        let read = |text: &String| {
            let plain = text.parse().ok().filter(|value: &f64| value.is_finite());
            plain.or_else(|| Some(number(text, decimal)?.0))
        };
        let numbers = texts.iter().filter_map(read).collect();
        Self { rows, blanks: Blanks { texts, numbers, decimal } }
    }
}

impl Blanks {
    fn has_number(&self, value: f64) -> bool {
        self.numbers.contains(&value)
    }

    fn has_text(&self, text: &str) -> bool {
        let text = text.trim();
        self.texts.iter().any(|blank| blank == text)
            || !self.numbers.is_empty()
                && number(text, self.decimal).is_some_and(|(value, _)| self.has_number(value))
    }

    fn has(&self, cell: Cell<'_>) -> bool {
        match cell {
            Cell::Missing => true,
            Cell::Number(value) | Cell::Whole(value) => self.has_number(value),
            Cell::Text(text) => self.has_text(text),
            Cell::Flag(_) | Cell::Day(_) => self.has_text(&cell.text()),
        }
    }
}

impl Rows for Blanked<'_> {
    fn select(&mut self, columns: &Columns) -> Result<()> {
        self.rows.select(columns)
    }

    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        let mut sink = BlankedSink { sink, blanks: &self.blanks };
        self.rows.read(columns, limit, &mut sink)
    }

    fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    fn later_notes(&mut self) -> Vec<String> {
        self.rows.later_notes()
    }
}

/// Hands on what is not missing.
struct BlankedSink<'a> {
    sink: &'a mut dyn Sink,
    blanks: &'a Blanks,
}

impl Sink for BlankedSink<'_> {
    fn cell(
        &mut self,
        columns: &Columns,
        at: usize,
        cell: Cell<'_>,
        place: &dyn Fn() -> Place,
    ) -> Result<()> {
        let cell = if self.blanks.has(cell) { Cell::Missing } else { cell };
        self.sink.cell(columns, at, cell, place)
    }

    fn label(&mut self, text: &str) {
        self.sink.label(if self.blanks.has_text(text) { "" } else { text });
    }

    fn id(&mut self, text: &str) {
        self.sink.id(text);
    }

    fn end_row(&mut self, columns: &Columns) {
        self.sink.end_row(columns);
    }
}

#[cfg(test)]
mod tests {
    use crate::data::input::collect::collect;
    use crate::data::input::open::text;
    use crate::data::input::options::TableOptions;

    fn rows(table: &str, options: &TableOptions) -> (Vec<Vec<String>>, Vec<String>) {
        let opened = text("t".into(), table.as_bytes(), options).expect("a table");
        let found = collect(opened, options).expect("rows");
        (found.rows, found.labels)
    }

    #[test]
    fn values_are_missing_where_the_user_says_so() {
        let options = TableOptions::default()
            .with_missing_value("-99")
            .with_missing_value("n/d")
            .with_label("c");
        let table = "a,b,c\n-99,n/d,x\n-99.0,-990,n/d\n1,N/D,-99\n";
        let (found, labels) = rows(table, &options);
        assert_eq!(found, [["-", "-"], ["-", "'-990'"], ["'1'", "'N/D'"]]);
        assert_eq!(labels, ["x", "", ""]);
        // Of a JSON file, too, and with decimal commas.
        let options = TableOptions::default().with_missing_value("-9,5");
        let (found, _) = rows("a;b\n-9,5;2\n1,5;-9,50\n", &options);
        assert_eq!(found, [["-", "'2'"], ["'1,5'", "-"]]);
        let options = TableOptions::default().with_missing_value("-1");
        let (found, _) = rows("[{\"a\": -1, \"b\": true}, {\"a\": 1.5, \"b\": \"-1\"}]", &options);
        assert_eq!(found, [["-", "true"], ["1.5", "-"]]);
    }
}
