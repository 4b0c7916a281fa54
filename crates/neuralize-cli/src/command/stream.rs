//! A table that is never in memory as a whole: it is read in parts, as often as it is needed.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::choose::{FIGURED_ROWS, SampledRows};
use neuralize::data::{
    Encoding, Scale, ScaledParts, ScaledTable, Scaler, Table, TableOptions, part_rows,
};

use crate::args::{TrainingArgs, Usage};
use crate::backend::Session;
use crate::command::shared;
use crate::input;

/// A table that is read in parts, and how it is scaled.
pub(super) struct Stream<B: Backend> {
    path: PathBuf,
    options: TableOptions,
    at_once: usize,
    pub(super) encoding: Encoding,
    pub(super) scale: Scale,
    pub(super) scaler: Scaler<B>,
    /// The table without its rows.
    pub(super) no_rows: Table,
}

/// Refuses data that cannot be read again.
pub(super) fn refuse_read_once(path: &Path) -> Result<(), Usage> {
    if input::is_read_once(path) {
        let text = format!(
            "--stream reads the data several times, but {} can be read only once; leave out --stream or give a file",
            input::name(path)
        );
        return Err(Usage(text));
    }
    Ok(())
}

impl<B: Backend> Stream<B> {
    /// Reads the table twice: for what its columns are, and for the scaling. A part of it has room for
    /// the scores of so many clusters.
    pub(super) fn open(
        session: &Session<B>,
        args: &TrainingArgs,
        label: Option<&String>,
        fixed: Option<Scale>,
        clusters: usize,
    ) -> Result<Self> {
        let path = args.data.clone();
        let options = session.table_options(args.options(label));
        let survey = input::survey(&path, &args.survey(options.clone())?, false)?;
        let scale = shared::decided(session, args, &survey, fixed, false)?;
        if scale == Scale::Robust {
            let text =
                "--scale robust needs all rows in memory; leave out --stream or choose another";
            return Err(Usage(text.into()).into());
        }
        let encoding = survey.encoding()?;
        let options = options.with_encoding(encoding.clone());
        let reader = input::open(&path, &options)?;
        let no_rows = reader.no_rows();
        let at_once = part_rows(no_rows.features().len() + clusters);
        let mut scaler = scale.start::<B>().with_categories(Some(&encoding));
        if scaler.add_table(reader, at_once, &session.device, session.dtype)? == 0 {
            bail!("{}: the table has no rows", input::name(&path));
        }
        let scaler = scaler.finish()?;
        Ok(Self { path, options, at_once, encoding, scale, scaler, no_rows })
    }

    /// Reads the table once more.
    pub(super) fn parts(&self) -> Result<ScaledParts<'_, B>> {
        Ok(self.scaler.parts(input::open(&self.path, &self.options)?).with_part_rows(self.at_once))
    }

    /// The rows that a number of clusters is chosen for. Says what became of missing values.
    pub(super) fn sample(&self, session: &Session<B>, seed: u64) -> Result<SampledRows> {
        let mut sample = SampledRows::new(FIGURED_ROWS, seed);
        shared::each_training_part(session, &self.path, self.parts()?, |part| {
            Ok(sample.add(&part.x)?)
        })?;
        Ok(sample)
    }

    /// An error about a row of the table, counted without those that are left out, with its row and
    /// column in the file.
    pub(super) fn located(&self, mut error: Error) -> anyhow::Error {
        match self.part_of(&mut error) {
            Ok(Some(part)) => part.located(error).into(),
            _ => error.into(),
        }
    }

    /// The part with the row of an error, which is then counted in this part. Reads the table once
    /// more.
    fn part_of(&self, error: &mut Error) -> Result<Option<ScaledTable<B>>> {
        let Some((row, ..)) = shared::place(error) else { return Ok(None) };
        let mut left = *row;
        for part in self.parts()? {
            let part = part?;
            if left < part.rows.len() {
                *row = left;
                return Ok(Some(part));
            }
            left -= part.rows.len();
        }
        Ok(None)
    }
}
