//! The program of `docs/ENCODERS.md`, whole: an encoder, its clusters, and the pixels that put
//! an image into its cluster.
//!
//! `cargo run --release --example encoder -- [FOLDER]`

use burn::backend::Flex;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_lrp::Relevance;
use neuralize::plot::{self, HeatMap, ImageShape};
use neuralize::prelude::*;

#[derive(Module, Debug, Relevance)]
struct Encoder<B: Backend> {
    #[relevance(then(relu))]
    first: Conv2d<B>,
    pool: MaxPool2d,
    #[relevance(then(relu, flatten))]
    second: Conv2d<B>,
    code: Linear<B>,
}

impl<B: Backend> Encoder<B> {
    fn init(device: &B::Device) -> Self {
        let same = || PaddingConfig2d::Explicit(1, 1, 1, 1);
        Self {
            first: Conv2dConfig::new([1, 16], [3, 3]).with_padding(same()).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            second: Conv2dConfig::new([16, 32], [3, 3]).with_padding(same()).init(device),
            code: LinearConfig::new(32 * 4 * 4, 10).init(device),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    std::fs::create_dir_all(&folder)?;
    let device = Default::default();
    Flex::seed(&device, 1);
    let encoder = Encoder::<Flex>::init(&device);
    // 300 images of 8 × 8 pixels between 0 and 1: three kinds of bars.
    let images: Vec<f32> = (0..300 * 64_usize)
        .map(|at| {
            let (image, row, column) = (at / 64, at / 8 % 8, at % 8);
            let on = match image % 3 {
                0 => row / 2 == image / 3 % 4,
                1 => column / 2 == image / 3 % 4,
                _ => row.abs_diff(column) < 2,
            };
            if on { 1.0 } else { 0.05 * ((at * 7919 % 13) as f32 / 13.0) }
        })
        .collect();
    let data = burn::tensor::TensorData::new(images.clone(), [300, 1, 8, 8]);
    let x = Tensor::<Flex, 4>::from_data(data, (&device, DType::F32));

    let batches = || (0..300).step_by(50).map(|at| x.clone().narrow(0, at, 50));
    let fit = DeepKMeans::fit(encoder, &KMeansConfig::new(3), batches)?;
    println!("{:?}", fit.sizes);
    fit.model.save(format!("{folder}/bars.bpk"))?; // encoder and clustering, one file
    let explanation = fit.model.explain(&x, &DeepQuestion::default())?;
    // Relevances sum to the logit; what is missing is rounding.
    let absorbed: f32 = explanation.absorbed.abs().max().into_scalar();
    println!("largest part of a logit that does not reach the pixels: {absorbed:.1e}");

    let relevance: Vec<f64> = explanation.relevance.into_data().iter().collect();
    let shape = ImageShape { height: 8, width: 8, channels: 1 };
    let mut maps = Vec::new();
    for n in 0..6 {
        let values = images[n * 64..][..64].iter().map(|v| f64::from(*v)).collect();
        let map = HeatMap::new(format!("image {n}"), values, relevance[n * 64..][..64].to_vec());
        maps.push(map.clone());
        maps.push(map.pooled(shape, 2)?); // the same by patches of 2 × 2 pixels
    }
    let figure = plot::heat_maps(&maps, shape, "Why these bars are in their clusters")?;
    figure.save(format!("{folder}/bars.svg"))?;
    Ok(())
}
