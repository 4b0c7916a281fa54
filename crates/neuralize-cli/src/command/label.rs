//! `neuralize label`

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use burn::tensor::backend::Backend;
use clap::{Args, ValueHint};
use neuralize::cluster::{ClustererFit, LabelledConfig};
use neuralize::data::Shown;
use neuralize::record::{Model, ModelInfo, check_folder};

use crate::args::TrainingArgs;
use crate::backend::{Job, Session};
use crate::command::shared::{self, Training, counted, figure, listed, listed_labels};
use crate::output::Output;
use crate::parse::ChosenGamma;
use crate::{input, parse};

#[derive(Args)]
#[command(
    after_help = "Labels may come from DBSCAN, HDBSCAN, spectral or hierarchical clustering, or from a person. The model \
                  assigns a point by its similarity to the members of every cluster; the command prints how often that \
                  gives the label.\n\n\
                  Example: neuralize label wine.csv --labels target --model model --scale minmax"
)]
pub(super) struct LabelArgs {
    #[command(flatten)]
    training: TrainingArgs,
    /// Column of labels
    #[arg(long, value_name = "COL")]
    labels: String,
    /// Folder for the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    model: PathBuf,
    /// Label of noise (repeat for more); such rows, and rows without a label, are left out
    #[arg(long, value_name = "LABEL", default_value = "-1", allow_hyphen_values = true)]
    noise: Vec<String>,
    /// Represent every cluster by N prototypes instead of all its members
    #[arg(long, value_name = "N", value_parser = parse::count, allow_negative_numbers = true)]
    prototypes: Option<usize>,
    /// Gamma of the kernel: auto (the smallest that reproduces the labels) or a number; inf assigns a
    /// point to the cluster of the nearest member
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|G",
        value_parser = parse::chosen_gamma,
        allow_negative_numbers = true
    )]
    gamma: ChosenGamma,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = parse::whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
}

impl Job for LabelArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        check_folder(&self.model)?;
        Output::check_folder("--model", Some(&self.model), &[&self.training.data])?;
        let Training { scale, scaler, data } =
            shared::read_scaled(session, &self.training, Some(&self.labels), None)?;
        let table = &data.table;
        let (clusters, names) = table.clusters(&self.noise).context("there are labels")?;
        if names.len() < 2 {
            bail!(
                "{}: column `{}` has {}; an assignment is explained against another cluster, so use 2 or more",
                input::name(&self.training.data),
                Shown(&self.labels),
                counted(names.len(), "cluster"),
            );
        }
        let labelled = clusters.iter().flatten().count();
        if names.len() > 2 && names.len() == labelled {
            bail!(
                "{}: column `{}` has a different label in every row, as an identifier has; name the column of the clusters",
                input::name(&self.training.data),
                Shown(&self.labels),
            );
        }
        let config = LabelledConfig::new()
            .with_gamma(self.gamma.0)
            .with_prototypes(self.prototypes)
            .with_seed(self.seed);
        let fit = config
            .fit(&data.x, &clusters)
            .map_err(|error| data.located(error))
            .with_context(|| input::name(&self.training.data))?;
        let summary = format!(
            "{} of {} in {} clusters of {} (labels {}), {} of noise left out; {}, gamma {}",
            counted(table.rows() - fit.noise, "row"),
            counted(table.features().len(), "feature"),
            names.len(),
            listed(&fit.sizes),
            listed_labels(&names),
            counted(fit.noise, "row"),
            counted(fit.model.n_supports(), "support"),
            figure(fit.gamma),
        );
        let (agreement, left_out) = (fit.agreement, fit.left_out);
        let fit = ClustererFit::from(fit);
        let info = ModelInfo::from(&fit)
            .with_table(table)
            .with_id(self.training.id.clone())
            .with_scale(scale)
            .with_seed(self.seed)
            .with_labels(names);
        Model::new(scaler, fit.clusterer, info)?.save(&self.model)?;
        session.note(summary);
        shared::note_agreement(session, agreement, left_out);
        session.note(format!("model saved to {}", Shown::path(&self.model)));
        Ok(())
    }
}
