//! The kinds of clustering that are explained.

use std::sync::Mutex;

use burn::backend::{Autodiff, Flex};
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_lrp::Relevance;
use neuralize::baseline::{Tracked, TrackedDeepKMeans};
use neuralize::deep::{Autoencoder, DeepKMeans, DeepQuestion, JointTraining, Pass};
use neuralize::prelude::*;

use crate::tables::Set;

type Tracking = Autodiff<Flex>;
type Error = Box<dyn std::error::Error>;

/// Prototypes of a cluster in kernel k-means.
pub(crate) const PROTOTYPES: usize = 8;

fn scaled(set: &Set, dtype: DType) -> neuralize::Result<Tensor<Flex, 2>> {
    let x = set.table.to_tensor(&Default::default(), dtype)?;
    Scale::MinMax.fit(&x)?.transform(&x)
}

pub(crate) fn kmeans(set: &Set, seed: u64) -> Result<(Tracked<Tracking>, Tensor<Flex, 2>), Error> {
    let x = scaled(set, DType::F64)?;
    let fit = KMeansConfig::new(set.clusters).with_seed(seed).fit(&x)?;
    Ok((Tracked::new(fit.model)?, x))
}

/// With as many prototypes of every cluster as supports, or all members.
pub(crate) fn kernel(
    set: &Set,
    seed: u64,
    prototypes: Option<usize>,
) -> Result<(Tracked<Tracking>, Tensor<Flex, 2>), Error> {
    let x = scaled(set, DType::F64)?;
    let config = KernelKMeansConfig::new(set.clusters).with_prototypes(prototypes);
    let fit = config.with_seed(seed).fit(&x)?;
    Ok((Tracked::new(fit.model)?, x))
}

pub(crate) fn mixture(set: &Set, seed: u64) -> Result<(Tracked<Tracking>, Tensor<Flex, 2>), Error> {
    let x = scaled(set, DType::F64)?;
    let fit = GaussianMixtureConfig::new(set.clusters).with_seed(seed).fit(&x)?;
    Ok((Tracked::new(fit.model)?, x))
}

/// The network from a row to its code.
#[derive(Module, Debug, Relevance)]
pub(crate) struct Encoder<B: Backend> {
    #[relevance(then(relu))]
    first: Linear<B>,
    code: Linear<B>,
}

#[derive(Module, Debug)]
struct RowsAutoencoder<B: Backend> {
    encoder: Encoder<B>,
    back: Linear<B>,
    last: Linear<B>,
}

impl<B: Backend> RowsAutoencoder<B> {
    fn init(features: usize, device: &B::Device) -> Self {
        let (hidden, code) = (32, features.min(8));
        let layer = |from, to| LinearConfig::new(from, to).init(device);
        Self {
            encoder: Encoder { first: layer(features, hidden), code: layer(hidden, code) },
            back: layer(code, hidden),
            last: layer(hidden, features),
        }
    }
}

impl<B: Backend> Autoencoder<B, 2> for RowsAutoencoder<B> {
    fn encode(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.encoder.code.forward(Relu.forward(self.encoder.first.forward(x)))
    }

    fn decode(&self, codes: Tensor<B, 2>) -> Tensor<B, 2> {
        self.last.forward(Relu.forward(self.back.forward(codes)))
    }
}

type TrackedEncoder = TrackedDeepKMeans<Tracking, Encoder<Tracking>>;

/// Trained in single precision, explained in double, so that rounding hides nothing.
struct Doubled;

impl ModuleMapper<Flex> for Doubled {
    fn map_float<const D: usize>(
        &mut self,
        param: Param<Tensor<Flex, D>>,
    ) -> Param<Tensor<Flex, D>> {
        Param::initialized(param.id, param.val().cast(DType::F64))
    }
}

/// The same model twice: explained by secants, and by NEON and LRP-γ.
pub(crate) fn deep(set: &Set, seed: u64) -> Result<([TrackedEncoder; 2], Tensor<Flex, 2>), Error> {
    let x = scaled(set, DType::F32)?;
    let device = Default::default();
    // Burn draws weights from one generator of the whole process.
    static DRAWING: Mutex<()> = Mutex::new(());
    let drawing = DRAWING.lock();
    Tracking::seed(&device, seed);
    let training = JointTraining {
        warm_up_epochs: 60,
        joint_epochs: 20,
        batch_size: 32,
        learning_rate: 3e-3,
        seed,
        ..JointTraining::default()
    };
    let clusters = KMeansConfig::new(set.clusters).with_seed(seed);
    let autoencoder = RowsAutoencoder::init(set.table.features().len(), &device);
    let fit = training.fit::<Tracking, _, 2>(autoencoder, &x, &clusters, |_| {})?;
    drop(drawing);
    let model = DeepKMeans::new(fit.autoencoder.encoder, fit.head).map(&mut Doubled);
    let x = scaled(set, DType::F64)?;
    let question = DeepQuestion::default().with_batch_size(256);
    let by_rules = question.clone().with_pass(Pass::gamma());
    let subject = |question| TrackedDeepKMeans::new(model.clone(), &x, question);
    Ok(([subject(question)?, subject(by_rules)?], x))
}
