//! `neuralize fit`

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use clap::{Args, ValueHint};
use neuralize::Error;
use neuralize::choose::{Choice, SampledRows, least_rows};
use neuralize::cluster::{
    Bandwidth, Clusterer, ClustererConfig, ClustererFit, CrossTable, FitOptions,
    GaussianMixtureConfig, Init, KMeansConfig, KernelKMeansConfig, Progress,
};
use neuralize::data::{Gaps, Scale, ScaledTable, Scaler, Shown, Table};
use neuralize::record::{Model, ModelInfo, check_folder};

use crate::args::{TrainingArgs, Usage};
use crate::backend::{Job, Session};
use crate::command::choice::{self, Wanted};
use crate::command::shared::{self, Training, counted, figure, listed};
use crate::command::stream::{Stream, refuse_read_once};
use crate::output::Output;
use crate::parse::Method;
use crate::progress::Bar;
use crate::{input, parse};

#[derive(Args)]
#[command(
    after_help = "Example: neuralize fit wine.csv --clusters 3 --model model --scale minmax --label target\n\
                  Example: neuralize fit wine.csv -k 3 --method gmm --model model --scale standard --label target\n\
                  Example: cat wine.csv | neuralize fit - --clusters 3 --model model --drop target"
)]
pub(super) struct FitArgs {
    #[command(flatten)]
    training: TrainingArgs,
    /// Number of clusters [default: the one that `neuralize choose` recommends, if one is clear]
    #[arg(long, short = 'k', value_name = "K", value_parser = parse::count, allow_negative_numbers = true)]
    clusters: Option<usize>,
    /// Folder for the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    model: PathBuf,
    /// Clustering method: kmeans; k-means with another distance (kmedians, power=P, mahalanobis,
    /// bregman-kl for counts, bregman-is for spectra, bregman-logistic for probabilities); kernel
    /// (k-means with a Gaussian kernel, for clusters of any shape); or gmm (a mixture of Gaussians)
    #[arg(long, default_value = "kmeans", value_name = "METHOD", value_parser = parse::method)]
    method: Method,
    /// Column of known classes: not a feature, but compared with the clusters
    #[arg(long, value_name = "COL")]
    label: Option<String>,
    /// First centroids: k-means++, random, or rows:I,J,.. counted from 0 [default: k-means++]
    #[arg(long, value_name = "HOW", value_parser = parse::init)]
    init: Option<Init>,
    /// Gamma of the kernel (method kernel): auto (from the distances to near neighbours), median (of
    /// all distances), perplexity=P, or a number
    #[arg(long, value_name = "HOW", value_parser = parse::bandwidth, allow_negative_numbers = true)]
    gamma: Option<Bandwidth>,
    /// Represent every cluster by N prototypes instead of all its members (method kernel)
    #[arg(long, value_name = "N", value_parser = parse::count, allow_negative_numbers = true)]
    prototypes: Option<usize>,
    /// Weight of the mean of all data in the means of the clusters (bregman methods)
    #[arg(long, value_name = "A", value_parser = parse::weight, allow_negative_numbers = true)]
    smoothing: Option<f64>,
    /// Number of restarts; the best is kept [default: 10 without --clusters; else for kmeans and other
    /// distances 10 where rows x features x clusters is at most 262144 or with --init random, and 1 for
    /// more; for kernel 10 up to 5792 rows, 4 for more; for gmm 1]
    #[arg(long, value_name = "N", value_parser = parse::count, allow_negative_numbers = true)]
    restarts: Option<usize>,
    /// Read the file once for every iteration instead of keeping it in memory
    #[arg(long, conflicts_with = "restarts")]
    stream: bool,
    /// Maximum number of iterations of a restart [default: 300, for gmm 200]
    #[arg(long, value_name = "N", value_parser = parse::count, allow_negative_numbers = true)]
    max_iter: Option<usize>,
    /// Tolerance for convergence: of the squared shift of the centroids, relative to the mean
    /// variance; with another distance, of the relative decrease of the inertia; for gmm, of the
    /// increase of the mean log-likelihood [default: 1e-4]
    #[arg(long, value_name = "T", value_parser = parse::number, allow_negative_numbers = true)]
    tol: Option<f64>,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = parse::whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
}

/// Restarts of a fit whose number of clusters was chosen.
const CHOSEN_RESTARTS: usize = 10;
/// The numbers of clusters that a fit chooses from.
const NUMBERS: RangeInclusive<usize> = 2..=10;

impl Job for FitArgs {
    fn run<B: Backend>(mut self, session: &Session<B>) -> Result<()> {
        self.check()?;
        check_folder(&self.model)?;
        Output::check_folder("--model", Some(&self.model), &[&self.training.data])?;
        if self.stream {
            return self.fit_stream(session);
        }
        let Training { scale, scaler, data } =
            shared::read_scaled(session, &self.training, self.label.as_ref(), self.fixed_scale())?;
        let choice = match self.clusters {
            Some(_) => None,
            None => {
                let choice = choice::choice(session, &data, self.wanted())?;
                self.go_on_with(session, &choice)?;
                // As many as the figures of the choice are of.
                self.restarts = self.restarts.or(Some(CHOSEN_RESTARTS));
                Some(choice)
            }
        };
        let mut observer = shown(session.quiet);
        let fit = self.config().fit_observed(&data.x, &mut observer);
        drop(observer);
        let fit = fit.map_err(|error| data.located(error))?;
        let remark = self.compared(&data.table, &fit);
        if let Some(choice) = &choice {
            self.note_small(session, choice, &fit.sizes);
        }
        let info = self.info(&fit, &data.table, scale).with_choice(choice);
        self.save(session, scaler, info, fit, remark)
    }
}

impl FitArgs {
    /// Refuses arguments that do not go together.
    fn check(&self) -> Result<(), Usage> {
        if let Some(clusters @ 0..2) = self.clusters {
            let text = format!(
                "--clusters {clusters}: use 2 or more; an assignment is explained against another cluster"
            );
            return Err(Usage(text));
        }
        if self.clusters.is_none() {
            choice::refuse_bregman(self.method)?;
        }
        let bregman = matches!(self.method, Method::Distance(distance) if distance.is_bregman());
        let (kernel, mixture) = (self.method == Method::Kernel, self.method == Method::Mixture);
        let kmeans = self.method == Method::KMeans;
        for (given, known, option, methods) in [
            (self.init.is_some(), !kernel && !mixture, "--init", "kmeans or another distance"),
            (self.tol.is_some(), !kernel, "--tol", "kmeans, another distance or gmm"),
            (self.gamma.is_some(), kernel, "--gamma", "kernel"),
            (self.prototypes.is_some(), kernel, "--prototypes", "kernel"),
            (self.smoothing.is_some(), bregman, "--smoothing", "bregman-kl, -is or -logistic"),
            (self.stream, kmeans, "--stream", "kmeans"),
        ] {
            if given && !known {
                return Err(Usage(format!("{option} can only be used with --method {methods}")));
            }
        }
        if self.stream { refuse_read_once(&self.training.data) } else { Ok(()) }
    }

    /// The choice among the usual numbers of clusters.
    fn wanted(&self) -> Wanted {
        Wanted { config: self.config(), clusters: NUMBERS.collect(), seed: self.seed }
    }

    /// Goes on with the number of clusters that is recommended, and says why.
    fn go_on_with<B: Backend>(&mut self, session: &Session<B>, choice: &Choice) -> Result<()> {
        match choice.recommended {
            Some(clusters) => {
                session.note(&choice.sentence);
                self.clusters = Some(clusters);
                Ok(())
            }
            None => bail!(
                "{}: {}; say how many by --clusters K, and see `neuralize choose`",
                input::name(&self.training.data),
                choice.sentence
            ),
        }
    }

    /// Says if the fit has a cluster that the choice would not have counted: rows that are far from
    /// all others were left aside there, and are a cluster here.
    fn note_small<B: Backend>(&self, session: &Session<B>, choice: &Choice, sizes: &[usize]) {
        let least = least_rows(sizes.iter().sum());
        let small = sizes.iter().enumerate().filter(|(_, size)| **size < least);
        let aside = match choice.lonely {
            0 => String::new(),
            lonely => format!(" (it left {} aside as far from all others)", counted(lonely, "row")),
        };
        for (cluster, &size) in small {
            session.note(format!(
                "note: cluster {cluster} has only {}, fewer than the choice counts{aside}: the number may be for other clusters; see \
                 `neuralize outliers`",
                counted(size, "row")
            ));
        }
    }

    /// The number of clusters; 0 while it is not chosen.
    fn n_clusters(&self) -> usize {
        self.clusters.unwrap_or(0)
    }

    /// The scaling that the method needs: values of Bregman divergences have a meaning of their own.
    fn fixed_scale(&self) -> Option<Scale> {
        let bregman = matches!(self.method, Method::Distance(distance) if distance.is_bregman());
        bregman.then_some(Scale::None)
    }

    /// The settings of the method.
    fn config(&self) -> ClustererConfig {
        match self.method {
            Method::KMeans => self.kmeans().into(),
            Method::Distance(distance) => {
                self.kmeans().with_distance(distance).with_smoothing(self.smoothing).into()
            }
            Method::Kernel => {
                let mut config = KernelKMeansConfig::new(self.n_clusters())
                    .with_bandwidth(self.gamma.clone().unwrap_or(Bandwidth::Neighbours))
                    .with_n_init(self.restarts)
                    .with_seed(self.seed)
                    .with_prototypes(self.prototypes);
                config.max_iter = self.max_iter.unwrap_or(config.max_iter);
                config.into()
            }
            Method::Mixture => {
                let mut config = GaussianMixtureConfig::new(self.n_clusters()).with_seed(self.seed);
                config.n_init = self.restarts.unwrap_or(config.n_init);
                config.max_iter = self.max_iter.unwrap_or(config.max_iter);
                config.tol = self.tol.unwrap_or(config.tol);
                config.into()
            }
        }
    }

    fn kmeans(&self) -> KMeansConfig {
        let mut config = KMeansConfig::new(self.n_clusters())
            .with_init(self.init.clone().unwrap_or(Init::KMeansPlusPlus))
            .with_n_init(self.restarts)
            .with_seed(self.seed);
        config.max_iter = self.max_iter.unwrap_or(config.max_iter);
        config.tol = self.tol.unwrap_or(config.tol);
        config
    }

    /// First centroids of a fit in parts: those of a fit to the rows that a number was chosen for, with
    /// as many restarts as the figures of the choice are of.
    fn first_centroids<B: Backend>(
        &self,
        session: &Session<B>,
        sample: &SampledRows,
    ) -> Result<Tensor<B, 2>> {
        let (numbers, values) = sample.rows();
        let shape = [numbers.len(), values.len() / numbers.len().max(1)];
        let values = TensorData::new(values, shape).convert_dtype(session.dtype);
        let x = Tensor::<B, 2>::from_data(values, (&session.device, session.dtype));
        let mut observer = shown(session.quiet);
        let options = FitOptions::default().with_observer(&mut observer);
        let fit = self.kmeans().with_n_init(Some(CHOSEN_RESTARTS)).fit_with(&x, options)?;
        drop(observer);
        session.note(format!(
            "the fit starts from the best of {CHOSEN_RESTARTS} fits to the {} of the choice",
            counted(numbers.len(), "row")
        ));
        Ok(fit.model.centroids())
    }

    /// Fits to a file that is never in memory as a whole. It is read twice for what its columns are and
    /// for the scaler, once for the number of clusters unless it is given, twice for the fit, and once
    /// for every iteration.
    fn fit_stream<B: Backend>(mut self, session: &Session<B>) -> Result<()> {
        let (label, fixed) = (self.label.as_ref(), self.fixed_scale());
        let most = self.clusters.unwrap_or(*NUMBERS.end());
        let stream = Stream::<B>::open(session, &self.training, label, fixed, most)?;
        let (choice, first) = match self.clusters {
            Some(_) => (None, None),
            None => {
                let sample = stream.sample(session, self.seed)?;
                let encoding = Some(&stream.encoding);
                let located = |error: Error| stream.located(error);
                let wanted = self.wanted();
                let choice = choice::choice_of(session, &sample, encoding, wanted, located)?;
                self.go_on_with(session, &choice)?;
                (Some(choice), Some(self.first_centroids(session, &sample)?))
            }
        };

        // A choice has said it.
        let noted = Cell::new(choice.is_some());
        // Every pass reads the same: the first is counted.
        let passes = Cell::new(0);
        let gaps = RefCell::new(Gaps::default());
        let note = |part: &ScaledTable<B>| {
            if !noted.replace(true) {
                shared::note_coarse(session, &part.table);
            }
            if passes.get() == 1 {
                gaps.borrow_mut().add(part.table.gaps());
            }
        };
        let mut observer = shown(session.quiet);
        let options = FitOptions::default().with_observer(&mut observer);
        // Centroids that a fit has found, of which no other program knows.
        let momentum = first.is_some().then_some(true);
        let options = first.into_iter().fold(options, FitOptions::with_initial_centroids);
        let fit = self.kmeans().with_momentum(momentum).fit_parts_with(
            || -> Box<dyn Iterator<Item = Result<ScaledTable<B>>> + '_> {
                passes.set(passes.get() + 1);
                match stream.parts() {
                    Ok(parts) => Box::new(parts.map(|part| Ok(part?)).inspect(|part| {
                        if let Ok(part) = part {
                            note(part);
                        }
                    })),
                    Err(error) => Box::new(std::iter::once(Err(error))),
                }
            },
            options,
        );
        let fit = fit.map_err(|error| match error.downcast_ref::<Error>() {
            Some(Error::Passes { first, rows, .. }) => anyhow!(
                "{}: the table had {} and then {rows}: it was changed while it was read; run the command again",
                input::name(&self.training.data),
                counted(*first, "row")
            ),
            _ => error,
        })?;
        drop(observer);
        if choice.is_none() {
            shared::note_counts(session, &stream.no_rows, &gaps.into_inner(), None);
        }
        let remark = self
            .label
            .as_ref()
            .map(|_| "note: with --stream clusters are not compared with classes".to_owned());
        let mut fit: ClustererFit<B> = fit.into();
        if let Some(choice) = &choice {
            // A note has said where the centroids came from.
            fit.seeding = None;
            self.note_small(session, choice, &fit.sizes);
        }
        let info = self.info(&fit, &stream.no_rows, stream.scale).with_choice(choice);
        self.save(session, stream.scaler, info, fit, remark)
    }

    /// How far clusters and known classes agree.
    fn compared<B: Backend>(&self, table: &Table, fit: &ClustererFit<B>) -> Option<String> {
        let ((classes, names), labels) = table.classes().zip(fit.labels.clone())?;
        if names.len() > 2 && names.len() == table.rows() {
            return Some(
                "note: --label has a different class in every row: clusters are not compared with it"
                    .into(),
            );
        }
        let clusters = shared::numbers(labels);
        let of: Vec<Option<usize>> = classes.into_iter().map(Some).collect();
        let together = CrossTable::of(&clusters, &of, self.n_clusters(), names.len()).ok()?;
        let classes = format!(
            "clusters and the {}: adjusted Rand index {:.3}",
            if names.len() == 1 {
                "1 class".to_owned()
            } else {
                format!("{} classes", names.len())
            },
            together.agreement().adjusted_rand
        );
        Some(match together.one_to_one() {
            Some(matched) => format!(
                "{classes}; nearly one to one, {} of {} agree",
                together.agreeing(&matched),
                counted(together.n_rows(), "row")
            ),
            None => format!("{classes}; not one to one: see `neuralize profile --label`"),
        })
    }

    /// What is kept with the model.
    fn info<B: Backend>(&self, fit: &ClustererFit<B>, table: &Table, scale: Scale) -> ModelInfo {
        ModelInfo::from(fit)
            .with_table(table)
            .with_id(self.training.id.clone())
            .with_scale(scale)
            .with_seed(self.seed)
    }

    /// Saves the model and prints information on it.
    fn save<B: Backend>(
        &self,
        session: &Session<B>,
        scaler: Scaler<B>,
        info: ModelInfo,
        fit: ClustererFit<B>,
        remark: Option<String>,
    ) -> Result<()> {
        let summary = summary(&fit, info.features.len());
        let (agreement, left_out) = (fit.agreement, fit.left_out);
        Model::new(scaler, fit.clusterer, info)?.save(&self.model)?;
        session.note(summary);
        if let Some(remark) = remark {
            session.note(remark);
        }
        if let Some(agreement) = agreement {
            shared::note_agreement(session, agreement, left_out);
        }
        session.note(format!("model saved to {}", Shown::path(&self.model)));
        Ok(())
    }
}

/// Information on a fit, in one line.
fn summary<B: Backend>(fit: &ClustererFit<B>, features: usize) -> String {
    let mut text = format!(
        "{} of {} in {} clusters of {}",
        counted(fit.sizes.iter().sum(), "row"),
        counted(features, "feature"),
        fit.sizes.len(),
        listed(&fit.sizes),
    );
    // Writing to a string cannot fail.
    let _ = match (fit.inertia, &fit.clusterer, fit.gamma) {
        (Some(inertia), Clusterer::Separable(model), _) => {
            write!(text, "; inertia {} by distance {}", figure(inertia), model.distance())
        }
        (Some(inertia), _, Some(gamma)) => {
            write!(text, "; kernel inertia {} with gamma {}", figure(inertia), figure(gamma))
        }
        (Some(inertia), ..) => write!(text, "; inertia {}", figure(inertia)),
        (None, ..) => Ok(()),
    };
    if let Some(likelihood) = fit.log_likelihood {
        let _ = write!(text, "; mean log-likelihood {}", figure(likelihood));
    }
    if let Some(iterations) = fit.n_iter {
        let _ = write!(text, ", {}", counted(iterations, "iteration"));
    }
    if let Some(seeding) = fit.seeding {
        let _ = write!(text, " from {seeding}");
    }
    if fit.converged == Some(false) {
        text += ", not converged: raise --max-iter";
    }
    text
}

/// Shows how far a fit is, until it is dropped.
fn shown(quiet: bool) -> impl FnMut(Progress) -> ControlFlow<()> {
    let mut bar: Option<Bar> = None;
    move |progress: Progress| {
        let bar = bar.get_or_insert_with(|| Bar::restarts(progress.n_init, quiet));
        bar.set(progress.run as u64, || described(progress));
        ControlFlow::Continue(())
    }
}

/// The state of a fit.
fn described(progress: Progress) -> String {
    format!("iteration {}, shift {:.3e}", progress.iteration, progress.shift)
}
