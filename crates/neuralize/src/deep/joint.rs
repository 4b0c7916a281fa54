use burn::module::{AutodiffModule, Module, ModuleVisitor, Param, ParamId};
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Int, Tensor};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::cluster::{KMeans, KMeansConfig};
use crate::deep::model::blocks;
use crate::error::{Error, Result};
use crate::random::Stream;
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
    /// If a setting cannot be used, x is empty, not finite or of another precision than the
    /// autoencoder, encoding gives other than a code a sample, codes cannot be clustered,
    /// decoding gives another shape than the input's, or the loss becomes infinite.
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
        same_precision::<B::InnerBackend, _>(&autoencoder.valid(), x.dtype())?;

        let mut optimizer = AdamConfig::new().init();
        let mut last =
            JointProgress { warming_up: true, epoch: 0, reconstruction: 0.0, divergence: 0.0 };
        for epoch in 1..=self.warm_up_epochs {
            let mut mean = Mean::default();
            for batch in self.batches(rows, epoch, x) {
                let x = Tensor::<B, D>::from_inner(batch.1);
                let samples = x.dims()[0];
                let codes = checked(autoencoder.encode(x.clone()), samples)?;
                let loss = rebuilt(&autoencoder, x, codes)?;
                mean.add(&loss, samples);
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

        let codes = codes_of(&autoencoder.valid(), x, self.batch_size)?;
        let start = clusters.fit(&codes)?;
        let centroids = Tensor::<B, 2>::from_inner(start.model.centroids());
        let mut centroids = Param::initialized(ParamId::new(), centroids.require_grad());
        let mut mover = AdamConfig::new().init();
        for epoch in 1..=self.joint_epochs {
            let codes = codes_of(&autoencoder.valid(), x, self.batch_size)?;
            let target = sharpened(assignments(codes, centroids.val().inner()));
            let (mut rebuilding, mut dividing) = (Mean::default(), Mean::default());
            for (index, batch) in self.batches(rows, self.warm_up_epochs + epoch, x) {
                let x = Tensor::<B, D>::from_inner(batch);
                let samples = x.dims()[0];
                let codes = checked(autoencoder.encode(x.clone()), samples)?;
                let rebuilt = rebuilt(&autoencoder, x, codes.clone())?;
                let p = Tensor::<B, 2>::from_inner(target.clone().select(0, index));
                let divergence = divergence(p, assignments(codes, centroids.val()));
                rebuilding.add(&rebuilt, samples);
                dividing.add(&divergence, samples);
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
        let codes = codes_of(&autoencoder, x, self.batch_size)?;
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
        epoch: usize,
        x: &'a Tensor<B, D>,
    ) -> impl Iterator<Item = (Tensor<B, 1, Int>, Tensor<B, D>)> + use<'a, B, D> {
        let mut rng = Stream::Epoch(epoch).generator(self.seed);
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
    if loss.is_finite() { Ok(()) } else { Err(Error::Diverged { phase, epoch, loss }) }
}

/// Mean of losses over samples, of which a step has some.
#[derive(Default)]
struct Mean {
    sum: f64,
    samples: usize,
}

impl Mean {
    fn add<B: Backend>(&mut self, loss: &Tensor<B, 1>, samples: usize) {
        self.sum += transfer::download(loss.clone().detach())[0] * samples as f64;
        self.samples += samples;
    }

    fn value(&self) -> f64 {
        self.sum / self.samples.max(1) as f64
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
) -> Result<Tensor<B, 2>> {
    let mut parts: Vec<Tensor<B, 2>> = Vec::new();
    for range in blocks(x.dims()[0], batch_size) {
        let block = x.clone().narrow(0, range.start, range.len());
        let codes = checked(autoencoder.encode(block), range.len())?;
        let width = parts.first().map_or(codes.dims()[1], |first| first.dims()[1]);
        if codes.dims()[1] != width {
            return Err(Error::shape("the codes", format!("[n, {width}]"), &codes.dims()));
        }
        parts.push(codes);
    }
    Ok(Tensor::cat(parts, 0))
}

/// A code for every sample.
fn checked<B: Backend>(codes: Tensor<B, 2>, samples: usize) -> Result<Tensor<B, 2>> {
    match codes.dims() {
        [found, width] if found == samples && width > 0 => Ok(codes),
        found => Err(Error::shape("what was encoded", format!("[{samples}, code]"), &found)),
    }
}

/// Parameters in the precision of the data.
fn same_precision<B: Backend, M: Module<B>>(module: &M, data: DType) -> Result<()> {
    struct Find(Option<DType>, DType);
    impl<B: Backend> ModuleVisitor<B> for Find {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            let found = param.val().dtype();
            if found != self.1 {
                self.0 = Some(found);
            }
        }
    }
    let mut find = Find(None, data);
    module.visit(&mut find);
    match find.0 {
        Some(expected) => Err(Error::DTypeMismatch { what: "x", expected, found: data }),
        None => Ok(()),
    }
}

/// Soft assignment by Student's t with one degree of freedom; a row sums to one.
///
/// # Shapes
///
/// - codes: `[n, D]`, centroids: `[K, D]`
/// - output: `[n, K]`
fn assignments<B: Backend>(codes: Tensor<B, 2>, centroids: Tensor<B, 2>) -> Tensor<B, 2> {
    // Far from the origin the squares would lose the digits of their difference.
    let middle = centroids.clone().detach().mean_dim(0);
    let (codes, centroids) = (codes - middle.clone(), centroids - middle);
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

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    fn table(values: &[f64], shape: [usize; 2]) -> Tensor<Flex, 2> {
        transfer::upload(values.to_vec(), shape, &Default::default(), DType::F64)
    }

    /// Xie et al. 2016, equations 1 to 3, in loops.
    #[test]
    fn soft_assignment_target_and_divergence() {
        let codes: [f64; 6] = [0.1, 0.4, -0.7, 0.2, 1.3, -0.5];
        let centroids: [f64; 4] = [0.0, 0.0, 1.0, -0.4];
        let mut q = [[0.0; 2]; 3];
        for (i, row) in q.iter_mut().enumerate() {
            for (j, q) in row.iter_mut().enumerate() {
                let distance: f64 =
                    (0..2).map(|d| (codes[2 * i + d] - centroids[2 * j + d]).powi(2)).sum();
                *q = 1.0 / (1.0 + distance);
            }
            let sum = row[0] + row[1];
            row.iter_mut().for_each(|q| *q /= sum);
        }
        let totals = [0, 1].map(|j| q.iter().map(|row| row[j]).sum::<f64>());
        let p = q.map(|row| {
            let raw = [row[0] * row[0] / totals[0], row[1] * row[1] / totals[1]];
            raw.map(|p| p / (raw[0] + raw[1]))
        });
        let divergence_by_hand: f64 = p
            .iter()
            .zip(&q)
            .map(|(p, q)| (0..2).map(|j| p[j] * (p[j] / q[j]).ln()).sum::<f64>())
            .sum::<f64>()
            / 3.0;
        // The same wherever the origin is.
        for offset in [0.0, 1e4] {
            let moved = |values: &[f64]| values.iter().map(|v| v + offset).collect::<Vec<f64>>();
            let found =
                assignments(table(&moved(&codes), [3, 2]), table(&moved(&centroids), [2, 2]));
            let target = sharpened(found.clone());
            let kl = transfer::download(divergence(target.clone(), found.clone()))[0];
            for (found, expected) in transfer::download(found).iter().zip(q.concat()) {
                assert!((found - expected).abs() < 1e-10, "{found} against {expected}");
            }
            for (found, expected) in transfer::download(target).iter().zip(p.concat()) {
                assert!((found - expected).abs() < 1e-10, "{found} against {expected}");
            }
            assert!((kl - divergence_by_hand).abs() < 1e-10);
        }
    }

    #[test]
    fn a_small_last_batch_counts_for_its_samples() {
        let mut mean = Mean::default();
        let loss = |value: f64| {
            transfer::upload::<Flex, 1>(vec![value], [1], &Default::default(), DType::F64)
        };
        mean.add(&loss(1.0), 8);
        mean.add(&loss(10.0), 1);
        assert_eq!(mean.value(), 2.0);
    }
}
