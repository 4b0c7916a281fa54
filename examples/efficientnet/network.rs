//! EfficientNet-Lite0 as Burn modules that relevance can pass through.
//!
//! Inverted bottlenecks of MobileNetV2 without squeeze-and-excitation, ReLU6
//! throughout, padding as in TensorFlow (Tan and Le 2019; the Lite variant comes from
//! their repository).

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::backend::Backend;
use burn_lrp::{
    AnyTensor, Family, Kind, Layer, Node, Redistribution, Relevance, Result, Rule, RuleName,
    SecantStep, Step, leaf, slope,
};

/// Repetitions of a block, size of its kernel, stride of the first repetition, factor of
/// expansion, channels.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];
const STEM: usize = 32;
pub const FEATURES: usize = 1280;
pub const CLASSES: usize = 1000;

/// The whole network: photographs to logits.
#[derive(Module, Debug)]
pub struct EfficientNet<B: Backend> {
    pub features: Features<B>,
    pub classifier: Linear<B>,
}

/// All layers but the last: photographs to features.
#[derive(Module, Debug)]
pub struct Features<B: Backend> {
    stem: Convolution<B>,
    blocks: Vec<Block<B>>,
    head: Convolution<B>,
    pool: AdaptiveAvgPool2d,
}

/// An inverted bottleneck: wider, then channel by channel, then narrower.
#[derive(Module, Debug)]
struct Block<B: Backend> {
    expand: Option<Convolution<B>>,
    depthwise: Convolution<B>,
    project: Convolution<B>,
    skips: bool,
}

/// A convolution and its normalisation.
#[derive(Module, Debug)]
struct Convolution<B: Backend> {
    conv: Conv2d<B>,
    norm: BatchNorm<B>,
}

/// `min(max(x, 0), 6)`, a layer of our own: relevance passes unchanged, as through any
/// activation.
#[derive(Debug)]
struct Relu6;

impl<B: Backend> EfficientNet<B> {
    pub fn new(device: &B::Device) -> Self {
        Self {
            features: Features::new(device),
            classifier: LinearConfig::new(FEATURES, CLASSES).init(device),
        }
    }
}

impl<B: Backend> Features<B> {
    fn new(device: &B::Device) -> Self {
        let mut blocks = Vec::new();
        let mut channels = STEM;
        for (repeats, kernel, stride, expansion, output) in STAGES {
            for at in 0..repeats {
                let stride = if at == 0 { stride } else { 1 };
                blocks.push(Block::new(channels, output, kernel, stride, expansion, device));
                channels = output;
            }
        }
        Self {
            stem: Convolution::new([3, STEM], 3, 2, 1, device),
            blocks,
            head: Convolution::new([channels, FEATURES], 1, 1, 1, device),
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
        }
    }
}

impl<B: Backend> Block<B> {
    fn new(
        input: usize,
        output: usize,
        kernel: usize,
        stride: usize,
        expansion: usize,
        device: &B::Device,
    ) -> Self {
        let wide = input * expansion;
        Self {
            expand: (expansion > 1).then(|| Convolution::new([input, wide], 1, 1, 1, device)),
            depthwise: Convolution::new([wide, wide], kernel, stride, wide, device),
            project: Convolution::new([wide, output], 1, 1, 1, device),
            skips: stride == 1 && input == output,
        }
    }
}

impl<B: Backend> Convolution<B> {
    fn new(
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        groups: usize,
        device: &B::Device,
    ) -> Self {
        Self {
            conv: Conv2dConfig::new(channels, [kernel, kernel])
                .with_stride([stride, stride])
                .with_groups(groups)
                .with_padding(PaddingConfig2d::Same)
                .with_bias(false)
                .init(device),
            norm: BatchNormConfig::new(channels[1]).with_epsilon(1e-3).init(device),
        }
    }
}

impl<B: Backend> Relevance<B> for EfficientNet<B> {
    fn trace<'m>(&'m self, images: Node<'m, B>) -> Result<Node<'m, B>> {
        images.then("features", &self.features)?.then("classifier", &self.classifier)
    }
}

impl<B: Backend> Relevance<B> for Features<B> {
    fn trace<'m>(&'m self, images: Node<'m, B>) -> Result<Node<'m, B>> {
        let stem = images.then("stem", &self.stem)?.then("relu6", &Relu6)?;
        let blocks = stem.then("blocks", &self.blocks)?;
        let head = blocks.then("head", &self.head)?.then("head.relu6", &Relu6)?;
        head.then("pool", &self.pool)?.flatten()
    }
}

impl<B: Backend> Relevance<B> for Block<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        let wide = match &self.expand {
            Some(expand) => input.then("expand", expand)?.then("expand.relu6", &Relu6)?,
            None => input.clone(),
        };
        let deep = wide.then("depthwise", &self.depthwise)?.then("depthwise.relu6", &Relu6)?;
        let output = deep.then("project", &self.project)?;
        if self.skips { output.add(&input) } else { Ok(output) }
    }
}

impl<B: Backend> Relevance<B> for Convolution<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        input.then("conv", &self.conv)?.then("norm", &self.norm)
    }
}

impl<B: Backend> Layer<B> for Relu6 {
    fn kind(&self) -> Kind {
        Kind::new("Relu6", Family::Activation)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        Ok(inputs[0].map(|x| x.clamp(0.0, 6.0)))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        Ok(Redistribution::single(step.relevance.clone()))
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let [x, root] = step.input(0)?;
        let slope = x.zip(&root, |x, root| slope::share(x, root, [0.0, 6.0]))?;
        Ok(vec![step.multiplier().times(&slope)?])
    }
}

leaf!(Relu6);
