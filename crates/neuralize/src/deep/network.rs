//! Deep k-means of rows of numbers as a network.

use std::fmt;

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Relevance};

use crate::deep::{DeepKMeans, DeepQuestion, Pass};
use crate::error::{Error, Result};
use crate::explain::{Absorbed, Beta, Explanation, Root, Target};
use crate::kernel::{self, Flag};
use crate::network::{Dimensions, Internals, Network, NeuralizedKMeans};
use crate::{transfer, validate};

/// A [`DeepKMeans`] of rows of numbers as a [`Network`] from those rows to logits,
/// for figures, the report, baselines and measures.
///
/// Its relevance pass is that of [`DeepKMeans::explain`]; the part of a logit that reaches no
/// feature is reported as "encoder". The input of an encoder has no centroids; the mean of the rows
/// in a cluster takes the place of one.
pub struct NeuralizedDeepKMeans<B: Backend, E: Module<B>> {
    pub(crate) model: DeepKMeans<B, E>,
    pub(crate) head: NeuralizedKMeans<B>,
    /// The mean of the rows in every cluster, `[K, D]`.
    pub(crate) means: Tensor<B, 2>,
    pub(crate) question: DeepQuestion,
}

impl<B: Backend, E: Module<B> + Relevance<B>> NeuralizedDeepKMeans<B, E> {
    /// The network of a model. The means of the given rows take the place of centroids, and a model
    /// without roots gets them from these rows.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, what the encoder takes; a cluster without rows gets the mean of
    ///   all rows
    ///
    /// # Errors
    ///
    /// If there is only one cluster, the encoder cannot take x, a layer has no secant, or
    /// cannot follow the rule that the question's composite gives it.
    pub fn new(model: DeepKMeans<B, E>, x: &Tensor<B, 2>, question: DeepQuestion) -> Result<Self> {
        let head = model.neuralize()?;
        let labels = transfer::download_indices(model.predict(x.clone())?);
        let [rows, features] = x.dims();
        // Layers that refuse the pass are found here, before any explanation.
        let secants = model.check_secants(&x.clone().into());
        let has_secants = secants.is_ok();
        match &question.pass {
            Pass::Lrp(composite) => {
                model.plan(x.clone().slice([0..1, 0..features]), composite)?;
            }
            Pass::Secant(root) => {
                root.check()?;
                secants?;
            }
        }
        let model = if model.has_roots() || !has_secants {
            model
        } else {
            let (roots, _) = model.roots_among([x.clone()], None)?;
            DeepKMeans { roots, ..model }
        };
        let (values, clusters) = (transfer::download(x.clone()), head.n_clusters());
        let mean_of = |members: &[usize]| -> Vec<f64> {
            let mean = |feature: usize| {
                let sum: f64 = members.iter().map(|row| values[row * features + feature]).sum();
                sum / members.len() as f64
            };
            (0..features).map(mean).collect()
        };
        let means = (0..clusters)
            .flat_map(|cluster| {
                let members: Vec<usize> = (0..rows).filter(|row| labels[*row] == cluster).collect();
                if members.is_empty() {
                    mean_of(&(0..rows).collect::<Vec<_>>())
                } else {
                    mean_of(&members)
                }
            })
            .collect();
        let means = transfer::upload(means, [clusters, features], &x.device(), x.dtype());
        Ok(Self { model, head, means, question })
    }

    /// The model.
    pub fn model(&self) -> &DeepKMeans<B, E> {
        &self.model
    }

    /// The explanation of a block of rows; NaN for rows that the encoder refuses.
    fn explain_rows(&self, x: Tensor<B, 2>, question: &DeepQuestion) -> Explanation<B> {
        let [rows, features] = x.dims();
        match self.model.explain(&x, question) {
            Ok(found) => Explanation {
                relevance: found.relevance,
                absorbed: vec![Absorbed { name: ENCODER[0], amount: found.absorbed }],
                ..found.codes
            },
            // One row whose code is not finite must not spoil the others.
            Err(_) if rows > 1 => {
                let one = |row| x.clone().slice([row..row + 1, 0..features]);
                Explanation::cat(
                    (0..rows).map(|row| self.explain_rows(one(row), question)).collect(),
                )
            }
            // There is no explanation.
            Err(_) => {
                let scores = Network::scores(&self.head, self.codes(x.clone()));
                let nothing = |columns| {
                    transfer::zeros::<B, 2>([rows, columns], &x.device(), x.dtype()) + f64::NAN
                };
                let target = question.target;
                let beta = match question.beta {
                    Beta::Value(beta) => beta,
                    Beta::Heuristic => f64::NAN,
                };
                let amount = nothing(1).squeeze_dim(1);
                Explanation {
                    relevance: nothing(features),
                    logit: nothing(1).squeeze_dim(1),
                    cluster: target.explained(&scores).squeeze_dim(1),
                    shares: nothing(self.head.n_clusters()),
                    target,
                    beta,
                    absorbed: vec![Absorbed { name: ENCODER[0], amount }],
                }
            }
        }
    }

    /// Codes of a block of rows, tracked if the backend tracks gradients; NaN if the
    /// encoder refuses them.
    fn codes(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let shape = [x.dims()[0], self.head.n_features()];
        let (device, dtype) = (x.device(), x.dtype());
        burn_lrp::infer(self.model.encoder(), AnyTensor::from(x))
            .and_then(|codes| codes.tensor())
            .ok()
            .filter(|codes: &Tensor<B, 2>| codes.dims() == shape)
            .unwrap_or_else(|| transfer::zeros(shape, &device, dtype) + f64::NAN)
    }
}

impl<B: Backend, E: Module<B>> fmt::Debug for NeuralizedDeepKMeans<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NeuralizedDeepKMeans")
            .field("head", &self.head)
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}

/// The name of the part of a logit that reaches no feature.
const ENCODER: &[&str] = &["encoder"];

impl<B: Backend, E: Module<B> + Relevance<B> + Sync> Internals<B> for NeuralizedDeepKMeans<B, E> {
    fn dimensions(&self) -> Dimensions<B> {
        Dimensions { dtype: self.head.dtype(), ..Dimensions::of_rows(&self.means) }
    }

    fn valid(&self, x: &Tensor<B, 2>) -> Result<Flag<B>> {
        if Network::n_clusters(self) < 2 {
            return Err(Error::NoCompetitor);
        }
        validate::form(x, Network::n_features(self), &self.means)?;
        Ok(validate::usable(x))
    }
}

impl<B: Backend, E: Module<B> + Relevance<B> + Sync> Network<B> for NeuralizedDeepKMeans<B, E> {
    fn beta(&self) -> Option<f64> {
        self.head.beta()
    }

    fn centroids(&self) -> Tensor<B, 2> {
        self.means.clone()
    }

    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        Network::scores(&self.head, self.codes(x))
    }

    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        self.explain_rows(x, &self.question.clone().with_target(target).with_beta(beta))
    }

    fn explain_block_from(
        &self,
        x: Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Result<Explanation<B>> {
        let question = self.question.clone().with_target(target).with_beta(beta);
        if !self.model.has_roots() {
            return Err(Error::NoRoots);
        }
        self.model.check_secants(&x.clone().into())?;
        Ok(self.explain_rows(x, &question.with_pass(Pass::Secant(root))))
    }

    fn absorbed_names(&self) -> &'static [&'static str] {
        ENCODER
    }

    fn is_centroid_based(&self) -> bool {
        false
    }

    /// A width that gives a block as many rows as the batches of the question have.
    fn columns(&self) -> usize {
        let narrow = self.n_clusters() + self.n_features();
        narrow.max(kernel::BLOCK_ELEMENTS / self.question.batch_size.max(1))
    }
}
