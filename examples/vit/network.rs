//! A small vision transformer for images of 8 × 8 pixels, and how far explanations of it can be
//! believed.

use burn::module::{Module, Param};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Distribution, IndexingUpdateOp, Tensor, TensorData};
use burn_lrp::{AnyTensor, Composite, Node, Relevance, Result, Tape, secant};

/// Patches of 2 × 2 pixels, row by row.
pub(crate) const PATCHES: usize = 16;
/// The pixels of a patch.
pub(crate) const PIXELS: usize = 4;

/// Patches, positions, blocks of attention, the mean over patches, scores of the ten digits.
#[derive(Module, Debug)]
pub(crate) struct Vit<B: Backend> {
    embedding: Linear<B>,
    positions: Param<Tensor<B, 2>>,
    blocks: TransformerEncoder<B>,
    norm: LayerNorm<B>,
    head: Linear<B>,
}

impl<B: Backend> Vit<B> {
    pub(crate) fn init(width: usize, blocks: usize, device: &B::Device) -> Self {
        let encoder = TransformerEncoderConfig::new(width, 2 * width, 2, blocks);
        let encoder = encoder.with_dropout(0.0).with_norm_first(true);
        let positions = Tensor::random([PATCHES, width], Distribution::Normal(0.0, 0.2), device);
        Self {
            embedding: LinearConfig::new(PIXELS, width).init(device),
            positions: Param::from_tensor(positions),
            blocks: encoder.init(device),
            norm: LayerNormConfig::new(width).init(device),
            head: LinearConfig::new(width, 10).init(device),
        }
    }

    fn dtype(&self) -> DType {
        self.positions.val().dtype()
    }

    /// The scores of `[n, patches, pixels]`, for training.
    pub(crate) fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 2> {
        let tokens = self.embedding.forward(x) + self.positions.val().unsqueeze();
        let tokens = self.blocks.forward(TransformerEncoderInput::new(tokens));
        self.head.forward(self.norm.forward(tokens).mean_dim(1).squeeze_dim(1))
    }
}

impl<B: Backend> Relevance<B> for Vit<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        let tokens = x.then("embedding", &self.embedding)?;
        let tokens = tokens.shift(self.positions.val())?;
        let tokens = tokens.then("blocks", &self.blocks)?.then("norm", &self.norm)?;
        tokens.mean_over(1)?.then("head", &self.head)
    }
}

/// Pixels of 64 columns, between 0 and 1, as patches.
pub(crate) fn patches<B: Backend>(pixels: Tensor<B, 2>) -> Tensor<B, 3> {
    let [n, _] = pixels.dims();
    let grid: Tensor<B, 5> = pixels.reshape([n, 4, 2, 4, 2]);
    grid.swap_dims(2, 3).reshape([n, PATCHES, PIXELS])
}

/// What the relevance of patches says about the score of the digit that is predicted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quality {
    /// Σ|R| of patches over |Σ R + what is absorbed|, median over images.
    pub(crate) size: f64,
    /// The part of the score above that of a mean image that is left without the most relevant
    /// fifth of the patches, over all images.
    pub(crate) left: f64,
    /// The same without the least relevant fifth.
    pub(crate) kept: f64,
}

/// How relevance is found.
pub(crate) enum Method {
    Lrp(Composite),
    /// From an image whose patches are all the mean patch at their place.
    Secant,
}

/// Explains the predicted score of every image, and takes patches away.
pub(crate) fn quality<B: Backend>(
    net: &Vit<B>,
    x: &Tensor<B, 3>,
    method: &Method,
) -> Result<Quality> {
    let x = &x.clone().cast(net.dtype());
    let [n, ..] = x.dims();
    let scores = net.forward(x.clone());
    let digit = scores.clone().argmax(1);
    let marks = scores.zeros_like().scatter(
        1,
        digit.clone(),
        Tensor::ones([n, 1], (&x.device(), x.dtype())),
        IndexingUpdateOp::Add,
    );
    let mean = x.clone().mean_dim(0);
    let root = mean.clone().repeat_dim(0, n);
    let relevance: Tensor<B, 3> = match method {
        Method::Lrp(composite) => {
            let tape = Tape::new();
            let input = tape.input("x", x.clone());
            let output = net.trace(input.clone())?;
            let seed = scores.clone() * marks.clone();
            output.plan(composite)?.run(seed)?.of(&input)?.tensor()?
        }
        Method::Secant => {
            let seed = AnyTensor::from(marks.clone());
            secant(net, x.clone(), root.clone(), |_, _| Ok(seed))?.relevance.tensor()?
        }
    };
    let host = |t: Tensor<B, 2>| t.into_data().iter::<f64>().collect::<Vec<f64>>();
    let of_patches = host(relevance.sum_dim(2).squeeze_dim(2));
    let whole = host((scores * marks.clone()).sum_dim(1));
    let empty = host((net.forward(root.clone()) * marks.clone()).sum_dim(1));
    // A fifth of the patches.
    const TAKEN: usize = 3;
    let without = |most: bool| -> Vec<f64> {
        let mut gone = vec![0.0; n * PATCHES];
        for (image, relevance) in of_patches.chunks_exact(PATCHES).enumerate() {
            let mut order: Vec<usize> = (0..PATCHES).collect();
            order.sort_by(|a, b| relevance[*b].total_cmp(&relevance[*a]));
            if !most {
                order.reverse();
            }
            order[..TAKEN].iter().for_each(|patch| gone[image * PATCHES + patch] = 1.0);
        }
        let data = TensorData::new(gone, [n, PATCHES, 1]).convert_dtype(x.dtype());
        let gone = Tensor::<B, 3>::from_data(data, (&x.device(), x.dtype()));
        let masked = x.clone() + (mean.clone() - x.clone()) * gone;
        host((net.forward(masked) * marks.clone()).sum_dim(1))
    };
    let part = |left: Vec<f64>| {
        let sum = |scores: &[f64]| scores.iter().sum::<f64>() - empty.iter().sum::<f64>();
        sum(&left) / sum(&whole)
    };
    let explained = |image: usize| match method {
        Method::Lrp(_) => whole[image],
        Method::Secant => whole[image] - empty[image],
    };
    let mut sizes: Vec<f64> = of_patches
        .chunks_exact(PATCHES)
        .enumerate()
        .map(|(image, relevance)| {
            relevance.iter().map(|r| r.abs()).sum::<f64>() / explained(image).abs()
        })
        .collect();
    sizes.sort_by(f64::total_cmp);
    Ok(Quality { size: sizes[n / 2], left: part(without(true)), kept: part(without(false)) })
}
