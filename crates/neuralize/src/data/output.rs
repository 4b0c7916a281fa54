use std::fmt::Write as _;
use std::io::Write;

use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::explain::Explanation;
use crate::transfer;

/// Writes explanations as CSV, `index,cluster,logit` and a column a feature,
/// part by part: rows are numbered on from one part to the next. A feature that
/// is named like one of the first three columns gets ` (feature)` appended.
pub struct ExplanationWriter<W: Write> {
    rows: RowWriter<W>,
}

/// Writes assignments as CSV, `index,cluster,logit,probability`, part by part.
/// The probability is the logistic one, `1 / (1 + exp(−logit))`.
pub struct PredictionWriter<W: Write> {
    rows: RowWriter<W>,
}

impl<W: Write> ExplanationWriter<W> {
    /// `name` stands for the destination in messages.
    pub fn new(name: &str, destination: W, delimiter: u8, features: &[String]) -> Self {
        const FIRST: [&str; 3] = ["index", "cluster", "logit"];
        let named = features.iter().map(|name| match FIRST.contains(&name.as_str()) {
            true => format!("{name} (feature)"),
            false => name.clone(),
        });
        let header = FIRST.into_iter().map(str::to_owned).chain(named).collect();
        Self { rows: RowWriter::new(name, destination, delimiter, header) }
    }

    /// Writes every point of an explanation.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn write<B: Backend>(&mut self, explanation: &Explanation<B>) -> Result<()> {
        let dtype = explanation.relevance.dtype();
        let [_, features] = explanation.relevance.dims();
        let clusters = transfer::download_indices(explanation.cluster.clone());
        let logits = transfer::download(explanation.logit.clone());
        let relevance = transfer::download(explanation.relevance.clone());
        for ((cluster, logit), row) in
            clusters.into_iter().zip(logits).zip(relevance.chunks_exact(features))
        {
            self.rows.write(cluster, std::iter::once(&logit).chain(row), dtype)?;
        }
        Ok(())
    }

    /// Writes what is left and gives the destination back.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(self) -> Result<W> {
        self.rows.finish()
    }
}

impl<W: Write> PredictionWriter<W> {
    /// `name` stands for the destination in messages.
    pub fn new(name: &str, destination: W, delimiter: u8) -> Self {
        let header = ["index", "cluster", "logit", "probability"].map(str::to_owned).to_vec();
        Self { rows: RowWriter::new(name, destination, delimiter, header) }
    }

    /// Writes the cluster of every point, its logit and its probability.
    ///
    /// # Shapes
    ///
    /// - cluster, logit, probability: `[N]`
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn write<B: Backend>(
        &mut self,
        cluster: Tensor<B, 1, Int>,
        logit: Tensor<B, 1>,
        probability: Tensor<B, 1>,
    ) -> Result<()> {
        let dtype = logit.dtype();
        let values = transfer::download(logit).into_iter().zip(transfer::download(probability));
        for (cluster, (logit, probability)) in
            transfer::download_indices(cluster).into_iter().zip(values)
        {
            self.rows.write(cluster, [&logit, &probability].into_iter(), dtype)?;
        }
        Ok(())
    }

    /// Writes what is left and gives the destination back.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(self) -> Result<W> {
        self.rows.finish()
    }
}

struct RowWriter<W: Write> {
    name: String,
    writer: csv::Writer<W>,
    /// Written before the first row, or at the end if there is none: what fails
    /// before has written nothing.
    header: Option<Vec<String>>,
    text: String,
    index: u64,
}

impl<W: Write> RowWriter<W> {
    fn new(name: &str, destination: W, delimiter: u8, header: Vec<String>) -> Self {
        let writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(destination);
        Self { name: name.to_owned(), writer, header: Some(header), text: String::new(), index: 0 }
    }

    fn write_header(&mut self) -> Result<()> {
        match self.header.take() {
            Some(header) => self.writer.write_record(header).map_err(output_error(&self.name)),
            None => Ok(()),
        }
    }

    /// Numbers get the digits that their precision needs to be read back exactly.
    fn write<'a>(
        &mut self,
        cluster: usize,
        values: impl Iterator<Item = &'a f64>,
        dtype: DType,
    ) -> Result<()> {
        self.write_header()?;
        let mut field = |writer: &mut csv::Writer<W>, text: std::fmt::Arguments<'_>| {
            self.text.clear();
            // Writing to a string cannot fail.
            let _ = self.text.write_fmt(text);
            writer.write_field(&self.text)
        };
        let row = || {
            field(&mut self.writer, format_args!("{}", self.index))?;
            field(&mut self.writer, format_args!("{cluster}"))?;
            for &value in values {
                match dtype {
                    DType::F64 => field(&mut self.writer, format_args!("{value:?}"))?,
                    _ => field(&mut self.writer, format_args!("{:?}", value as f32))?,
                }
            }
            self.writer.write_record(None::<&[u8]>)
        };
        row().map_err(output_error(&self.name))?;
        self.index += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<W> {
        self.write_header()?;
        let name = self.name;
        self.writer.into_inner().map_err(|error| {
            let source = std::io::Error::new(error.error().kind(), error.error().to_string());
            Error::Io { path: name.into(), source }
        })
    }
}

fn output_error(name: &str) -> impl FnOnce(csv::Error) -> Error {
    let path = name.into();
    move |error| {
        let source = match error.into_kind() {
            csv::ErrorKind::Io(source) => source,
            kind => std::io::Error::other(format!("{kind:?}")),
        };
        Error::Io { path, source }
    }
}
