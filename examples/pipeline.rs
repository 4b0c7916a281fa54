//! In a Burn pipeline: an autoencoder is trained with an optimizer; its codes
//! feed the clusterer; encoder and network live in one module of the user's own,
//! saved and loaded as one record. `examples/training` does it with Burn's data
//! loaders and its training loop.
//!
//! `cargo run --release --example pipeline`

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module};
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::record::{FullPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Distribution, Tensor};
use neuralize::network::NeuralizedKMeansConfig;
use neuralize::prelude::*;

const FEATURES: usize = 13;
const CODES: usize = 4;
const CLUSTERS: usize = 3;

#[derive(Module, Debug)]
struct Autoencoder<B: Backend> {
    encoder: Linear<B>,
    decoder: Linear<B>,
}

impl<B: Backend> Autoencoder<B> {
    fn new(device: &B::Device) -> Self {
        Self {
            encoder: LinearConfig::new(FEATURES, CODES).init(device),
            decoder: LinearConfig::new(CODES, FEATURES).init(device),
        }
    }

    fn encode(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.encoder.forward(x).tanh()
    }
}

/// What goes into production: an encoder, and the explainable clustering of
/// its codes.
#[derive(Module, Debug)]
struct Segmenter<B: Backend> {
    encoder: Linear<B>,
    head: NeuralizedKMeans<B>,
}

impl<B: Backend> Segmenter<B> {
    fn explain(&self, x: Tensor<B, 2>) -> neuralize::Result<Explanation<B>> {
        self.head.explain(&self.encoder.forward(x).tanh(), Target::Assigned, Beta::Heuristic)
    }
}

/// The rows in a random order, in batches.
fn batches<B: Backend>(x: &Tensor<B, 2>) -> Vec<Tensor<B, 2>> {
    let order = Tensor::<B, 1>::random([x.dims()[0]], Distribution::Default, &x.device());
    x.clone().select(0, order.argsort(0)).split(32, 0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    type Train = Autodiff<Flex>;
    let device = Default::default();
    <Train as Backend>::seed(&device, 7);

    let x = Table::wine().to_tensor::<Flex>(&device, DType::F32)?;
    let x = Scale::MinMax.fit(&x)?.transform(&x)?;

    // Train.
    let tracked = Tensor::<Train, 2>::from_inner(x.clone());
    let mut model = Autoencoder::<Train>::new(&device);
    let mut optimizer = AdamConfig::new().init();
    for epoch in 1..=60 {
        let mut total = 0.0;
        for batch in batches(&tracked) {
            let output = model.decoder.forward(model.encode(batch.clone()));
            let loss = MseLoss::new().forward(output, batch, Reduction::Mean);
            total += loss.clone().into_data().iter::<f64>().sum::<f64>();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(1e-2, model, gradients);
        }
        if epoch % 20 == 0 {
            println!("epoch {epoch}: reconstruction error {:.4}", total / 6.0);
        }
    }

    // Cluster the codes, batch by batch in the order of the rows.
    let model = model.valid();
    let codes: Vec<_> =
        x.clone().split(64, 0).into_iter().map(|batch| model.encode(batch)).collect();
    let fit = KMeansConfig::new(CLUSTERS).with_n_init(Some(10)).fit(&Tensor::cat(codes, 0))?;
    println!(
        "{CLUSTERS} clusters of {CODES} codes: inertia {:.3}, sizes {:?}",
        fit.inertia, fit.sizes
    );

    // One module, one record.
    let segmenter = Segmenter { encoder: model.encoder, head: fit.model.neuralize()? };
    let folder = tempfile::tempdir()?;
    let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
    segmenter.clone().save_file(folder.path().join("segmenter"), &recorder)?;
    let blank = Segmenter::<Flex> {
        encoder: LinearConfig::new(FEATURES, CODES).init(&device),
        head: NeuralizedKMeansConfig::new(CODES, CLUSTERS).init(&device),
    };
    let loaded = blank.load_file(folder.path().join("segmenter"), &recorder, &device)?;
    // Burn loads what it finds; this says whether it is a network.
    let loaded = Segmenter { head: loaded.head.checked()?, ..loaded };

    let (before, after) = (segmenter.explain(x.clone())?, loaded.explain(x)?);
    let error: Vec<f32> = after.conservation_error().max().into_data().iter().collect();
    println!("explained by its codes: conservation error at most {:.1e}", error[0]);
    let same = before.relevance.into_data() == after.relevance.into_data();
    println!("the loaded module explains to the same bits: {same}");
    if !same {
        return Err("the loaded module explains otherwise".into());
    }
    Ok(())
}
