//! Results as CSV.

use std::io;

use crate::error::Result;
use crate::output::layout::Layout;
use crate::output::row::{Destination, Relevance, Row, Sink, failed};

/// Writes a line for every point: `index,cluster,logit` and the columns of the
/// layout.
pub(super) struct CsvSink<'a> {
    name: String,
    writer: csv::Writer<Destination<'a>>,
    layout: Layout,
    header_written: bool,
    text: String,
}

impl<'a> CsvSink<'a> {
    pub(super) fn new(
        name: String,
        destination: Destination<'a>,
        delimiter: u8,
        layout: Layout,
    ) -> Self {
        let writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(destination);
        Self { name, writer, layout, header_written: false, text: String::new() }
    }

    fn header(&mut self) -> Result<()> {
        if self.header_written {
            return Ok(());
        }
        self.header_written = true;
        let written = self.writer.write_record(self.layout.header());
        written.map_err(cause).map_err(failed(&self.name))
    }

    fn row(&mut self, row: &Row<'_>) -> csv::Result<()> {
        self.integer(row.index)?;
        if self.layout.id.is_some() {
            self.writer.write_field(row.id.as_deref().unwrap_or_default())?;
        }
        if let Some(cluster) = row.cluster {
            match self.layout.cluster(cluster) {
                Some(name) => self.writer.write_field(name)?,
                None => self.integer(cluster)?,
            }
        }
        self.number(row.sum)?;
        match &row.relevance {
            Relevance::None => {
                if let Some(probability) = row.probability() {
                    self.number(probability)?;
                }
            }
            Relevance::All(values) => {
                for &value in values.iter() {
                    self.number(value)?;
                }
            }
            Relevance::Strongest { features, other } => {
                for &(feature, value) in features.iter() {
                    self.writer.write_field(&self.layout.features()[feature])?;
                    self.number(value)?;
                }
                self.number(*other)?;
            }
        }
        self.writer.write_record(None::<&[u8]>)
    }

    fn integer(&mut self, value: usize) -> csv::Result<()> {
        use std::fmt::Write as _;
        self.text.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{value}");
        self.writer.write_field(&self.text)
    }

    fn number(&mut self, value: f64) -> csv::Result<()> {
        self.text.clear();
        self.layout.number(&mut self.text, value);
        self.writer.write_field(&self.text)
    }
}

impl Sink for CsvSink<'_> {
    fn write(&mut self, row: &Row<'_>) -> Result<()> {
        self.header()?;
        self.row(row).map_err(cause).map_err(failed(&self.name))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.header()?;
        self.writer.flush().map_err(failed(&self.name))
    }
}

fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
