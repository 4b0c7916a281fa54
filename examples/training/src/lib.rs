//! An encoder and a clustering of its codes, trained together by Burn's own training loop.
//!
//! The loss has three parts: the reconstruction of the input, the assignment loss of deep embedded
//! clustering, and the share of the relevance that lies on a feature which the clusters shall not
//! depend on. Metrics show inertia, margin and conservation; checkpoints hold the whole module.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::module::{AutodiffModule, Module};
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig, Tanh};
use burn::optim::AdamConfig;
use burn::record::{FullPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::activation::tanh;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Tensor, TensorData};
use burn::train::metric::LossMetric;
use burn::train::{
    InferenceStep, Learner, LearningResult, SupervisedTraining, TrainOutput, TrainStep,
};
use burn_lrp::{Node, Relevance};
use neuralize::prelude::*;
use neuralize::train::{
    ClusteringOutput, ConservationMetric, InertiaMetric, MarginMetric, assignment_loss,
    masked_relevance_loss, sharpened, soft_assignments,
};

/// The encoder: 13 features to a code of 4 numbers.
#[derive(Module, Debug)]
pub struct Encoder<B: Backend> {
    hidden: Linear<B>,
    code: Linear<B>,
}

impl<B: Backend> Encoder<B> {
    /// Codes of rows, with their graph.
    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.code.forward(tanh(self.hidden.forward(x)))
    }
}

/// The same for explanations.
impl<B: Backend> Relevance<B> for Encoder<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.then("hidden", &self.hidden)?.then("tanh", &Tanh)?.then("code", &self.code)
    }
}

/// What is trained: an encoder with a clustering of its codes, and a decoder that keeps the codes
/// from collapsing.
#[derive(Module, Debug)]
pub struct Clustering<B: Backend> {
    /// Encoder and centroids; the part that is kept.
    pub model: DeepKMeans<B, Encoder<B>>,
    hidden: Linear<B>,
    decoder: Linear<B>,
    /// The element of a code that shall carry no relevance.
    #[module(skip)]
    marked: usize,
}

const CODE: usize = 4;
const HIDDEN: usize = 32;

impl<B: AutodiffBackend> Clustering<B> {
    /// Random layers, and the centroids of k-means of their codes.
    ///
    /// # Errors
    ///
    /// If the codes cannot be clustered.
    pub fn init(
        x: &Tensor<B::InnerBackend, 2>,
        clusters: usize,
        marked: usize,
    ) -> neuralize::Result<Self> {
        let device = x.device();
        let width = x.dims()[1];
        let encoder = Encoder {
            hidden: LinearConfig::new(width, HIDDEN).init(&device),
            code: LinearConfig::new(HIDDEN, CODE).init(&device),
        };
        let codes = encoder.valid().forward(x.clone());
        let head = KMeansConfig::new(clusters).fit(&codes)?.model;
        let head = KMeans::from_inner(head);
        Ok(Self {
            model: DeepKMeans::new(encoder, head).trainable(),
            hidden: LinearConfig::new(CODE, HIDDEN).init(&device),
            decoder: LinearConfig::new(HIDDEN, width).init(&device),
            marked,
        })
    }
}

impl<B: Backend> Clustering<B> {
    /// The loss of a batch, and what the metrics need.
    fn output(&self, x: Tensor<B, 2>) -> neuralize::Result<ClusteringOutput<B>> {
        let (loss, codes) = self.loss(x)?;
        ClusteringOutput::new(loss, self.model.head(), &codes)
    }

    fn loss(&self, x: Tensor<B, 2>) -> neuralize::Result<(Tensor<B, 1>, Tensor<B, 2>)> {
        let codes = self.model.encoder().forward(x.clone());
        let decoded = self.decoder.forward(tanh(self.hidden.forward(codes.clone())));
        let reconstruction = MseLoss::new().forward(decoded, x, Reduction::Mean);

        let head = self.model.head();
        let assignments = soft_assignments(head, &codes)?;
        let clustering = assignment_loss(&sharpened(&assignments), &assignments)?;

        // The network of the centroids as they are now: nothing is kept in two places.
        let explanation = head.neuralize()?.explain(&codes, Target::Assigned, Beta::Value(1.0))?;
        let marks = (0..CODE).map(|i| if i == self.marked { 1.0 } else { 0.0 }).collect();
        let marks = TensorData::new::<f32, _>(marks, [1, CODE]);
        let marks = Tensor::from_data(marks, (&codes.device(), codes.dtype()));
        let masked = masked_relevance_loss(&explanation.relevance, &marks)?;
        Ok((reconstruction + clustering * 0.1 + masked * 0.1, codes))
    }
}

impl<B: AutodiffBackend> TrainStep for Clustering<B> {
    type Input = Tensor<B, 2>;
    type Output = ClusteringOutput<B>;

    fn step(&self, x: Tensor<B, 2>) -> TrainOutput<ClusteringOutput<B>> {
        let (loss, codes) = self.loss(x).expect("finite codes; a smaller learning rate helps");
        let gradients = loss.backward();
        let output = ClusteringOutput::new(loss, self.model.head(), &codes);
        TrainOutput::new(self, gradients, output.expect("finite codes"))
    }
}

impl<B: Backend> InferenceStep for Clustering<B> {
    type Input = Tensor<B, 2>;
    type Output = ClusteringOutput<B>;

    fn step(&self, x: Tensor<B, 2>) -> ClusteringOutput<B> {
        self.output(x).expect("finite codes")
    }
}

/// Rows of a batch as a tensor.
#[derive(Clone)]
struct Rows;

impl<B: Backend> Batcher<B, Vec<f32>, Tensor<B, 2>> for Rows {
    fn batch(&self, items: Vec<Vec<f32>>, device: &B::Device) -> Tensor<B, 2> {
        let shape = [items.len(), items[0].len()];
        Tensor::from_data(TensorData::new(items.concat(), shape), (device, DType::F32))
    }
}

fn loader<B: Backend>(rows: Vec<Vec<f32>>) -> Arc<dyn DataLoader<B, Tensor<B, 2>>> {
    DataLoaderBuilder::new(Rows).batch_size(64).shuffle(7).build(InMemDataset::new(rows))
}

/// The wines, every feature with mean 0 and variance 1.
///
/// # Errors
///
/// As the table and the scaler.
pub fn wines<B: Backend>() -> neuralize::Result<Tensor<B, 2>> {
    let x = Table::wine().to_tensor::<B>(&Default::default(), DType::F32)?;
    Scale::Standard.fit(&x)?.transform(&x)
}

/// Trains for some epochs; checkpoints and logs of the metrics go to a folder.
///
/// # Errors
///
/// If the codes of the untrained encoder cannot be clustered.
pub fn train<B: AutodiffBackend>(
    folder: &Path,
    x: &Tensor<B::InnerBackend, 2>,
    epochs: usize,
) -> neuralize::Result<DeepKMeans<B::InnerBackend, Encoder<B::InnerBackend>>> {
    let rows: Vec<f32> = x.clone().into_data().iter().collect();
    let rows: Vec<Vec<f32>> = rows.chunks(x.dims()[1]).map(<[f32]>::to_vec).collect();
    let model = Clustering::<B>::init(x, 3, 0)?;
    let training = SupervisedTraining::new(folder, loader(rows.clone()), loader(rows))
        .metrics((
            LossMetric::<B>::new(),
            InertiaMetric::new(),
            MarginMetric::new(),
            ConservationMetric::new(),
        ))
        .with_file_checkpointer(NamedMpkFileRecorder::<FullPrecisionSettings>::new())
        .num_epochs(epochs)
        .summary();
    let LearningResult { model, .. } =
        training.launch(Learner::new(model, AdamConfig::new().init(), 5e-3));
    // The heuristic β belongs to the centroids of the end, so it is found now.
    let (encoder, head) = model.model.into_parts();
    let codes = encoder.forward(x.clone());
    DeepKMeans::new(encoder, head.with_heuristic_beta(&codes)?).with_roots([x.clone()])
}

/// The module of a checkpoint.
///
/// # Errors
///
/// If the file is missing or of another module.
pub fn checkpoint<B: AutodiffBackend>(
    folder: &Path,
    epoch: usize,
    x: &Tensor<B::InnerBackend, 2>,
) -> Result<Clustering<B::InnerBackend>, Box<dyn std::error::Error>> {
    let blank = Clustering::<B>::init(x, 3, 0)?.valid();
    let file = folder.join(format!("checkpoint/model-{epoch}"));
    let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
    let loaded = blank.load_file(file, &recorder, &x.device())?;
    // Burn compares neither shapes nor values; the clustering is checked here, and the first call
    // finds an encoder of other widths.
    Ok(Clustering { model: loaded.model.checked()?, ..loaded })
}
