//! Fits by every method, and what is said of them.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use neuralize::cluster::{
    Bandwidth, Clusterer, Distance, FitOptions, GaussianMixtureConfig, Init, KMeansConfig,
    KernelKMeansConfig, PartsFit, Progress,
};
use neuralize::record::ModelInfo;

use crate::args::{FitArgs, Method, Usage};
use crate::backend::Session;
use crate::progress::Bar;

/// What came of a fit.
pub(super) struct Outcome<B: Backend> {
    pub(super) clusterer: Clusterer<B>,
    /// Cluster of every row, `[N]`; none where the data were never in memory.
    pub(super) labels: Option<Tensor<B, 1, Int>>,
    /// What is known of the fit itself.
    pub(super) info: ModelInfo,
    /// The same in words.
    pub(super) found: String,
    /// Whether an agreement is without a row's own support.
    pub(super) left_out: bool,
}

impl FitArgs {
    /// Refuses options that the method does not know.
    pub(super) fn check_method(&self) -> Result<(), Usage> {
        let bregman = matches!(self.method, Method::Distance(distance) if distance.is_bregman());
        let (kernel, mixture) = (self.method == Method::Kernel, self.method == Method::Mixture);
        for (given, known, option, methods) in [
            (self.init.is_some(), !kernel && !mixture, "--init", "kmeans and other distances"),
            (self.tol.is_some(), !kernel, "--tol", "all but kernel"),
            (self.gamma.is_some(), kernel, "--gamma", "kernel"),
            (self.prototypes.is_some(), kernel, "--prototypes", "kernel"),
            (self.smoothing.is_some(), bregman, "--smoothing", "bregman-kl and its like"),
            (self.stream, self.method == Method::KMeans, "--stream", "kmeans"),
        ] {
            if given && !known {
                let text = format!("{option} goes with another --method: {methods}");
                return Err(Usage(text));
            }
        }
        Ok(())
    }

    /// Settings of k-means.
    pub(super) fn kmeans(&self) -> KMeansConfig {
        let config = KMeansConfig::new(self.clusters)
            .with_init(self.init.clone().unwrap_or(Init::KMeansPlusPlus))
            .with_n_init(self.restarts)
            .with_seed(self.seed);
        let config = match self.max_iter {
            Some(max_iter) => config.with_max_iter(max_iter),
            None => config,
        };
        match self.tol {
            Some(tol) => config.with_tol(tol),
            None => config,
        }
    }

    /// Fits to scaled data that are in memory.
    pub(super) fn fit_to<B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        session: &Session<B>,
    ) -> neuralize::Result<Outcome<B>> {
        match self.method {
            Method::KMeans => self.fit_kmeans(x, session),
            Method::Distance(distance) => self.fit_separable(x, distance),
            Method::Kernel => self.fit_kernel(x),
            Method::Mixture => self.fit_mixture(x),
        }
    }

    fn fit_kmeans<B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        session: &Session<B>,
    ) -> neuralize::Result<Outcome<B>> {
        let mut bar: Option<Bar> = None;
        let mut observer = |progress: Progress| {
            let bar = bar.get_or_insert_with(|| Bar::restarts(progress.n_init, session.quiet));
            bar.set(progress.run as u64, || describe(progress));
        };
        let options = FitOptions::default().with_observer(&mut observer);
        let fit = self.kmeans().fit_with(x, options)?;
        drop(bar);
        Ok(Outcome {
            found: kmeans_found(fit.inertia, fit.n_iter, &fit.seeding),
            clusterer: fit.model.into(),
            labels: Some(fit.labels),
            left_out: false,
            info: self.info(fit.sizes, Some(fit.inertia), fit.n_iter, fit.converged),
        })
    }

    fn fit_separable<B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        distance: Distance,
    ) -> neuralize::Result<Outcome<B>> {
        let config = self.kmeans().with_distance(distance).with_smoothing(self.smoothing);
        let fit = config.fit(x)?;
        Ok(Outcome {
            found: format!(
                "inertia {:.6} by distance {distance}, {} iterations",
                fit.inertia, fit.n_iter
            ),
            clusterer: fit.model.into(),
            labels: Some(fit.labels),
            left_out: false,
            info: self.info(fit.sizes, Some(fit.inertia), fit.n_iter, fit.converged),
        })
    }

    fn fit_kernel<B: Backend>(&self, x: &Tensor<B, 2>) -> neuralize::Result<Outcome<B>> {
        let config = KernelKMeansConfig::new(self.clusters)
            .with_bandwidth(self.gamma.clone().unwrap_or(Bandwidth::Neighbours))
            .with_n_init(self.restarts)
            .with_seed(self.seed)
            .with_prototypes(self.prototypes);
        let config = match self.max_iter {
            Some(max_iter) => config.with_max_iter(max_iter),
            None => config,
        };
        let fit = config.fit(x)?;
        Ok(Outcome {
            found: format!(
                "kernel inertia {:.6} with gamma {:.6}, {} iterations",
                fit.inertia, fit.gamma, fit.n_iter
            ),
            info: ModelInfo {
                gamma: Some(fit.gamma),
                supports: Some(fit.model.n_supports()),
                agreement: Some(fit.agreement),
                ..self.info(fit.sizes, Some(fit.inertia), fit.n_iter, fit.converged)
            },
            clusterer: fit.model.into(),
            labels: Some(fit.labels),
            left_out: fit.left_out,
        })
    }

    fn fit_mixture<B: Backend>(&self, x: &Tensor<B, 2>) -> neuralize::Result<Outcome<B>> {
        let config = GaussianMixtureConfig::new(self.clusters).with_seed(self.seed);
        let config = match self.restarts {
            Some(restarts) => config.with_n_init(restarts),
            None => config,
        };
        let config = match self.max_iter {
            Some(max_iter) => config.with_max_iter(max_iter),
            None => config,
        };
        let config = match self.tol {
            Some(tol) => config.with_tol(tol),
            None => config,
        };
        let fit = config.fit(x)?;
        Ok(Outcome {
            found: format!(
                "mean log-likelihood {:.6}, {} iterations",
                fit.log_likelihood, fit.n_iter
            ),
            info: ModelInfo {
                log_likelihood: Some(fit.log_likelihood),
                ..self.info(fit.sizes, None, fit.n_iter, fit.converged)
            },
            clusterer: fit.model.into(),
            labels: Some(fit.labels),
            left_out: false,
        })
    }

    /// What came of a fit to data that were never in memory as a whole.
    pub(super) fn streamed<B: Backend>(&self, fit: PartsFit<B>) -> Outcome<B> {
        Outcome {
            found: kmeans_found(fit.inertia, fit.n_iter, &fit.seeding),
            clusterer: fit.model.into(),
            labels: None,
            left_out: false,
            info: self.info(fit.sizes, Some(fit.inertia), fit.n_iter, fit.converged),
        }
    }

    fn info(
        &self,
        sizes: Vec<usize>,
        inertia: Option<f64>,
        iterations: usize,
        converged: bool,
    ) -> ModelInfo {
        ModelInfo {
            scale: self.scale.into(),
            rows: Some(sizes.iter().sum()),
            sizes: Some(sizes),
            inertia,
            seed: Some(self.seed),
            iterations: Some(iterations),
            converged: Some(converged),
            ..ModelInfo::default()
        }
    }
}

fn kmeans_found(inertia: f64, iterations: usize, seeding: &impl std::fmt::Display) -> String {
    format!("inertia {inertia:.6}, {iterations} iterations from {seeding}")
}

/// How far a fit has come.
pub(super) fn describe(progress: Progress) -> String {
    format!("iteration {}, shift {:.3e}", progress.iteration, progress.shift)
}
