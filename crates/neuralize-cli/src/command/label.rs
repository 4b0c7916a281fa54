use anyhow::{Context, Result, bail};
use burn::tensor::backend::Backend;
use neuralize::cluster::LabelledConfig;
use neuralize::data::Scale;
use neuralize::record::{Model, ModelInfo};

use crate::args::LabelArgs;
use crate::backend::{Job, Session};
use crate::command::fit::{listed, note_agreement};
use crate::command::stream::{RAW, SCALED, in_file, note_coarse};
use crate::input;

impl Job for LabelArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let mut options = session.table().with_label(&self.labels);
        for column in &self.drop {
            options = options.with_dropped(column);
        }
        let table = input::open(&self.data, &options)?.read_all()?;
        if table.rows() == 0 {
            bail!("{}: there is no row below the header", input::name(&self.data));
        }
        note_coarse(session, &table);
        let labels = table.labels().context("the column of labels was read")?;
        let names = self.clusters(labels);
        if names.len() < 2 {
            bail!(
                "{}: column `{}` names {} cluster{}; an assignment can only be explained against another one",
                input::name(&self.data),
                self.labels,
                if names.is_empty() { "no" } else { "one" },
                if names.is_empty() { "s" } else { "" },
            );
        }
        let of = |label: &String| names.iter().position(|name| *name == label);
        let clusters: Vec<Option<usize>> = labels.iter().map(of).collect();

        let at = |what| {
            let (path, features) = (&self.data, table.features());
            move |error: neuralize::Error| in_file(error.into(), path, features, |row| row, what)
        };
        let x = table.to_tensor::<B>(&session.device, session.dtype).map_err(at(RAW))?;
        let scale = Scale::from(self.scale);
        let scaler = scale.fit(&x).map_err(at(RAW))?;
        let x = scaler.transform(x).map_err(at(RAW))?;
        let config = LabelledConfig::new()
            .with_gamma(self.gamma.0)
            .with_prototypes(self.prototypes)
            .with_seed(self.seed);
        let what = if scale == Scale::None { RAW } else { SCALED };
        let fit =
            config.fit(&x, &clusters).map_err(at(what)).with_context(|| input::name(&self.data))?;

        let names: Vec<String> = names.into_iter().cloned().collect();
        let summary = format!(
            "{} rows of {} features in {} clusters of {} (labels {}), {} rows of noise left out; {} supports, gamma {:.6}",
            table.rows() - fit.noise,
            table.features().len(),
            names.len(),
            listed(&fit.sizes),
            listed(&names),
            fit.noise,
            fit.model.n_supports(),
            fit.gamma,
        );
        let info = ModelInfo {
            features: table.features().to_vec(),
            scale,
            rows: Some(table.rows() - fit.noise),
            sizes: Some(fit.sizes),
            seed: Some(self.seed),
            labels: Some(names),
            gamma: Some(fit.gamma),
            supports: Some(fit.model.n_supports()),
            agreement: Some(fit.agreement),
            ..ModelInfo::default()
        };
        Model::new(scaler, fit.model, info)?.save(&self.model)?;
        session.note(summary);
        note_agreement(session, fit.agreement, fit.left_out);
        session.note(format!("model saved to {}", self.model.display()));
        Ok(())
    }
}

impl LabelArgs {
    /// The labels that are no noise, by their numbers, or by their text where
    /// some are no numbers.
    fn clusters<'a>(&self, labels: &'a [String]) -> Vec<&'a String> {
        let mut names: Vec<&String> = labels.iter().filter(|label| !self.is_noise(label)).collect();
        names.sort_unstable();
        names.dedup();
        let numbers: Option<Vec<f64>> = names.iter().map(|name| name.parse().ok()).collect();
        if let Some(numbers) = numbers {
            let mut order: Vec<usize> = (0..names.len()).collect();
            order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
            names = order.into_iter().map(|at| names[at]).collect();
        }
        names
    }

    /// No label at all, or one of noise: -1 and -1.0 are the same.
    fn is_noise(&self, label: &str) -> bool {
        let number = label.parse::<f64>().ok();
        let same = |noise: &String| {
            noise == label || (number.is_some() && number == noise.parse::<f64>().ok())
        };
        label.trim().is_empty() || self.noise.iter().any(same)
    }
}
