//! A page about a clustering that is being made.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::baseline::Check;
use neuralize::cases::Cases;
use neuralize::data::ScaledTable;
use neuralize::explain::{Beta, Explanation, Target};
use neuralize::plot::FigureSet;
use neuralize::record::Model;
use neuralize::report::ReportBuilder;

use crate::args::PageFormat;
use crate::backend::Session;
use crate::command::shared;
use crate::input;
use crate::output::Output;
use crate::parse::Group;

/// A page that is being made. Its file is opened first: an error about it comes
/// before anything is computed.
pub(super) struct Page<'a, B: Backend> {
    session: &'a Session<B>,
    builder: ReportBuilder<'a, B>,
    /// `None` if the explanations cannot be checked.
    check: Option<Check<Autodiff<B>>>,
    output: Output,
    format: PageFormat,
    name: String,
    /// The name of the table.
    table: String,
}

impl<'a, B: Backend> Page<'a, B> {
    pub(super) fn start(
        session: &'a Session<B>,
        model: &'a Model<B>,
        table: &Path,
        beta: Beta,
        path: &Path,
        format: Option<PageFormat>,
        label: Option<&String>,
    ) -> Result<Self> {
        let format = PageFormat::of(path, format)?;
        let output = Output::open(Some(path))?;
        let check = Check::new(model.neuralize()?, Target::Assigned, beta);
        let builder = ReportBuilder::new(model, &input::title(table), beta)?;
        Ok(Self {
            session,
            builder: label.into_iter().fold(builder, ReportBuilder::with_label),
            check: if_possible(check, session),
            output,
            format,
            name: Output::name(Some(path)),
            table: input::name(table),
        })
    }

    /// Shows columns as one, under a name.
    pub(super) fn group(mut self, Group { name, columns }: &Group) -> Result<Self> {
        self.builder = self.builder.with_group(name, columns)?;
        Ok(self)
    }

    /// Adds a part of the data.
    pub(super) fn add(
        &mut self,
        part: &ScaledTable<B>,
        explanation: &Explanation<B>,
    ) -> Result<()> {
        if let Some(check) = &mut self.check
            && if_possible(check.add(&part.x, explanation), self.session).is_none()
        {
            self.check = None;
        }
        Ok(self.builder.add(part.rows.iter().copied(), &part.table, explanation)?)
    }

    /// The points that the page lists.
    pub(super) fn cases(&self) -> Result<Cases> {
        not_empty(&self.table, self.builder.cases())
    }

    /// Writes the page.
    pub(super) fn finish(mut self) -> Result<()> {
        let found = self.check.take().map(|check| check.report());
        let Self { session, builder, mut output, format, name, table, .. } = self;
        let page = not_empty(&table, builder.finish(found.as_ref()))?;
        match format {
            PageFormat::Html => page.write(&mut output),
            PageFormat::Md => output.write_all(page.markdown().as_bytes()),
        }
        .with_context(|| name.clone())?;
        output.finish()?;
        session.note(format!("report written to {name}"));
        Ok(())
    }
}

fn not_empty<T>(table: &str, result: neuralize::Result<T>) -> Result<T> {
    match result {
        Err(Error::Empty { .. }) => bail!("{table}: there are no rows to report on"),
        other => Ok(other?),
    }
}

/// A page without a check is better than none: shifted data, for example, may be
/// too large where the data are not.
fn if_possible<T, B: Backend>(result: neuralize::Result<T>, session: &Session<B>) -> Option<T> {
    result
        .inspect_err(|error| {
            // Without it there are no explanations either, which is an error.
            if !matches!(error, Error::NoHeuristicBeta) {
                session.note(format!("note: the explanations cannot be checked: {error}"));
            }
        })
        .ok()
}

/// Draws all figures of the cases.
pub(super) fn draw<B: Backend>(cases: &Cases, folder: &Path, session: &Session<B>) -> Result<()> {
    shared::create_folder(folder)?;
    let figures = FigureSet::of_cases::<B>(cases, &session.device, session.dtype)?;
    shared::save_figures(session, &figures, folder)?;
    if figures.left_out > 0 {
        let more = shared::counted(figures.left_out, "more point");
        session.note(format!("note: without a figure of their own: {more}"));
    }
    if cases.total > cases.len() {
        let total = shared::counted(cases.total, "point");
        session.note(format!("note: figures show {} of {total}", cases.len()));
    }
    Ok(())
}
