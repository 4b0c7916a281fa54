use anyhow::{Result, bail};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use neuralize::cluster::{FitOptions, KMeans, KMeansConfig, Progress, Seeding, match_to_classes};
use neuralize::data::{Scale, Scaler, TableOptions};
use neuralize::record::{Model, ModelInfo};

use crate::args::{FitArgs, Usage};
use crate::backend::{Job, Session};
use crate::command::stream::{self, RAW, SCALED, in_file, note_coarse};
use crate::input;
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
        let mut options = session.table();
        if let Some(label) = &self.label {
            options = options.with_label(label);
        }
        for column in &self.drop {
            options = options.with_dropped(column);
        }
        if self.stream {
            if input::is_fleeting(&self.data) {
                let text = format!(
                    "--stream goes through the data several times, which {} gives only once; leave it out, or give a file",
                    input::name(&self.data)
                );
                return Err(Usage(text).into());
            }
            return fit_stream(&self, session, &options);
        }
        let table = input::open(&self.data, &options)?.read_all()?;
        if table.rows() == 0 {
            bail!("{}: there is no row below the header", input::name(&self.data));
        }
        note_coarse(session, &table);

        let scale = Scale::from(self.scale);
        let scaled = table.to_tensor::<B>(&session.device, session.dtype).and_then(|x| {
            let scaler = scale.fit(&x)?;
            Ok((scaler.transform(x)?, scaler))
        });
        let (scaled, scaler) = scaled
            .map_err(|error| in_file(error.into(), &self.data, table.features(), |row| row, RAW))?;
        let config = self.config();
        let mut bar: Option<Bar> = None;
        let mut observer = |progress: Progress| {
            let bar = bar.get_or_insert_with(|| Bar::restarts(progress.n_init, session.quiet));
            bar.set(progress.run as u64, || {
                format!("iteration {}, shift {:.3e}", progress.iteration, progress.shift)
            });
        };
        let fit =
            config.fit_with(&scaled, FitOptions::default().with_observer(&mut observer)).map_err(
                |error| in_file(error.into(), &self.data, table.features(), |row| row, SCALED),
            )?;
        drop(bar);

        let agreement = table.classes().map(|(classes, names)| {
            let labels = numbers(fit.labels);
            let matching = match_to_classes(&labels, &classes, self.clusters, names.len());
            format!(
                "clusters matched one to one with the {} classes agree for {} of {} rows",
                names.len(),
                matching.agreeing,
                table.rows(),
            )
        });
        let fitted = Fitted {
            scaler,
            features: table.features().to_vec(),
            clusterer: fit.model,
            inertia: fit.inertia,
            iterations: fit.n_iter,
            converged: fit.converged,
            sizes: fit.sizes,
            seeding: fit.seeding,
        };
        fitted.save(&self, session, agreement)
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
    options: &TableOptions,
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
            .map_err(|error| in_file(error.into(), &args.data, &features, |row| first + row, RAW))
    })?;
    if rows == 0 {
        bail!("{}: there is no row below the header", input::name(&args.data));
    }
    let scaler = scaler.finish()?;

    let mut bar: Option<Bar> = None;
    let fit = args.config().fit_parts::<B, anyhow::Error>(
        |visit| {
            stream::tables(&args.data, options, args.clusters, |first, table| {
                let x = table.to_tensor::<B>(&session.device, session.dtype)?;
                visit(scaler.transform(x)?).map_err(|error| {
                    in_file(error, &args.data, &features, |row| first + row, SCALED)
                })
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

    let remark = args
        .label
        .as_ref()
        .map(|_| "note: with --stream clusters are not compared with classes".to_owned());
    let fitted = Fitted {
        scaler,
        features,
        clusterer: fit.model,
        inertia: fit.inertia,
        iterations: fit.n_iter,
        converged: fit.converged,
        sizes: fit.sizes,
        seeding: fit.seeding,
    };
    fitted.save(args, session, remark)
}

/// What came of a fit, however the data were read.
struct Fitted<B: Backend> {
    scaler: Scaler<B>,
    features: Vec<String>,
    clusterer: KMeans<B>,
    inertia: f64,
    iterations: usize,
    converged: bool,
    sizes: Vec<usize>,
    seeding: Seeding,
}

impl<B: Backend> Fitted<B> {
    /// Saves the model and says what it is.
    fn save(self, args: &FitArgs, session: &Session<B>, remark: Option<String>) -> Result<()> {
        let rows = self.sizes.iter().sum();
        let sizes: Vec<String> = self.sizes.iter().map(ToString::to_string).collect();
        let summary = format!(
            "{rows} rows of {} features in {} clusters of {}; inertia {:.6}, {} iterations from {}{}",
            self.features.len(),
            args.clusters,
            sizes.join(", "),
            self.inertia,
            self.iterations,
            self.seeding,
            if self.converged { "" } else { ", not converged: raise --max-iter" },
        );
        let info = ModelInfo {
            features: self.features,
            scale: args.scale.into(),
            inertia: Some(self.inertia),
            sizes: Some(self.sizes),
            rows: Some(rows),
            seed: Some(args.seed),
            iterations: Some(self.iterations),
            converged: Some(self.converged),
            ..ModelInfo::default()
        };
        Model::new(self.scaler, self.clusterer, info)?.save(&args.model)?;
        session.note(summary);
        if let Some(remark) = remark {
            session.note(remark);
        }
        session.note(format!("model saved to {}", args.model.display()));
        Ok(())
    }
}

/// Labels on the host.
pub(super) fn numbers<B: Backend>(labels: Tensor<B, 1, Int>) -> Vec<usize> {
    labels.into_data().iter::<i64>().map(|label| label as usize).collect()
}
