use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::baseline::Check;
use neuralize::cases::Cases;
use neuralize::cluster::{Init, KMeansConfig};
use neuralize::data::{Format, Results, Scale, Selection, Table};
use neuralize::explain::{Beta, Explanation, Target};
use neuralize::record::{Model, ModelInfo};

use crate::args::DemoArgs;
use crate::backend::{Job, Session};
use crate::command::explain::describe;
use crate::command::predict;
use crate::command::report::{self, Page};
use crate::output::Output;

/// Rows of the scaled data from which Lloyd's iterations reach the solution
/// behind the published figures; in this order clusters have the numbers of the
/// classes they stand for.
const START: [usize; 3] = [54, 98, 149];
/// The β of the published figures.
const BETA: Beta = Beta::Value(1.0);

impl Job for DemoArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let wine = Table::wine();
        let x = wine.to_tensor::<B>(&session.device, session.dtype)?;
        let scaler = Scale::MinMax.fit(&x)?;
        let scaled = scaler.transform(x)?;
        let fit =
            KMeansConfig::new(START.len()).with_init(Init::Rows(START.to_vec())).fit(&scaled)?;
        let info = ModelInfo {
            features: wine.features().to_vec(),
            scale: Scale::MinMax,
            inertia: Some(fit.inertia),
            sizes: Some(fit.sizes.clone()),
            rows: Some(wine.rows()),
            iterations: Some(fit.n_iter),
            converged: Some(fit.converged),
            ..ModelInfo::default()
        };
        let model = Model::new(scaler, fit.model, info)?;
        let network = model.neuralize()?;
        let explanation = network.explain(&scaled, Target::Assigned, BETA)?;
        let mut check = Check::<Autodiff<B>>::new(model.neuralize()?, Target::Assigned, BETA)?;
        check.add(&scaled, &explanation)?;
        let cases = Cases::explain(&model, &wine, Target::Assigned, BETA)?;

        // Files first: whoever reads the text may stop before its end.
        if let Some(folder) = &self.out {
            write_folder(folder, session, &wine, &model, &scaled, &explanation)?;
            session.note(format!("written to {}", folder.display()));
        }
        if let Some(folder) = &self.figures {
            report::draw(&cases, folder, session)?;
        }
        if let Some(path) = &self.report {
            let mut page = Page::start(session, &model, "Wine", BETA, path)?.with_label("target");
            let rows: Vec<usize> = (0..wine.rows()).collect();
            page.add(&rows, &wine, &scaled, &explanation)?;
            page.finish()?;
        }

        let mut out = Output::open(None)?;
        writeln!(
            out,
            "Wine: {} points of {} features, scaled to 0..1, in {} clusters of {:?} (rows {START:?} as first centroids)",
            wine.rows(),
            wine.features().len(),
            START.len(),
            fit.sizes,
        )?;
        writeln!(
            out,
            "inertia {:.6}, heuristic beta {:.4}; explained with beta 1\n",
            fit.inertia,
            network.beta().unwrap_or(f64::NAN),
        )?;
        print_misplaced(&mut out, &cases)?;
        write!(out, "{}", describe(&check.report()))?;
        out.finish()
    }
}

/// Every point whose cluster stands for another class than its own.
fn print_misplaced(out: &mut impl Write, cases: &Cases) -> Result<()> {
    let classes = cases.classes.as_ref().context("the wine data have classes")?;
    let width = cases.features.iter().map(String::len).max().unwrap_or(0);
    writeln!(
        out,
        "Clusters are numbered as the classes they stand for; {} of {} points agree. The others:\n",
        classes.agreeing,
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

fn write_folder<B: Backend>(
    folder: &Path,
    session: &Session<B>,
    wine: &Table,
    model: &Model<B>,
    scaled: &Tensor<B, 2>,
    explanation: &Explanation<B>,
) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    model.save(folder.join("model"))?;
    let delimiter = session.delimiter.unwrap_or(b',');
    let mut output = Output::open(Some(&folder.join("wine.csv")))?;
    let text = Table::wine_csv().replace(',', &char::from(delimiter).to_string());
    output.write_all(text.as_bytes())?;
    output.finish()?;

    let format = Format::Csv { delimiter };
    let path = folder.join("predictions.csv");
    let mut output = Output::open(Some(&path))?;
    let results = Results::new(Output::name(Some(&path)), &mut output, format, session.dtype);
    let mut writer = results.predictions()?;
    predict::write(&mut writer, model.neuralize()?.as_ref(), 0.., scaled)?;
    writer.finish()?;
    output.finish()?;

    let path = folder.join("relevance.csv");
    let mut output = Output::open(Some(&path))?;
    let results = Results::new(Output::name(Some(&path)), &mut output, format, session.dtype);
    let mut writer = results.explanations(wine.features(), Selection::default())?;
    writer.write(0.., explanation)?;
    writer.finish()?;
    output.finish()
}
