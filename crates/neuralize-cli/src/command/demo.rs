//! `neuralize demo`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use clap::{Args, ValueHint};
use neuralize::baseline::Check;
use neuralize::cases::Cases;
use neuralize::cluster::{ClustererFit, Init, KMeansConfig};
use neuralize::data::{Scale, ScaledTable, Shown, Table, TableOptions, TableReader};
use neuralize::explain::{Beta, Explanation, Target};
use neuralize::output::{Format, Results, Selection};
use neuralize::record::{Model, ModelInfo};

use crate::backend::{Job, Session};
use crate::command::page::{self, Page};
use crate::command::shared;
use crate::output::Output;

/// Rows of the scaled data from which Lloyd's iterations reach the solution of the
/// published figures. In this order, clusters have the numbers of the classes that
/// they belong to.
const START: [usize; 3] = [54, 98, 149];
/// β of the published figures.
const BETA: Beta = Beta::Value(1.0);
/// The column of classes.
const LABEL: &str = "target";

#[derive(Args)]
#[command(after_help = "Example: neuralize demo --out wine\n\
                        Example: neuralize demo --report wine.html")]
pub(super) struct DemoArgs {
    /// Also write the data, the model, predictions and relevances to this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Also write a page about the clustering, for a browser
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
    /// Also write figures to this folder, as SVG (and PNG in a build with the feature `png`)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    figures: Option<PathBuf>,
}

impl Job for DemoArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let options = TableOptions::default().with_label(LABEL);
        let reader = TableReader::csv("wine.csv", Table::wine_csv().as_bytes(), &options)?;
        let (scaler, data) =
            Scale::MinMax.fit_table::<B>(reader, &session.device, session.dtype)?;
        let kmeans = KMeansConfig::new(START.len()).with_init(Init::Rows(START.to_vec()));
        let fit = kmeans.fit(&data.x)?;
        let (inertia, sizes) = (fit.inertia, fit.sizes.clone());
        let fit = ClustererFit::from(fit);
        let features = data.table.features();
        let info = ModelInfo::from(&fit).with_features(features).with_scale(Scale::MinMax);
        let model = Model::new(scaler, fit.clusterer, info)?;
        let network = model.neuralize()?;
        let explanation = network.explain(&data.x, Target::Assigned, BETA)?;
        let mut check = Check::<Autodiff<B>>::new(model.neuralize()?, Target::Assigned, BETA)?;
        check.add(&data.x, &explanation)?;
        let cases = Cases::explain(&model, &data.table, Target::Assigned, BETA)?;

        // Files come first: the reader of the text may close the pipe.
        if let Some(folder) = &self.out {
            write_folder(folder, session, &model, &data, &explanation)?;
            session.note(format!("written to {}", Shown::path(folder)));
        }
        if let Some(folder) = &self.figures {
            page::draw(&cases, folder, session)?;
        }
        if let Some(path) = &self.report {
            let label = LABEL.to_owned();
            let table = Path::new("Wine");
            let mut page = Page::start(session, &model, table, BETA, path, None, Some(&label))?;
            page.add(&data, &explanation)?;
            page.finish()?;
        }

        let mut out = Output::open(None)?;
        writeln!(
            out,
            "Wine: {} points of {} features, scaled to 0..1, in {} clusters of {sizes:?} (rows {START:?} as first centroids)",
            data.table.rows(),
            features.len(),
            START.len(),
        )?;
        writeln!(
            out,
            "inertia {inertia:.6}, heuristic beta {:.4}; explained with beta 1\n",
            network.beta().unwrap_or(f64::NAN),
        )?;
        print_misplaced(&mut out, &cases)?;
        write!(out, "{}", shared::described(&check.report(), session.dtype))?;
        out.finish()
    }
}

/// Prints every point whose cluster belongs to another class.
fn print_misplaced(out: &mut impl Write, cases: &Cases) -> Result<()> {
    let classes = cases.classes.as_ref().context("the wine data have classes")?;
    let agreeing = classes.agreeing.context("no cluster of the wine data stands for a class")?;
    let width = cases.features.iter().map(String::len).max().unwrap_or(0);
    writeln!(
        out,
        "Clusters are numbered as the classes they stand for; {agreeing} of {} points agree. The others:\n",
        cases.len(),
    )?;
    for case in cases.misplaced() {
        writeln!(
            out,
            "point {case:<4} cluster {} (probability {:.2})   true class {}   sum of relevances {:.4} / logit {:.4}",
            cases.cluster[case],
            cases.probability[case],
            classes.names[classes.of[case]],
            cases.relevance_of(case).iter().sum::<f64>(),
            cases.logit[case],
        )?;
        let mut row: Vec<_> = cases.relevance_of(case).iter().zip(&cases.features).collect();
        row.sort_by(|a, b| b.0.total_cmp(a.0));
        for part in row.chunks(3) {
            let cells: Vec<String> =
                part.iter().map(|(value, name)| format!("{value:+.4} {name:<width$}")).collect();
            writeln!(out, "    {}", cells.join(" ").trim_end())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes the data, the model, predictions and relevances.
fn write_folder<B: Backend>(
    folder: &Path,
    session: &Session<B>,
    model: &Model<B>,
    data: &ScaledTable<B>,
    explanation: &Explanation<B>,
) -> Result<()> {
    shared::create_folder(folder)?;
    model.save(folder.join("model"))?;
    let delimiter = session.delimiter.unwrap_or(b',');
    write_file(folder, "wine.csv", |_, output| {
        let text = Table::wine_csv().replace(',', &char::from(delimiter).to_string());
        Ok(output.write_all(text.as_bytes())?)
    })?;
    let format = Format::Csv { delimiter };
    write_file(folder, "predictions.csv", |name, output| {
        let mut writer = Results::new(name, output, format, session.dtype).predictions()?;
        let (cluster, logit) = model.neuralize()?.predict_with_logit(&data.x)?;
        writer.write(0.., cluster, logit)?;
        Ok(writer.finish()?)
    })?;
    write_file(folder, "relevance.csv", |name, output| {
        let features = data.table.features();
        let mut writer = Results::new(name, output, format, session.dtype)
            .explanations(features, Selection::default())?;
        writer.write(0.., explanation)?;
        Ok(writer.finish()?)
    })
}

fn write_file(
    folder: &Path,
    name: &str,
    write: impl FnOnce(String, &mut Output) -> Result<()>,
) -> Result<()> {
    let path = folder.join(name);
    let mut output = Output::open(Some(&path))?;
    write(Output::name(Some(&path)), &mut output)?;
    output.finish()
}
