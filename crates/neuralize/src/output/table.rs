//! Results as a table for the terminal.

use std::borrow::Cow;
use std::io::{BufWriter, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::error::Result;
use crate::output::layout::{Layout, ResultKind};
use crate::output::row::{Destination, Relevance, Row, Sink, failed};

/// Writes an aligned line for every point as it comes.
pub(super) struct TableSink<'a> {
    name: String,
    writer: BufWriter<Destination<'a>>,
    coloured: bool,
    /// Names of the features, cut or padded to one width.
    names: Vec<String>,
    kind: ResultKind,
    /// Names of the clusters, cut or padded to the width of their title.
    clusters: Option<Vec<String>>,
    explains: bool,
    /// Whether rows have names.
    has_ids: bool,
    header_written: bool,
    text: String,
}

/// Width of the longest name of a feature, in columns of the terminal.
const WIDEST_NAME: usize = 24;

/// Width of a cluster, in columns of the terminal.
const CLUSTER: usize = 7;

impl<'a> TableSink<'a> {
    pub(super) fn new(
        name: String,
        destination: Destination<'a>,
        coloured: bool,
        layout: Layout,
    ) -> Self {
        let features = layout.features();
        let width = features.iter().map(|name| name.width()).max().unwrap_or(0).min(WIDEST_NAME);
        Self {
            name,
            writer: BufWriter::with_capacity(1 << 16, destination),
            coloured,
            names: features.iter().map(|name| fitted(name, width)).collect(),
            kind: layout.kind,
            clusters: layout
                .clusters
                .as_ref()
                .map(|names| names.iter().map(|name| fitted(name, CLUSTER)).collect()),
            explains: !features.is_empty(),
            has_ids: layout.id.is_some(),
            header_written: false,
            text: String::new(),
        }
    }

    fn header(&mut self) {
        if !self.header_written {
            self.header_written = true;
            self.text.push_str("   index");
            if self.has_ids {
                self.text.push_str(&format!("  {}", fitted("name", WIDEST_NAME)));
            }
            self.text.push_str(match self.kind {
                ResultKind::Cluster => "  cluster     logit  probability",
                ResultKind::Outlier => "     score",
            });
            self.text.push_str(if self.explains { "  strongest features\n" } else { "\n" });
        }
    }

    fn line(&mut self, row: &Row<'_>) {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{:>8}", row.index);
        if self.has_ids {
            let name = fitted(row.id.as_deref().unwrap_or_default(), WIDEST_NAME);
            let _ = write!(self.text, "  {name}");
        }
        if let Some(cluster) = row.cluster {
            let _ = match self.clusters.as_ref().and_then(|names| names.get(cluster)) {
                Some(name) => write!(self.text, "  {name}"),
                None => write!(self.text, "  {cluster:>CLUSTER$}"),
            };
        }
        let _ = write!(self.text, "  {:>8}", short(row.sum));
        if let Some(probability) = row.probability() {
            let _ = write!(self.text, "  {probability:>11.4}");
        }
        match &row.relevance {
            Relevance::None => {}
            Relevance::All(values) => {
                for (feature, value) in values.iter().enumerate() {
                    self.feature(feature, *value);
                }
            }
            Relevance::Strongest { features, other } => {
                for &(feature, value) in features.iter() {
                    self.feature(feature, value);
                }
                let _ = write!(self.text, "  {} other", signed(*other));
            }
        }
        self.text.truncate(self.text.trim_end().len());
        self.text.push('\n');
    }

    fn feature(&mut self, feature: usize, value: f64) {
        use std::fmt::Write as _;
        let style = match (self.coloured, value > 0.0, value < 0.0) {
            (true, true, _) => AnsiColor::Red.on_default(),
            (true, _, true) => AnsiColor::Blue.on_default(),
            _ => Style::new(),
        };
        let _ = write!(self.text, "  {style}{}{style:#} {}", signed(value), self.names[feature]);
    }

    fn write_text(&mut self) -> Result<()> {
        let written = self.writer.write_all(self.text.as_bytes());
        self.text.clear();
        written.map_err(failed(&self.name))
    }
}

impl Sink for TableSink<'_> {
    fn write(&mut self, row: &Row<'_>) -> Result<()> {
        self.header();
        self.line(row);
        self.write_text()
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.header();
        self.write_text()?;
        self.writer.flush().map_err(failed(&self.name))
    }
}

/// Four decimals, or scientific notation for very small and large numbers.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0.0000".into(),
        1e-3..1e5 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

fn signed(value: f64) -> String {
    let sign = if value.is_sign_negative() && value != 0.0 { '-' } else { '+' };
    format!("{:>8}", format!("{sign}{}", short(value.abs())))
}

/// The name in `width` columns, cut with `…` or padded with spaces. Control
/// characters, which a terminal would act on, are replaced.
fn fitted(name: &str, width: usize) -> String {
    let plain: Cow<'_, str> = if name.contains(char::is_control) {
        name.replace(char::is_control, "\u{fffd}").into()
    } else {
        name.into()
    };
    let mut text = plain.into_owned();
    if text.width() > width {
        let (mut used, mut end) = (0, 0);
        for (at, character) in text.char_indices() {
            used += character.width().unwrap_or(0);
            if used > width.saturating_sub(1) {
                break;
            }
            end = at + character.len_utf8();
        }
        text.truncate(end);
        text.push('…');
    }
    let missing = width.saturating_sub(text.width());
    text + &" ".repeat(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_their_columns() {
        assert_eq!(fitted("od280", 7), "od280  ");
        assert_eq!(fitted("proanthocyanins", 7), "proant…");
        // A character takes two columns: three of them and the mark make seven.
        assert_eq!(fitted("総フェノール量", 7), "総フェ…");
        assert_eq!(fitted("総フェノール量", 8).width(), 8);
        assert_eq!(fitted("a\u{1b}[31m", 8), "a\u{fffd}[31m  ");
        assert_eq!(fitted("e\u{301}e\u{301}", 2), "e\u{301}e\u{301}");
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.1066, " +0.1066"),
            (-0.06189, " -0.0619"),
            (0.0, " +0.0000"),
            (-0.0, " +0.0000"),
            (1e-5, "+1.00e-5"),
            (-12345.678, "-12345.6780"),
            (1.5e300, "+1.50e300"),
        ] {
            assert_eq!(signed(value), text);
        }
    }
}
