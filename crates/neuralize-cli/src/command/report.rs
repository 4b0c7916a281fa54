use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use neuralize::baseline::Check;
use neuralize::cases::{Cases, Map};
use neuralize::data::Table;
use neuralize::explain::{Beta, Explanation, Target};
use neuralize::plot::{self, Figure};
use neuralize::record::Model;
use neuralize::report::{Report, ReportBuilder};

use crate::args::ReportArgs;
use crate::backend::{Job, Session};
use crate::command::explain::checked;
use crate::command::stream::{self, Source};
use crate::input;
use crate::output::Output;

impl Job for ReportArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let model = Model::<B>::load(&self.model, &session.device, session.dtype)?;
        let network = model.neuralize()?;
        let mut check = Check::<Autodiff<B>>::new(&network, Target::Assigned, self.beta)?;
        let label = self.label.as_deref();
        let mut builder = start(&model, &self.data, label, self.beta)?;
        let source = Source { label, ..Source::all(&self.data) };
        stream::scaled_parts(session, &source, &model, |part| {
            let explanation = network.explain(&part.scaled, Target::Assigned, self.beta)?;
            checked(check.add(&part.scaled, &explanation))?;
            add(&mut builder, &part.rows, &part.table, &explanation)
        })?;
        if let Some(folder) = &self.figures {
            draw(&builder.cases()?, folder, session)?;
        }
        save(&builder.finish(Some(&check.report()))?, &self.output, session)
    }
}

/// Starts a report on a table.
pub(super) fn start<'a, B: Backend>(
    model: &'a Model<B>,
    data: &Path,
    label: Option<&str>,
    beta: Beta,
) -> Result<ReportBuilder<'a, B>> {
    let name = input::name(data);
    let name = data.file_name().map_or(name, |name| name.to_string_lossy().into_owned());
    let builder = ReportBuilder::new(model, &name, beta)?;
    Ok(match label {
        Some(label) => builder.with_label(label),
        None => builder,
    })
}

/// Takes a part of the table into the report.
pub(super) fn add<B: Backend>(
    builder: &mut ReportBuilder<'_, B>,
    rows: &[usize],
    table: &Table,
    explanation: &Explanation<B>,
) -> Result<()> {
    Ok(builder.add(rows.iter().copied(), table, explanation)?)
}

/// Writes the page.
pub(super) fn save<B: Backend>(report: &Report, path: &Path, session: &Session<B>) -> Result<()> {
    let mut output = Output::open(Some(path))?;
    report.write(&mut output)?;
    output.finish()?;
    session.note(format!("report written to {}", Output::name(Some(path))));
    Ok(())
}

/// Writes every figure there is: of all cases, and of the misplaced ones (or,
/// without classes, of the most ambiguous one of every cluster) one by one.
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
    let mut single = match &cases.classes {
        Some(_) => cases.misplaced(),
        None => most_ambiguous(cases),
    };
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
        session.note(format!("note: {left} more misplaced points have no figure of their own"));
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
