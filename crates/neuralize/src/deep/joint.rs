use burn::module::{AutodiffModule, Param, ParamId};
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::cluster::{KMeans, KMeansConfig, random_stream};
use crate::deep::model::blocks;
use crate::error::{Error, Result};
use crate::{transfer, validate};

/// An encoder with its way back, for training.
///
/// Training runs Burn's own layers, in training mode.
pub trait Autoencoder<B: Backend, const D: usize> {
    /// The codes of inputs.
    ///
    /// # Shapes
    ///
    /// - x: `[n, ..]`; output: `[n, code]`
    fn encode(&self, x: Tensor<B, D>) -> Tensor<B, 2>;

    /// Inputs from codes.
    ///
    /// # Shapes
    ///
    /// - codes: `[n, code]`; output: `[n, ..]`
    fn decode(&self, codes: Tensor<B, 2>) -> Tensor<B, D>;
}

/// Training of an autoencoder and of a clustering of its codes, together (deep
/// embedded clustering).
///
/// The autoencoder is warmed up alone, by the mean squared error of its
/// reconstruction. Then centroids are found by k-means, and both are trained: an
/// input is softly assigned by Student's t, `q_ij ∝ 1 / (1 + ‖z_i − μ_j‖²)`, and the
/// assignment is drawn towards the sharper target `p_ij ∝ q_ij² / Σ_i q_ij`, renewed every
/// epoch, by the divergence `KL(p ‖ q)` (Xie, Girshick, Farhadi 2016). The
/// reconstruction stays in the loss, which keeps the codes from collapsing (Guo et al.
/// 2017); a weight of 0 leaves it out.
///
/// By Adam, in seeded random batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JointTraining {
    /// Epochs of the autoencoder alone.
    pub warm_up_epochs: usize,
    /// Epochs of both.
    pub joint_epochs: usize,
    /// Samples a step.
    pub batch_size: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Weight of the clustering's loss, beside 1 for the reconstruction's; at least
    /// 0.
    pub clustering: f64,
    /// Weight of the reconstruction in joint training.
    pub reconstruction: f64,
    /// The order of samples follows from it.
    pub seed: u64,
}

impl Default for JointTraining {
    fn default() -> Self {
        Self {
            warm_up_epochs: 30,
            joint_epochs: 10,
            batch_size: 128,
            learning_rate: 1e-3,
            clustering: 0.1,
            reconstruction: 1.0,
            seed: 0,
        }
    }
}

/// What an observer of the training is told after every epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointProgress {
    /// Whether the autoencoder is being warmed up.
    pub warming_up: bool,
    /// The epoch of this phase, counted from 1.
    pub epoch: usize,
    /// Mean squared error of the reconstruction.
    pub reconstruction: f64,
    /// `KL(p ‖ q)`, the mean of a sample; 0 while warming up.
    pub divergence: f64,
}

/// A trained autoencoder with a clustering of its codes, on the backend without
/// gradients.
#[derive(Debug)]
#[non_exhaustive]
pub struct JointFit<B: Backend, A> {
    /// The autoencoder.
    pub autoencoder: A,
    /// The clustering of its codes. With the encoder it makes a
    /// [`DeepKMeans`](crate::deep::DeepKMeans).
    pub head: KMeans<B>,
    /// Cluster of every input, `[N]`.
    pub labels: Tensor<B, 1, Int>,
    /// The mean divergence of the last epoch; 0 without joint epochs.
    pub divergence: f64,
    /// The mean reconstruction error of the last epoch.
    pub reconstruction: f64,
}

impl JointTraining {
    /// Trains.
    ///
    /// # Shapes
    ///
    /// - x: `[N, ..]`
    ///
    /// # Errors
    ///
    /// If a setting cannot be used, x is empty or not finite, codes cannot be
    /// clustered, decoding gives another shape than the input's, or the loss becomes
    /// infinite.
    pub fn fit<B, A, const D: usize>(
        &self,
        mut autoencoder: A,
        x: &Tensor<B::InnerBackend, D>,
        clusters: &KMeansConfig,
        mut observe: impl FnMut(JointProgress),
    ) -> Result<JointFit<B::InnerBackend, A::InnerModule>>
    where
        B: AutodiffBackend,
        A: AutodiffModule<B> + Autoencoder<B, D>,
        A::InnerModule: Autoencoder<B::InnerBackend, D>,
    {
        self.check()?;
        let rows = x.dims()[0];
        if x.dims().contains(&0) {
            return Err(Error::Empty { what: "x" });
        }
        let flat: Tensor<B::InnerBackend, 2> =
            x.clone().reshape([rows, x.dims()[1..].iter().product()]);
        validate::dtype::<B::InnerBackend>("x", &x.device(), x.dtype())?;
        validate::values("x", &flat)?;
        let _ = autoencoder.num_params();

        let mut optimizer = AdamConfig::new().init();
        let mut last =
            JointProgress { warming_up: true, epoch: 0, reconstruction: 0.0, divergence: 0.0 };
        for epoch in 1..=self.warm_up_epochs {
            let mut mean = Mean::default();
            for batch in self.batches(rows, epoch as u64, x) {
                let x = Tensor::<B, D>::from_inner(batch.1);
                let loss = rebuilt(&autoencoder, x.clone(), autoencoder.encode(x))?;
                mean.add(&loss);
                let grads = GradientsParams::from_grads(loss.backward(), &autoencoder);
                autoencoder = optimizer.step(self.learning_rate, autoencoder, grads);
            }
            last = JointProgress {
                warming_up: true,
                epoch,
                reconstruction: mean.value(),
                divergence: 0.0,
            };
            finite("epoch of the warm-up", epoch, last.reconstruction)?;
            observe(last);
        }

        let codes = codes_of(&autoencoder.valid(), x, self.batch_size);
        let start = clusters.fit(&codes)?;
        let centroids = Tensor::<B, 2>::from_inner(start.model.centroids());
        let mut centroids = Param::initialized(ParamId::new(), centroids.require_grad());
        let mut mover = AdamConfig::new().init();
        for epoch in 1..=self.joint_epochs {
            let codes = codes_of(&autoencoder.valid(), x, self.batch_size);
            let target = sharpened(assignments(codes, centroids.val().inner()));
            let (mut rebuilding, mut dividing) = (Mean::default(), Mean::default());
            let stream = (self.warm_up_epochs + epoch) as u64;
            for (index, batch) in self.batches(rows, stream, x) {
                let x = Tensor::<B, D>::from_inner(batch);
                let codes = autoencoder.encode(x.clone());
                let rebuilt = rebuilt(&autoencoder, x, codes.clone())?;
                let p = Tensor::<B, 2>::from_inner(target.clone().select(0, index));
                let divergence = divergence(p, assignments(codes, centroids.val()));
                rebuilding.add(&rebuilt);
                dividing.add(&divergence);
                let loss = rebuilt * self.reconstruction + divergence * self.clustering;
                let mut grads = loss.backward();
                let own = GradientsParams::from_module::<B, _>(&mut grads, &autoencoder);
                let theirs = GradientsParams::from_module::<B, _>(&mut grads, &centroids);
                autoencoder = optimizer.step(self.learning_rate, autoencoder, own);
                centroids = mover.step(self.learning_rate, centroids, theirs);
            }
            last = JointProgress {
                warming_up: false,
                epoch,
                reconstruction: rebuilding.value(),
                divergence: dividing.value(),
            };
            finite("joint epoch", epoch, last.reconstruction + last.divergence)?;
            observe(last);
        }

        let autoencoder = autoencoder.valid();
        let codes = codes_of(&autoencoder, x, self.batch_size);
        let mut head = KMeans::from_centroids(centroids.val().inner())?;
        if head.n_clusters() > 1 {
            // Without it where all codes are one point.
            head = match head.clone().with_heuristic_beta(&codes) {
                Err(Error::NoHeuristicBeta) => head,
                found => found?,
            };
        }
        let labels = head.predict(&codes)?;
        Ok(JointFit {
            autoencoder,
            head,
            labels,
            divergence: last.divergence,
            reconstruction: last.reconstruction,
        })
    }

    fn check(&self) -> Result<()> {
        let refuse = |name, value: String, rule: &str| {
            Err(Error::Config { name, value, rule: rule.to_string() })
        };
        if self.batch_size == 0 {
            return refuse("batch_size", "0".into(), "it must be at least 1");
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return refuse(
                "learning_rate",
                self.learning_rate.to_string(),
                "it must be positive and finite",
            );
        }
        for (name, weight) in
            [("clustering", self.clustering), ("reconstruction", self.reconstruction)]
        {
            if !(weight.is_finite() && weight >= 0.0) {
                return refuse(name, weight.to_string(), "it must be finite and at least 0");
            }
        }
        Ok(())
    }

    /// Samples in a random order that follows from the seed, a batch at a time.
    fn batches<'a, B: Backend, const D: usize>(
        &self,
        rows: usize,
        stream: u64,
        x: &'a Tensor<B, D>,
    ) -> impl Iterator<Item = (Tensor<B, 1, Int>, Tensor<B, D>)> + use<'a, B, D> {
        let mut rng = random_stream(self.seed, stream as usize);
        let mut order: Vec<usize> = (0..rows).collect();
        for at in (1..rows).rev() {
            order.swap(at, (rng.next_u64() % (at as u64 + 1)) as usize);
        }
        blocks(rows, self.batch_size).map(move |range| {
            let index = transfer::upload_indices(&order[range], &x.device());
            (index.clone(), x.clone().select(0, index))
        })
    }
}

fn finite(phase: &'static str, epoch: usize, loss: f64) -> Result<()> {
    match loss.is_finite() {
        true => Ok(()),
        false => Err(Error::Diverged { phase, epoch, loss }),
    }
}

/// Mean of losses, one number a step.
#[derive(Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add<B: Backend>(&mut self, loss: &Tensor<B, 1>) {
        self.sum += transfer::download(loss.clone().detach())[0];
        self.count += 1;
    }

    fn value(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }
}

/// Mean squared error of the reconstruction, `[1]`.
fn rebuilt<B: Backend, A: Autoencoder<B, D>, const D: usize>(
    autoencoder: &A,
    x: Tensor<B, D>,
    codes: Tensor<B, 2>,
) -> Result<Tensor<B, 1>> {
    let back = autoencoder.decode(codes);
    if back.dims() != x.dims() {
        let expected = format!("{:?}, that of the input", x.dims());
        return Err(Error::shape("what was decoded", expected, &back.dims()));
    }
    Ok((back - x).square().mean())
}

fn codes_of<B: Backend, A: Autoencoder<B, D>, const D: usize>(
    autoencoder: &A,
    x: &Tensor<B, D>,
    batch_size: usize,
) -> Tensor<B, 2> {
    let parts = blocks(x.dims()[0], batch_size)
        .map(|range| autoencoder.encode(x.clone().narrow(0, range.start, range.len())));
    Tensor::cat(parts.collect(), 0)
}

/// Soft assignment by Student's t with one degree of freedom; a row sums to one.
///
/// # Shapes
///
/// - codes: `[n, D]`, centroids: `[K, D]`
/// - output: `[n, K]`
fn assignments<B: Backend>(codes: Tensor<B, 2>, centroids: Tensor<B, 2>) -> Tensor<B, 2> {
    let squares = codes.clone().square().sum_dim(1);
    let sizes = centroids.clone().square().sum_dim(1).transpose();
    let distances = (squares + sizes - codes.matmul(centroids.transpose()) * 2.0).clamp_min(0.0);
    let kernel = distances.ones_like() / (distances + 1.0);
    kernel.clone() / kernel.sum_dim(1)
}

/// `p_ij ∝ q_ij² / Σ_i q_ij`; a row sums to one.
fn sharpened<B: Backend>(q: Tensor<B, 2>) -> Tensor<B, 2> {
    let p = q.clone().square() / q.sum_dim(0);
    p.clone() / p.sum_dim(1)
}

/// `KL(p ‖ q)`, the mean of a row, `[1]`.
fn divergence<B: Backend>(p: Tensor<B, 2>, q: Tensor<B, 2>) -> Tensor<B, 1> {
    // Student's t never gives 0, but a precision may.
    let least = f64::from(f32::MIN_POSITIVE);
    let ratio = p.clone().clamp_min(least).log() - q.clamp_min(least).log();
    (p * ratio).sum_dim(1).mean()
}
