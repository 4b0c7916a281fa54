//! Joint training of an autoencoder and a clustering of its codes.

use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Int, Tensor};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::cluster::{KMeans, KMeansConfig};
use crate::deep::codes::blocks;
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::train::{assignments, divergence, sharpened};
use crate::{transfer, validate};

/// An encoder and a decoder, for training.
///
/// Training runs Burn's own layers, in training mode.
pub trait Autoencoder<B: Backend, const D: usize> {
    /// The codes of inputs.
    ///
    /// # Shapes
    ///
    /// - x: `[n, ..]`; output: `[n, code]`
    fn encode(&self, x: Tensor<B, D>) -> Tensor<B, 2>;

    /// The inputs that codes decode to.
    ///
    /// # Shapes
    ///
    /// - codes: `[n, code]`; output: `[n, ..]`
    fn decode(&self, codes: Tensor<B, 2>) -> Tensor<B, D>;
}

/// Joint training of an autoencoder and a clustering of its codes (deep embedded
/// clustering).
///
/// First the autoencoder is trained alone, by the mean squared error of its
/// reconstruction. Then k-means finds centroids, and both are trained: an input is
/// softly assigned by Student's t, `q_ij ∝ 1 / (1 + ‖z_i − μ_j‖²)`, and the divergence
/// `KL(p ‖ q)` pulls the assignment towards the sharper target
/// `p_ij ∝ q_ij² / Σ_i q_ij`, which is computed anew in every epoch (Xie, Girshick,
/// Farhadi 2016). The reconstruction stays in the loss, which keeps the codes from
/// collapsing (Guo et al. 2017); a weight of 0 leaves it out.
///
/// Adam takes the steps, in seeded random batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JointTraining {
    /// Epochs of the autoencoder alone.
    pub warm_up_epochs: usize,
    /// Epochs of both together.
    pub joint_epochs: usize,
    /// Samples per step.
    pub batch_size: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Weight of the clustering loss in joint training, at least 0.
    pub clustering: f64,
    /// Weight of the reconstruction loss in joint training, at least 0.
    pub reconstruction: f64,
    /// Seed of the order of samples.
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

/// The losses after an epoch of training.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct JointProgress {
    /// Whether the autoencoder is trained alone.
    pub warming_up: bool,
    /// The epoch of this phase, counted from 1.
    pub epoch: usize,
    /// Mean squared error of the reconstruction.
    pub reconstruction: f64,
    /// Mean of `KL(p ‖ q)` over samples; 0 in the warm-up.
    pub divergence: f64,
}

/// A trained autoencoder with a clustering of its codes, on the backend without
/// gradients.
#[derive(Debug)]
#[non_exhaustive]
pub struct JointFit<B: Backend, A> {
    /// The autoencoder.
    pub autoencoder: A,
    /// The clustering of its codes; with the encoder, a
    /// [`DeepKMeans`](crate::deep::DeepKMeans).
    pub head: KMeans<B>,
    /// Cluster of every input, `[N]`.
    pub labels: Tensor<B, 1, Int>,
    /// Mean divergence of the last epoch; 0 without joint epochs.
    pub divergence: f64,
    /// Mean reconstruction error of the last epoch.
    pub reconstruction: f64,
}

impl JointTraining {
    /// Trains an autoencoder, and calls `observe` after every epoch.
    ///
    /// # Shapes
    ///
    /// - x: `[N, ..]`
    ///
    /// # Errors
    ///
    /// If a setting is out of range, x is empty, not finite or of another precision than
    /// the autoencoder, the encoder does not give one code for every sample, the codes cannot be
    /// clustered, the decoder gives another shape than the input's, or the loss
    /// becomes infinite.
    pub fn fit<B, A, const D: usize>(
        &self,
        autoencoder: A,
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
        check_data::<B, _, D>(&autoencoder, x)?;
        let mut last =
            JointProgress { warming_up: true, epoch: 0, reconstruction: 0.0, divergence: 0.0 };
        let mut observe = |progress| {
            last = progress;
            observe(progress);
        };
        let mut optimizer = AdamConfig::new().init();
        let autoencoder = self.warm_up(autoencoder, x, &mut optimizer, &mut observe)?;

        let codes = codes_of(&autoencoder.valid(), x, self.batch_size)?;
        let head = KMeans::<B>::from_inner(clusters.fit(&codes)?.model).trainable();
        let (autoencoder, head) =
            self.train_jointly(autoencoder, head, x, &mut optimizer, &mut observe)?;

        let autoencoder = autoencoder.valid();
        let codes = codes_of(&autoencoder, x, self.batch_size)?;
        let mut head = head.valid().checked()?;
        if head.n_clusters() > 1 {
            // If all codes are one point, there is no heuristic β.
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

    /// The epochs of the autoencoder alone.
    fn warm_up<B, A, const D: usize>(
        &self,
        mut autoencoder: A,
        x: &Tensor<B::InnerBackend, D>,
        optimizer: &mut impl Optimizer<A, B>,
        observe: &mut impl FnMut(JointProgress),
    ) -> Result<A>
    where
        B: AutodiffBackend,
        A: AutodiffModule<B> + Autoencoder<B, D>,
    {
        let rows = x.dims()[0];
        for epoch in 1..=self.warm_up_epochs {
            let mut mean = Mean::default();
            for batch in self.batches(rows, epoch, x) {
                let x = Tensor::<B, D>::from_inner(batch.1);
                let samples = x.dims()[0];
                let codes = checked(autoencoder.encode(x.clone()), samples)?;
                let loss = reconstruction_error(&autoencoder, x, codes)?;
                mean.add(&loss, samples);
                let grads = GradientsParams::from_grads(loss.backward(), &autoencoder);
                autoencoder = optimizer.step(self.learning_rate, autoencoder, grads);
            }
            let reconstruction = mean.value();
            finite("epoch of the warm-up", epoch, reconstruction)?;
            observe(JointProgress { warming_up: true, epoch, reconstruction, divergence: 0.0 });
        }
        Ok(autoencoder)
    }

    /// The epochs of the autoencoder and the centroids together.
    fn train_jointly<B, A, const D: usize>(
        &self,
        mut autoencoder: A,
        mut head: KMeans<B>,
        x: &Tensor<B::InnerBackend, D>,
        optimizer: &mut impl Optimizer<A, B>,
        observe: &mut impl FnMut(JointProgress),
    ) -> Result<(A, KMeans<B>)>
    where
        B: AutodiffBackend,
        A: AutodiffModule<B> + Autoencoder<B, D>,
        A::InnerModule: Autoencoder<B::InnerBackend, D>,
    {
        let rows = x.dims()[0];
        let mut head_optimizer = AdamConfig::new().init();
        for epoch in 1..=self.joint_epochs {
            let codes = codes_of(&autoencoder.valid(), x, self.batch_size)?;
            let target = sharpened(&assignments(codes, head.centroids().inner()));
            let (mut reconstructions, mut divergences) = (Mean::default(), Mean::default());
            for (index, batch) in self.batches(rows, self.warm_up_epochs + epoch, x) {
                let x = Tensor::<B, D>::from_inner(batch);
                let samples = x.dims()[0];
                let codes = checked(autoencoder.encode(x.clone()), samples)?;
                let reconstruction = reconstruction_error(&autoencoder, x, codes.clone())?;
                let p = Tensor::<B, 2>::from_inner(target.clone().select(0, index));
                let divergence = divergence(p, assignments(codes, head.centroids()));
                reconstructions.add(&reconstruction, samples);
                divergences.add(&divergence, samples);
                let loss = reconstruction * self.reconstruction + divergence * self.clustering;
                let mut grads = loss.backward();
                let encoder = GradientsParams::from_module::<B, _>(&mut grads, &autoencoder);
                let clusters = GradientsParams::from_module::<B, _>(&mut grads, &head);
                autoencoder = optimizer.step(self.learning_rate, autoencoder, encoder);
                head = head_optimizer.step(self.learning_rate, head, clusters);
            }
            let (reconstruction, divergence) = (reconstructions.value(), divergences.value());
            finite("joint epoch", epoch, reconstruction + divergence)?;
            observe(JointProgress { warming_up: false, epoch, reconstruction, divergence });
        }
        Ok((autoencoder, head))
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

    /// Samples in the random order of an epoch, batch by batch.
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

/// Refuses data that are empty, not finite, or of another precision than the
/// parameters.
fn check_data<B: AutodiffBackend, A: AutodiffModule<B>, const D: usize>(
    autoencoder: &A,
    x: &Tensor<B::InnerBackend, D>,
) -> Result<()> {
    if x.dims().contains(&0) {
        return Err(Error::Empty { what: "x" });
    }
    let features = x.dims()[1..].iter().product();
    let flat: Tensor<B::InnerBackend, 2> = x.clone().reshape([x.dims()[0], features]);
    validate::dtype::<B::InnerBackend>("x", &x.device(), x.dtype())?;
    validate::values("x", &flat)?;
    // Burn initialises a parameter again in every clone if it has not been read before.
    let _ = autoencoder.num_params();
    same_precision::<B::InnerBackend, _>(&autoencoder.valid(), x.dtype())
}

fn finite(phase: &'static str, epoch: usize, loss: f64) -> Result<()> {
    if loss.is_finite() { Ok(()) } else { Err(Error::Diverged { phase, epoch, loss }) }
}

/// The mean of a loss over samples, from its means over batches.
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
fn reconstruction_error<B: Backend, A: Autoencoder<B, D>, const D: usize>(
    autoencoder: &A,
    x: Tensor<B, D>,
    codes: Tensor<B, 2>,
) -> Result<Tensor<B, 1>> {
    let back = autoencoder.decode(codes);
    if back.dims() != x.dims() {
        let expected = format!("{:?}, that of the input", x.dims());
        return Err(Error::shape("the output of the decoder", expected, &back.dims()));
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

/// The codes, if there is one for every sample.
fn checked<B: Backend>(codes: Tensor<B, 2>, samples: usize) -> Result<Tensor<B, 2>> {
    match codes.dims() {
        [found, width] if found == samples && width > 0 => Ok(codes),
        found => {
            Err(Error::shape("the output of the encoder", format!("[{samples}, code]"), &found))
        }
    }
}

/// Refuses parameters of another precision than the data.
fn same_precision<B: Backend, M: Module<B>>(module: &M, data: DType) -> Result<()> {
    struct Mismatch {
        data: DType,
        parameter: Option<DType>,
    }
    impl<B: Backend> ModuleVisitor<B> for Mismatch {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            let found = param.val().dtype();
            if found != self.data {
                self.parameter = Some(found);
            }
        }
    }
    let mut mismatch = Mismatch { data, parameter: None };
    module.visit(&mut mismatch);
    match mismatch.parameter {
        Some(expected) => Err(Error::DTypeMismatch { what: "x", expected, found: data }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

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
