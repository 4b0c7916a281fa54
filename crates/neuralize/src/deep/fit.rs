//! Fitting k-means to the codes of an encoder.

use burn::module::Module;
use burn::tensor::{Int, Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Relevance};

use crate::cluster::{KMeans, KMeansConfig, MiniBatchKMeans};
use crate::deep::codes::encoded;
use crate::deep::{DeepKMeans, DeepQuestion};
use crate::error::{Error, Result};

/// A fitted [`DeepKMeans`], with the course of the fit.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeepFit<B: Backend, E: Module<B>> {
    /// Encoder and clustering.
    pub model: DeepKMeans<B, E>,
    /// The codes of the inputs, `[N, D]`.
    pub codes: Tensor<B, 2>,
    /// Cluster of every input, `[N]`.
    pub labels: Tensor<B, 1, Int>,
    /// Sum of squared distances of codes to their centroids.
    pub inertia: f64,
    /// Iterations of the best restart.
    pub n_iter: usize,
    /// Whether that restart converged before `max_iter`.
    pub converged: bool,
    /// Inputs in every cluster.
    pub sizes: Vec<usize>,
}

impl<B: Backend, E: Module<B> + Relevance<B>> DeepKMeans<B, E> {
    /// Clusters the codes of inputs that come in batches, from a Burn `DataLoader` or any
    /// other source.
    ///
    /// `batches` is called twice, and every batch is encoded in both passes: the second is for the
    /// roots of the secant pass (see [`with_roots`](Self::with_roots)) and may give the inputs in
    /// another order. Memory holds the codes, not the inputs. Token ids and inputs that differ in
    /// shape have no roots.
    ///
    /// # Shapes
    ///
    /// - every batch: `[n, ..]`, what the encoder takes
    ///
    /// # Errors
    ///
    /// If the encoder cannot take a batch, its codes cannot be clustered (see
    /// [`KMeansConfig::fit`]), or the second pass gives another number of inputs than the first.
    pub fn fit<X: Into<AnyTensor<B>>, I: IntoIterator<Item = X>>(
        encoder: E,
        config: &KMeansConfig,
        mut batches: impl FnMut() -> I,
    ) -> Result<DeepFit<B, E>> {
        let _ = encoder.num_params();
        let mut codes: Vec<Tensor<B, 2>> = Vec::new();
        for batch in batches() {
            push(&mut codes, code_of(&encoder, &batch.into())?)?;
        }
        if codes.is_empty() {
            return Err(Error::Empty { what: "the data" });
        }
        let codes = Tensor::cat(codes, 0);
        let fit = config.fit(&codes)?;
        let model = Self::new(encoder, fit.model);
        let [first, _] = codes.dims();
        let (roots, rows) = model.roots_among(batches(), Some(first))?;
        if rows != first {
            return Err(Error::Passes { first, pass: 2, rows });
        }
        let model = Self { roots, ..model };
        Ok(DeepFit {
            model,
            codes,
            labels: fit.labels,
            inertia: fit.inertia,
            n_iter: fit.n_iter,
            converged: fit.converged,
            sizes: fit.sizes,
        })
    }

    /// Clusters codes that do not fit into memory, by
    /// [mini-batch k-means](MiniBatchKMeans): every pass encodes every batch once and
    /// keeps nothing.
    ///
    /// Every pass calls `batches` once, and so do the roots of the secant pass at the end. The
    /// heuristic β is that of the last batch; [`DeepQuestion`] takes another.
    ///
    /// # Shapes
    ///
    /// - every batch: `[n, ..]`, what the encoder takes; the first needs K
    ///   distinct codes
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit), and if there are no passes.
    pub fn fit_mini_batches<X: Into<AnyTensor<B>>, I: IntoIterator<Item = X>>(
        encoder: E,
        config: &KMeansConfig,
        passes: usize,
        mut batches: impl FnMut() -> I,
    ) -> Result<Self> {
        let _ = encoder.num_params();
        let mut clusterer = MiniBatchKMeans::new(config.clone())?;
        for _ in 0..passes {
            for batch in batches() {
                clusterer.partial_fit(&code_of(&encoder, &batch.into())?)?;
            }
        }
        let head: KMeans<B> = clusterer.model()?;
        let model = Self::new(encoder, head);
        let (roots, _) = model.roots_among(batches(), None)?;
        Ok(Self { roots, ..model })
    }
}

fn code_of<B: Backend>(encoder: &impl Relevance<B>, x: &AnyTensor<B>) -> Result<Tensor<B, 2>> {
    encoded(encoder, x, DeepQuestion::default().batch_size)
}

fn push<B: Backend>(codes: &mut Vec<Tensor<B, 2>>, next: Tensor<B, 2>) -> Result<()> {
    if let Some(first) = codes.first() {
        let ([_, width], found) = (first.dims(), next.dims());
        if found[1] != width {
            return Err(Error::shape("the codes of a batch", format!("[n, {width}]"), &found));
        }
    }
    codes.push(next);
    Ok(())
}
