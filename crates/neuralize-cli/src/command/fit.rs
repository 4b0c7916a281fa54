use anyhow::{Result, bail};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use neuralize::cluster::{FitOptions, KMeansConfig, Progress, match_to_classes};
use neuralize::data::{CsvOptions, Scale, Table};
use neuralize::record::{Model, ModelInfo};

use crate::args::{FitArgs, Usage};
use crate::backend::{Job, Session};
use crate::command::stream::{self, RAW, SCALED, in_file, note_coarse};
use crate::progress::Bar;

impl Job for FitArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        if self.clusters < 2 {
            let text = format!(
                "--clusters {}: an assignment can only be explained against another cluster; ask for 2 or more",
                self.clusters
            );
            return Err(Usage(text).into());
        }
        let mut options = session.csv();
        if let Some(label) = &self.label {
            options = options.with_label(label);
        }
        for column in &self.drop {
            options = options.with_dropped(column);
        }
        if self.stream {
            return fit_stream(&self, session, &options);
        }
        let table = Table::read(&self.data, &options)?;
        if table.rows() == 0 {
            bail!("{}: there is no row below the header", self.data.display());
        }
        note_coarse(session, &table);

        let scale = Scale::from(self.scale);
        let scaled = table.to_tensor::<B>(&session.device, session.dtype).and_then(|x| {
            let scaler = scale.fit(&x)?;
            Ok((scaler.transform(x)?, scaler))
        });
        let (scaled, scaler) =
            scaled.map_err(|error| in_file(error.into(), &self.data, table.features(), 0, RAW))?;
        let config = self.config();
        let mut bar: Option<Bar> = None;
        let mut observer = |progress: Progress| {
            let bar = bar.get_or_insert_with(|| Bar::restarts(progress.n_init, session.quiet));
            bar.set(progress.run as u64, || {
                format!("iteration {}, shift {:.3e}", progress.iteration, progress.shift)
            });
        };
        let fit = config
            .fit_with(&scaled, FitOptions::default().with_observer(&mut observer))
            .map_err(|error| in_file(error.into(), &self.data, table.features(), 0, SCALED))?;
        drop(bar);

        let info = ModelInfo {
            features: table.features().to_vec(),
            scale,
            inertia: Some(fit.inertia),
            sizes: Some(fit.sizes.clone()),
            rows: Some(table.rows()),
            seed: Some(self.seed),
            iterations: Some(fit.n_iter),
            converged: Some(fit.converged),
        };
        Model::new(scaler, fit.model, info)?.save(&self.model)?;

        let sizes: Vec<String> = fit.sizes.iter().map(ToString::to_string).collect();
        session.note(format!(
            "{} rows of {} features in {} clusters of {}; inertia {:.6}, {} iterations from {}{}",
            table.rows(),
            table.features().len(),
            self.clusters,
            sizes.join(", "),
            fit.inertia,
            fit.n_iter,
            fit.seeding,
            if fit.converged { "" } else { ", not converged: raise --max-iter" },
        ));
        if let Some((classes, names)) = table.classes() {
            let matching =
                match_to_classes(&numbers(fit.labels), &classes, self.clusters, names.len());
            session.note(format!(
                "clusters matched one to one with the {} classes agree for {} of {} rows",
                names.len(),
                matching.agreeing,
                table.rows(),
            ));
        }
        session.note(format!("model saved to {}", self.model.display()));
        Ok(())
    }
}

impl FitArgs {
    fn config(&self) -> KMeansConfig {
        KMeansConfig::new(self.clusters)
            .with_init(self.init.clone())
            .with_n_init(self.restarts)
            .with_max_iter(self.max_iter)
            .with_tol(self.tol)
            .with_seed(self.seed)
    }
}

/// A fit to a file that is never in memory as a whole: it is read once for the
/// scaler, twice for the fit, and once for every iteration.
fn fit_stream<B: Backend>(
    args: &FitArgs,
    session: &Session<B>,
    options: &CsvOptions,
) -> Result<()> {
    let scale = Scale::from(args.scale);
    let mut scaler = scale.start::<B>();
    let (mut features, mut rows) = (Vec::new(), 0);
    stream::tables(&args.data, options, args.clusters, |first, table| {
        if first == 0 {
            note_coarse(session, table);
            features = table.features().to_vec();
        }
        rows = first + table.rows();
        let x = table.to_tensor::<B>(&session.device, session.dtype);
        x.and_then(|x| scaler.add(&x))
            .map_err(|error| in_file(error.into(), &args.data, &features, first, RAW))
    })?;
    if rows == 0 {
        bail!("{}: there is no row below the header", args.data.display());
    }
    let scaler = scaler.finish()?;

    let mut bar: Option<Bar> = None;
    let fit = args.config().fit_parts::<B, anyhow::Error>(
        |visit| {
            stream::tables(&args.data, options, args.clusters, |first, table| {
                let x = table.to_tensor::<B>(&session.device, session.dtype)?;
                visit(scaler.transform(x)?)
                    .map_err(|error| in_file(error, &args.data, &features, first, SCALED))
            })
        },
        |progress| {
            let bar = bar.get_or_insert_with(|| Bar::restarts(1, session.quiet));
            bar.set(0, || {
                format!("iteration {}, shift {:.3e}", progress.iteration, progress.shift)
            });
        },
    )?;
    drop(bar);

    let sizes: Vec<String> = fit.sizes.iter().map(ToString::to_string).collect();
    session.note(format!(
        "{rows} rows of {} features in {} clusters of {}; inertia {:.6}, {} iterations from {}{}",
        features.len(),
        args.clusters,
        sizes.join(", "),
        fit.inertia,
        fit.n_iter,
        fit.seeding,
        if fit.converged { "" } else { ", not converged: raise --max-iter" },
    ));
    if args.label.is_some() {
        session.note("note: with --stream clusters are not compared with classes");
    }
    let info = ModelInfo {
        features,
        scale,
        inertia: Some(fit.inertia),
        sizes: Some(fit.sizes),
        rows: Some(rows),
        seed: Some(args.seed),
        iterations: Some(fit.n_iter),
        converged: Some(fit.converged),
    };
    Model::new(scaler, fit.model, info)?.save(&args.model)?;
    session.note(format!("model saved to {}", args.model.display()));
    Ok(())
}

/// Labels on the host.
pub(super) fn numbers<B: Backend>(labels: Tensor<B, 1, Int>) -> Vec<usize> {
    labels.into_data().iter::<i64>().map(|label| label as usize).collect()
}
