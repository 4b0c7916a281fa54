use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::baseline::Check;
use neuralize::cases::{Cases, Map};
use neuralize::data::Table;
use neuralize::explain::{Beta, Explanation, Target};
use neuralize::plot::{self, Figure};
use neuralize::record::Model;
use neuralize::report::ReportBuilder;

use crate::args::ReportArgs;
use crate::backend::{Job, Session};
use crate::command::stream::{self, Source};
use crate::input;
use crate::output::Output;

impl Job for ReportArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let model = Model::<B>::load(&self.model, &session.device, session.dtype)?;
        let network = model.neuralize()?;
        let label = self.label.as_deref();
        let mut page = Page::start(session, &model, &title(&self.data), self.beta, &self.output)?;
        if let Some(label) = label {
            page = page.with_label(label);
        }
        let source = Source { label, ..Source::all(&self.data) };
        stream::scaled_parts(session, &source, &model, |part| {
            let explanation = network.explain(&part.scaled, Target::Assigned, self.beta)?;
            page.add(&part.rows, &part.table, &part.scaled, &explanation)
        })?;
        if let Some(folder) = &self.figures {
            draw(&page.cases()?, folder, session)?;
        }
        page.finish()
    }
}

/// What a report on a table is called.
pub(super) fn title(data: &Path) -> String {
    match (input::is_standard(data), data.file_name()) {
        (false, Some(name)) => name.to_string_lossy().into_owned(),
        _ => input::name(data),
    }
}

/// A page in the making. Its file is begun first: where it cannot be written,
/// that is said before anything is computed.
pub(super) struct Page<'a, B: Backend> {
    session: &'a Session<B>,
    builder: ReportBuilder<'a, B>,
    /// None where the explanations cannot be checked.
    check: Option<Check<Autodiff<B>>>,
    output: Output,
    name: String,
    title: String,
}

impl<'a, B: Backend> Page<'a, B> {
    pub(super) fn start(
        session: &'a Session<B>,
        model: &'a Model<B>,
        title: &str,
        beta: Beta,
        path: &Path,
    ) -> Result<Self> {
        let output = Output::open(Some(path))?;
        let check = Check::new(model.neuralize()?, Target::Assigned, beta);
        Ok(Self {
            session,
            builder: ReportBuilder::new(model, title, beta)?,
            check: if_possible(check, session),
            output,
            name: Output::name(Some(path)),
            title: title.to_owned(),
        })
    }

    /// The column that the labels of the tables come from.
    pub(super) fn with_label(mut self, label: &str) -> Self {
        self.builder = self.builder.with_label(label);
        self
    }

    /// Takes a part of the data into account.
    pub(super) fn add(
        &mut self,
        rows: &[usize],
        table: &Table,
        scaled: &Tensor<B, 2>,
        explanation: &Explanation<B>,
    ) -> Result<()> {
        if let Some(check) = &mut self.check
            && if_possible(check.add(scaled, explanation), self.session).is_none()
        {
            self.check = None;
        }
        Ok(self.builder.add(rows.iter().copied(), table, explanation)?)
    }

    /// The points that the page lists.
    pub(super) fn cases(&self) -> Result<Cases> {
        explained(&self.title, self.builder.cases())
    }

    /// Writes the page.
    pub(super) fn finish(mut self) -> Result<()> {
        let found = self.check.take().map(|check| check.report());
        let Self { session, builder, mut output, name, title, .. } = self;
        let page = explained(&title, builder.finish(found.as_ref()))?;
        page.write(&mut output).with_context(|| name.clone())?;
        output.finish()?;
        session.note(format!("report written to {name}"));
        Ok(())
    }
}

fn explained<T>(title: &str, result: neuralize::Result<T>) -> Result<T> {
    match result {
        Err(Error::Empty { .. }) => bail!("{title}: there is no row to report on"),
        other => Ok(other?),
    }
}

/// A page without a check is better than none: shifted data, say, may be too
/// large where the data are not.
fn if_possible<T, B: Backend>(result: neuralize::Result<T>, session: &Session<B>) -> Option<T> {
    result
        .inspect_err(|error| {
            session.note(format!("note: the explanations cannot be checked: {error}"));
        })
        .ok()
}

/// Writes every figure there is: of all cases, and one by one of the misplaced
/// ones or, where there are none, of the most ambiguous one of every cluster.
pub(super) fn draw<B: Backend>(cases: &Cases, folder: &Path, session: &Session<B>) -> Result<()> {
    const STEPS: usize = 12;
    const MOST: usize = 50;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut written = 0;
    let mut save = |name: String, figure: Figure| -> Result<()> {
        figure.save(folder.join(format!("{name}.svg")))?;
        if cfg!(feature = "png") {
            figure.save(folder.join(format!("{name}.png")))?;
        }
        written += 1;
        Ok(())
    };
    let mut single = cases.misplaced();
    if single.is_empty() {
        single = most_ambiguous(cases);
    }
    let left = single.len().saturating_sub(MOST);
    single.truncate(MOST);
    let map = Map::of::<B>(cases, &session.device, session.dtype)?;
    save("clusters".into(), plot::clusters(cases, &map, &single)?)?;
    save("matrix".into(), plot::matrix(cases)?)?;
    save("profile".into(), plot::profile(cases)?)?;
    for case in single {
        let row = cases.rows[case];
        save(format!("point_{row}"), plot::point(cases, case)?)?;
        save(format!("waterfall_{row}"), plot::waterfall(cases, case, STEPS)?)?;
    }
    session.note(format!("{written} figures written to {}", folder.display()));
    if left > 0 {
        session.note(format!("note: {left} more of these points have no figure of their own"));
    }
    if cases.total > cases.len() {
        session.note(format!("note: figures are of {} of {} points", cases.len(), cases.total));
    }
    Ok(())
}

/// Of every cluster the case with the smallest logit.
fn most_ambiguous(cases: &Cases) -> Vec<usize> {
    let of = |cluster: usize| {
        let own = (0..cases.len()).filter(move |&case| cases.cluster[case] == cluster);
        own.min_by(|a, b| cases.logit[*a].total_cmp(&cases.logit[*b]))
    };
    let mut found: Vec<usize> = (0..cases.n_clusters()).filter_map(of).collect();
    found.sort_unstable();
    found
}
