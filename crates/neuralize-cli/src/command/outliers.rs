//! `neuralize outliers`

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use clap::{Args, ValueEnum, ValueHint};
use neuralize::Error;
use neuralize::cluster::Bandwidth;
use neuralize::data::{Shown, TableOptions};
use neuralize::outlier::{
    KernelDensity, KernelDensityConfig, NeuralizedKernelDensity, OutlierExplanation,
};
use neuralize::output::{Format, Results, Sort};
use neuralize::record::{ModelInfo, OutlierModel, check_folder};

use crate::args::{ResultArgs, SelectionArgs, TrainingArgs};
use crate::backend::{Job, Session};
use crate::command::shared::{self, Training};
use crate::output::{self, Output};
use crate::progress::{Bar, Estimate, about};
use crate::{input, parse};

/// The share of the data that counts as the neighbours of a point.
const DEFAULT_SHARE: f64 = 0.25;

#[derive(Args)]
#[command(
    after_help = "Without --model, every row is scored against the other rows. Scores and relevances are in squared units of \
                  the scaled data; the relevances of a row sum to its score.\n\n\
                  Example: neuralize outliers wine.csv --scale standard --drop target --limit 5 --format table\n\
                  Example: neuralize outliers wine.csv --scale standard --drop target --save density -o scores.csv"
)]
pub(super) struct OutlierArgs {
    #[command(flatten)]
    training: TrainingArgs,
    /// Score against the data of a model that was made by --save
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        conflicts_with_all = [
            "save", "scale", "columns", "drop", "kinds", "missing", "log", "perplexity", "gamma", "supports",
            "seed"
        ]
    )]
    model: Option<PathBuf>,
    /// Also save a model of the data to this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    save: Option<PathBuf>,
    /// Share of the data that counts as the neighbours of a point [default: 0.25]
    #[arg(long, value_name = "P", value_parser = parse::part, allow_negative_numbers = true)]
    perplexity: Option<f64>,
    /// Gamma of the kernel, instead of --perplexity; inf counts only the nearest neighbour
    #[arg(
        long,
        value_name = "G",
        conflicts_with = "perplexity",
        value_parser = parse::positive,
        allow_negative_numbers = true
    )]
    gamma: Option<f64>,
    /// Maximum number of rows to score against, drawn at random [default: all rows]
    #[arg(long, value_name = "N", value_parser = parse::count, allow_negative_numbers = true)]
    supports: Option<usize>,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = parse::whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
    /// Order of the results
    #[arg(long, value_enum, default_value_t = OutlierSortName::Score)]
    sort: OutlierSortName,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    results: ResultArgs,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum OutlierSortName {
    /// Descending scores; keeps all results in memory, or twice the limit
    Score,
    /// The order of the file
    Row,
}

impl From<OutlierSortName> for Sort {
    fn from(name: OutlierSortName) -> Self {
        match name {
            OutlierSortName::Score => Self::Typical,
            OutlierSortName::Row => Self::Row,
        }
    }
}

impl Job for OutlierArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let (data, output) = (&self.training.data, self.results.output.as_deref());
        Output::check_inputs(output, data, self.model.as_deref())?;
        let format = output::format(&self.results, session.delimiter)?;
        if let Some(folder) = &self.save {
            check_folder(folder)?;
            Output::check_folder("--save", Some(folder), &[data])?;
            Output::check_other("--save", &folder.join("config.json"), output)?;
        }
        match &self.model {
            Some(folder) => self.score_by_model(session, format, folder),
            None => self.score_rows(session, format),
        }
    }
}

impl OutlierArgs {
    /// Scores every row against the data of a model.
    fn score_by_model<B: Backend>(
        &self,
        session: &Session<B>,
        format: Format,
        folder: &Path,
    ) -> Result<()> {
        let model = OutlierModel::<B>::load(folder, &session.device, session.dtype)?;
        let network = model.density().neuralize();
        let (data, path) = (&self.training.data, self.results.output.as_deref());
        let mut output = Output::open(path)?;
        let options = model.table_options();
        let options = self.training.id.iter().fold(options, TableOptions::with_id);
        let reader = shared::open(session, data, options)?;
        let results = Results::new(Output::name(path), &mut output, format, session.dtype)
            .with_row_names(reader.id().map(str::to_owned));
        let selection = shared::selection(&self.selection, self.sort.into(), format);
        let mut writer = results.outliers(&model.info().columns(), selection)?;
        let (started, supports) = (Instant::now(), network.n_supports());
        let (mut scored, mut is_said) = (0, false);
        shared::each_part(session, data, model.parts(reader)?, |part| {
            // The data of the model get the scores that they had when it was made.
            let explanation = network.explain_left_out(&part.x)?;
            let explanation = explanation.by_column(model.info().encoding.as_ref())?;
            scored += part.rows.len();
            let seconds = started.elapsed().as_secs_f64();
            if !is_said && seconds > 5.0 {
                let pace = scored as f64 / seconds;
                session.note(format!(
                    "note: about {pace:.0} rows a second are scored against the {supports} of the model"
                ));
                is_said = true;
            }
            Ok(writer.write(shared::keys(part), &explanation)?)
        })?;
        writer.finish()?;
        output.finish()
    }

    /// The density of the rows. Where points have more copies than the default share of neighbours,
    /// only the nearest row counts, with a word.
    fn fitted<B: Backend>(
        &self,
        session: &Session<B>,
        x: &Tensor<B, 2>,
    ) -> neuralize::Result<KernelDensity<B>> {
        let config =
            KernelDensityConfig::new().with_max_supports(self.supports).with_seed(self.seed);
        let fit = |bandwidth| config.clone().with_bandwidth(bandwidth).fit(x);
        match (self.gamma, self.perplexity) {
            (Some(gamma), _) => fit(Bandwidth::Gamma(gamma)),
            (None, Some(share)) => fit(Bandwidth::Share(share)),
            (None, None) => match fit(Bandwidth::Share(DEFAULT_SHARE)) {
                Err(Error::Config { .. }) => {
                    session.note(
                        "note: too many rows are copies of one another, or nearer than squares can tell, for a scale: only the nearest other row counts \
                         (--gamma inf)",
                    );
                    fit(Bandwidth::Gamma(f64::INFINITY))
                }
                found => found,
            },
        }
    }

    /// The scores of all rows and their explanations. If they take long, that is said beforehand.
    fn explained<B: Backend>(
        &self,
        session: &Session<B>,
        network: &NeuralizedKernelDensity<B>,
        x: &Tensor<B, 2>,
    ) -> neuralize::Result<OutlierExplanation<B>> {
        const FEWER: usize = 2000;
        let ([rows, _], supports) = (x.dims(), network.n_supports());
        let mut bar = Bar::rows(rows, session.quiet);
        let mut estimate = Estimate::start();
        network.explain_left_out_observed(x, &mut |done| {
            if let Some(time) = estimate.long(done as f64 / rows as f64) {
                let fewer = match supports > FEWER {
                    true => format!(
                        "; --supports {FEWER} scores against so many of them, in about {}",
                        about(time.mul_f64(FEWER as f64 / supports as f64))
                    ),
                    false => String::new(),
                };
                session.note(format!(
                    "note: to score {rows} rows against {supports} takes about {}{fewer}",
                    about(time)
                ));
            }
            bar.set(done as u64, String::new);
        })
    }

    /// Scores every row against the others.
    fn score_rows<B: Backend>(&self, session: &Session<B>, format: Format) -> Result<()> {
        let Training { scale, scaler, data } =
            shared::read_scaled(session, &self.training, None, None)?;
        let features = data.table.features();
        if data.table.rows() < 2 {
            bail!("{}: the table has only one row to score", input::name(&self.training.data));
        }
        let density = self
            .fitted(session, &data.x)
            .map_err(|error| data.located(error))
            .with_context(|| input::name(&self.training.data))?;
        let summary = format!(
            "{} of {} against {}, gamma {}",
            shared::counted(data.table.rows(), "row"),
            shared::counted(features.len(), "feature"),
            shared::counted(density.n_supports(), "support"),
            shared::figure(density.gamma()),
        );
        let network = density.neuralize();
        let path = self.results.output.as_deref();
        let mut output = Output::open(path)?;
        if let Some(folder) = &self.save {
            let mut info = ModelInfo::from(&density)
                .with_table(&data.table)
                .with_id(self.training.id.clone())
                .with_scale(scale)
                .with_seed(self.seed);
            info.rows = Some(data.table.rows());
            OutlierModel::new(scaler, density, info)?.save(folder)?;
            session.note(format!("model saved to {}", Shown::path(folder)));
        }
        let results = Results::new(Output::name(path), &mut output, format, session.dtype)
            .with_row_names(self.training.id.clone());
        let selection = shared::selection(&self.selection, self.sort.into(), format);
        let encoding = data.table.encoding().context("a table that was read has an encoding")?;
        let columns: Vec<String> =
            encoding.columns.iter().map(|column| column.name.clone()).collect();
        let mut writer = results.outliers(&columns, selection)?;
        let explanation =
            self.explained(session, &network, &data.x).map_err(|error| data.located(error))?;
        writer.write(shared::keys(&data), &explanation.by_column(Some(encoding))?)?;
        writer.finish()?;
        session.note(summary);
        output.finish()
    }
}
