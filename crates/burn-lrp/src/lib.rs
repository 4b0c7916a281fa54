//! Layer-wise relevance propagation (LRP) for Burn modules.
//!
//! LRP explains the output of a network by its inputs. It takes the output as *relevance* and
//! propagates it backwards, layer by layer: every layer distributes the relevance of its output over
//! its inputs, in proportion to what they contributed. The relevance of an input of the network is
//! its share of the output. A [`Rule`] is how a layer distributes relevance; a [`Composite`] is which
//! layer follows which rule. Sources: Bach et al. 2015; Montavon et al. 2019 for which rule suits
//! which layer.
//!
//! # A network, and the relevance of its inputs
//!
//! ```
//! use burn::backend::Flex;
//! use burn::module::Module;
//! use burn::nn::conv::{Conv2d, Conv2dConfig};
//! use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Distribution, Tensor, backend::Backend};
//! use burn_lrp::{Composite, Relevance, Tape};
//!
//! /// Runs its fields in their order, with a function after some.
//! #[derive(Module, Debug, Relevance)]
//! struct Net<B: Backend> {
//!     #[relevance(then(relu))]
//!     conv1: Conv2d<B>,
//!     #[relevance(then(relu))]
//!     conv2: Conv2d<B>,
//!     #[relevance(then(flatten))]
//!     pool: MaxPool2d,
//!     head: Linear<B>,
//! }
//!
//! let device = Default::default();
//! let net = Net::<Flex> {
//!     conv1: Conv2dConfig::new([1, 4], [3, 3]).init(&device),
//!     conv2: Conv2dConfig::new([4, 4], [3, 3]).init(&device),
//!     pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
//!     head: LinearConfig::new(16, 3).init(&device),
//! };
//! let images = Tensor::<Flex, 4>::random([5, 1, 8, 8], Distribution::Uniform(0.0, 1.0), &device);
//!
//! // Run it once, and choose a rule for every layer.
//! let tape = Tape::new();
//! let input = tape.input("images", images);
//! let scores = input.then("net", &net)?;
//! let plan = scores.plan(&Composite::image(0.0, 1.0)?)?;
//! assert_eq!(plan.to_string(), "\
//! net.conv1    Conv2d     box=0,1
//! net.relu     Relu       pass
//! net.conv2    Conv2d     gamma=0.25
//! net.relu#2   Relu       pass
//! net.pool     MaxPool2d  winner-take-all
//! net.flatten  Flatten    pass
//! net.head     Linear     epsilon=1e-6
//! ");
//!
//! // Which pixels contribute to the first score of every image?
//! let first = scores.tensor::<2>()?.slice([0..5, 0..1]);
//! let others = Tensor::zeros([5, 2], &device);
//! let relevances = plan.run_with_report(Tensor::cat(vec![first, others], 1))?;
//! let heat: Tensor<Flex, 4> = relevances.of(&input)?.tensor()?;
//! assert_eq!(heat.dims(), [5, 1, 8, 8]);
//!
//! // How much the bias and the stabiliser of every layer absorbed, as a table.
//! let report = relevances.report().expect("it was requested");
//! assert_eq!(report.layers().len(), 7);
//! println!("{report}");
//! # Ok::<(), burn_lrp::Error>(())
//! ```
//!
//! # Overview
//!
//! | | |
//! |---|---|
//! | [`Relevance`] | a module that relevance can be propagated through; derived, or implemented in a line or two |
//! | [`Tape`], [`Node`] | the network as it ran, with skip connections and layers that are used twice |
//! | [`Rule`] | how a layer distributes relevance, with checked numbers |
//! | [`AffineRule`] | a rule of your own |
//! | [`Composite`], [`Selector`] | which layer follows which rule, as values or as text; presets |
//! | [`Plan`] | the rule of every layer; prints itself, and is refused as a whole if a layer cannot follow its rule |
//! | [`Relevances`], [`Report`] | relevance of the inputs, and what every layer absorbed |
//! | [`Explainer`] | many samples, block by block |
//! | [`secant`], [`SecantPlan`] | the other pass: what made the difference to the output at a root; it loses nothing, and takes no rules |
//! | [`Layer`], [`leaf!`] | a layer of your own |
//! | [`slope`] | slopes between two places, for secants of your own |
//! | [`affine`] | all rules for a layer `W a + b`, from a product and its transpose |
//! | [`module`] | Burn modules in a row and around a skip connection |
//! | [`AnyTensor`] | a tensor whose rank is known at run time |
//! | [`infer`], [`verify`] | the output alone; whether a traced network is the one that runs |
//!
//! # A rule of your own
//!
//! [`Rule::custom`] makes a rule from functions of inputs, weights and biases; every affine layer can
//! follow it.
//!
//! # A layer of your own
//!
//! - A module that is built of layers implements [`Relevance`]: it runs them in their order.
//! - A layer that is linear except for a bias implements [`Affine`] (the weights, a product and its
//!   transpose) and gets its [`Layer`] methods from [`affine_methods!`]. It can follow all rules of
//!   affine layers, yours included.
//! - Any other layer implements [`Layer`]: its output, the rules it can follow, how it
//!   distributes relevance, and for secant passes its [`secant`](Layer::secant). A rule that it does not list is refused before anything is computed.
//!
//! # Limits
//!
//! - A pass is inference: dropout is the identity and normalisation uses running
//!   statistics, on `Autodiff` backends too.
//! - Burn does not record networks, so only what runs on a [`Tape`] is seen: functions
//!   between layers must be named, with methods of [`Node`] or in the derive.
//! - A network is a graph without cycles. All activations are kept until the tape is
//!   dropped.
//! - LRP conserves relevance, except for what biases and stabilisers absorb; the [`Report`] shows
//!   how much. w² and flat ignore the values of a layer's input.
//! - GPU backends in double precision are only as exact as their functions are.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod affine;
mod affine_rule;
mod any;
mod composite;
mod error;
mod explain;
mod expression;
mod formula;
mod graph;
mod kind;
mod layer;
mod layers;
pub mod module;
mod rule;
mod secant;
pub mod slope;
mod space;

pub use affine::Affine;
pub use affine_rule::{AffineRule, Bias, Outputs};
pub use any::AnyTensor;
pub use burn_lrp_derive::Relevance;
pub use composite::{Composite, Selector};
pub use error::{Error, MergeConflict, NoSecant, Result, Unmatched, Unsupported};
pub use explain::{Explained, Explainer};
pub use expression::Expression;
pub use formula::{CustomRule, Formula, RuleName};
pub use graph::{
    LayerReport, Node, Plan, PlannedLayer, Relevance, Relevances, Report, SecantExplanation,
    SecantPlan, Secants, Tape, infer, secant, verify,
};
pub use kind::{Family, Kind};
pub use layer::{Layer, Redistribution, Step};
pub use layers::{
    Add, Attention, Concat, Flatten, Masked, Masks, MeanOver, Multiply, Permute, Reshape,
    RootedLinear, Select, Shift, Silu, Softmax, SquaredDistance, Subtract, SumOver,
};
pub use rule::Rule;
pub use secant::SecantStep;

/// What `#[derive(Relevance)]` refers to, and what it refuses.
///
/// A unit struct:
///
/// ```compile_fail
/// #[derive(burn_lrp::Relevance)]
/// struct Nothing;
/// ```
///
/// A union:
///
/// ```compile_fail
/// #[derive(burn_lrp::Relevance)]
/// union Either {
///     first: std::mem::ManuallyDrop<burn::nn::Relu>,
///     second: std::mem::ManuallyDrop<burn::nn::Tanh>,
/// }
/// ```
///
/// An unknown attribute, in place of `skip`:
///
/// ```
/// #[derive(burn_lrp::Relevance)]
/// struct Net(burn::nn::Relu, #[relevance(skip)] std::time::Duration);
/// ```
///
/// ```compile_fail
/// #[derive(burn_lrp::Relevance)]
/// struct Net(burn::nn::Relu, #[relevance(skipped)] std::time::Duration);
/// ```
///
/// A field that is not a layer:
///
/// ```compile_fail,E0277
/// #[derive(burn_lrp::Relevance)]
/// struct Net(burn::nn::Relu, std::time::Duration);
/// ```
#[doc(hidden)]
pub mod derive {
    pub use burn::tensor::backend::Backend;
}

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
