//! What a layer must know to hand relevance down, and the layers there are.

mod activation;
mod attention;
mod dropout;
mod embedding;
mod gated;
mod join;
mod norm;
mod pool;
mod product;
mod recurrent;
mod reduce;
mod rooted;
mod shape;
mod softmax;
mod squared_distance;

use std::fmt::{self, Debug};

use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::rule::{Rule, RuleName};

pub use activation::Silu;
pub use attention::{Attention, Masked, Masks};
pub use join::{Add, Concat, Subtract};
pub use product::Multiply;
pub use reduce::{MeanOver, SumOver};
pub use rooted::RootedLinear;
pub use shape::{Flatten, Permute, Reshape, Select};
pub use softmax::Softmax;
pub use squared_distance::SquaredDistance;

/// What layers have in common, for selectors that mean many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// Fully connected.
    Dense,
    /// Convolutions, transposed ones too.
    Convolution,
    /// Batch, layer, group and other normalisations.
    Normalization,
    /// Activation functions, gated ones and the softmax too.
    Activation,
    /// Maximum, average and adaptive pooling.
    Pooling,
    /// Products of queries, keys and values.
    Attention,
    /// Tokens to vectors.
    Embedding,
    /// Recurrent layers.
    Recurrent,
    /// More than one input: sums, concatenations, gates.
    Join,
    /// Another shape for the same numbers.
    Shape,
    /// Distances and pools over competitors.
    Competition,
    /// Anything else.
    Other,
}

impl Family {
    /// Every family there is.
    pub const ALL: &'static [Self] = &[
        Self::Dense,
        Self::Convolution,
        Self::Normalization,
        Self::Activation,
        Self::Pooling,
        Self::Attention,
        Self::Embedding,
        Self::Recurrent,
        Self::Join,
        Self::Shape,
        Self::Competition,
        Self::Other,
    ];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dense => "dense",
            Self::Convolution => "convolution",
            Self::Normalization => "normalization",
            Self::Activation => "activation",
            Self::Pooling => "pooling",
            Self::Attention => "attention",
            Self::Embedding => "embedding",
            Self::Recurrent => "recurrent",
            Self::Join => "join",
            Self::Shape => "shape",
            Self::Competition => "competition",
            Self::Other => "other",
        })
    }
}

/// What a layer is: the name of its type, and its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    name: &'static str,
    family: Family,
}

impl Kind {
    /// A kind of layer, named like its type.
    pub const fn new(name: &'static str, family: Family) -> Self {
        Self { name, family }
    }

    /// The name of the type.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it belongs to.
    pub const fn family(&self) -> Family {
        self.family
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A layer that relevance can be handed through.
///
/// A layer is only looked at: nothing of it changes in a pass, so a module may be
/// used twice in a network and explained as often as one likes. Implement it
/// for a layer of your own; together with [`leaf!`](crate::leaf) the layer
/// takes part in any network.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::{Tensor, backend::Backend};
/// use burn_lrp::{AnyTensor, Family, Handed, Kind, Layer, Result, Rule, RuleName, Step, leaf};
///
/// /// Twice the input.
/// #[derive(Debug)]
/// struct Double;
///
/// impl<B: Backend> Layer<B> for Double {
///     fn kind(&self) -> Kind {
///         Kind::new("Double", Family::Activation)
///     }
///     fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
///         Ok(inputs[0].map(|x| x * 2.0))
///     }
///     fn rules(&self) -> &'static [RuleName] {
///         &[RuleName::Pass]
///     }
///     fn default_rule(&self) -> Rule {
///         Rule::PASS
///     }
///     fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Handed<B>> {
///         Ok(Handed::whole(step.relevance.clone()))
///     }
/// }
/// leaf!(Double);
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 2.0]], &Default::default());
/// assert_eq!(burn_lrp::infer(&Double, x)?.dims(), [1, 2]);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
pub trait Layer<B: Backend>: Debug {
    /// What it is.
    fn kind(&self) -> Kind;

    /// The output, in inference mode on every backend: no dropout, and
    /// normalisation by running statistics.
    ///
    /// # Errors
    ///
    /// If an input has a shape that the layer cannot take.
    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>>;

    /// The rules it can follow.
    fn rules(&self) -> &'static [RuleName];

    /// The rule it follows where no composite says otherwise.
    fn default_rule(&self) -> Rule;

    /// Hands relevance from the output to the inputs, by one of its
    /// [`rules`](Self::rules).
    ///
    /// # Errors
    ///
    /// If shapes do not fit.
    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Handed<B>>;

    /// The layer with its output channels scaled and shifted, if it can be
    /// had as one layer: `scale_k (z_k + b_k) + shift_k`. A normalisation by
    /// running statistics merges into the layer before it by this.
    ///
    /// # Shapes
    ///
    /// - scale, shift: `[channels]`
    fn rescaled(
        &self,
        scale: &Tensor<B, 1>,
        shift: &Tensor<B, 1>,
    ) -> Option<Box<dyn Layer<B> + 'static>> {
        let _ = (scale, shift);
        None
    }

    /// The dimension of the output that channels of [`rescaled`](Self::rescaled)
    /// are counted along.
    fn rescaled_dim(&self, output: &[usize]) -> usize {
        let _ = output;
        1
    }

    /// The scale and shift of every channel (dimension 1), if that is all the
    /// layer does.
    fn channel_scale(&self) -> Option<(Tensor<B, 1>, Tensor<B, 1>)> {
        None
    }
}

/// What a layer saw, and what came back to it.
#[derive(Debug)]
pub struct Step<'a, B: Backend> {
    /// What it was given.
    pub inputs: &'a [AnyTensor<B>],
    /// What it gave.
    pub output: &'a AnyTensor<B>,
    /// The relevance of what it gave.
    pub relevance: &'a AnyTensor<B>,
    /// Whether what a bias absorbs is to be told; it costs a little.
    pub report: bool,
}

impl<B: Backend> Step<'_, B> {
    /// The only input of a layer with one.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub fn input(&self) -> Result<&AnyTensor<B>> {
        only(self.inputs)
    }
}

/// The first input.
pub(crate) fn only<B: Backend>(inputs: &[AnyTensor<B>]) -> Result<&AnyTensor<B>> {
    inputs.first().ok_or_else(|| Error::layer("layer", "it was given no input"))
}

/// How many elements are before, in, and after a dimension.
pub(crate) fn around(dims: &[usize], dim: usize) -> [usize; 3] {
    [dims[..dim].iter().product(), dims[dim], dims[dim + 1..].iter().product()]
}

/// What a layer hands down.
#[derive(Debug, Clone)]
pub struct Handed<B: Backend> {
    /// The relevance of every input, in its shape; for token ids, in the
    /// shape of the ids.
    pub inputs: Vec<AnyTensor<B>>,
    /// What the bias absorbed of every sample, `[n]`, if the layer has one and
    /// was asked.
    pub bias: Option<Tensor<B, 1>>,
}

impl<B: Backend> Handed<B> {
    /// All to one input.
    pub fn whole(relevance: AnyTensor<B>) -> Self {
        Self { inputs: vec![relevance], bias: None }
    }
}

/// The same numbers `size` times along the dimension in the middle, which has size 1.
///
/// By a product with ones: Burn 0.21 on GPUs reshapes a tensor wrongly that was only
/// expanded, and repeats by expanding.
pub(crate) fn repeated<B: Backend>(x: Tensor<B, 3>, size: usize) -> Tensor<B, 3> {
    let ones = Tensor::ones([1, size, 1], (&x.device(), x.dtype()));
    x * ones
}
