//! Layer-wise relevance propagation (LRP) for Burn modules.
//!
//! A network's output is a sum of what its layers contributed. LRP hands an output, as
//! *relevance*, from layer to layer down to the inputs, each layer splitting what it gets in
//! proportion to what it was given: what an input ends up with says how much of the output is
//! owed to it. How a layer splits is a [`Rule`]; which layer follows which is a
//! [`Composite`]. Sources: Bach et al. 2015; Montavon et al. 2019 for which rule suits which
//! layer.
//!
//! # A network, and what its output is owed to
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
//! // Run it once, and say which layer follows which rule.
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
//! // What is the first score of every image owed to?
//! let first = scores.tensor::<2>()?.slice([0..5, 0..1]);
//! let others = Tensor::zeros([5, 2], &device);
//! let relevances = plan.run_with_report(Tensor::cat(vec![first, others], 1))?;
//! let heat: Tensor<Flex, 4> = relevances.of(&input)?.tensor()?;
//! assert_eq!(heat.dims(), [5, 1, 8, 8]);
//!
//! // How much every layer's bias and stabiliser kept, as a table.
//! let report = relevances.report().expect("it was asked for");
//! assert_eq!(report.layers().len(), 7);
//! println!("{report}");
//! # Ok::<(), burn_lrp::Error>(())
//! ```
//!
//! # What is where
//!
//! | | |
//! |---|---|
//! | [`Relevance`] | a module that relevance can be handed through: derived, or how it runs in a line or two |
//! | [`Tape`], [`Node`] | the network as it was run, with skips and layers that are used twice |
//! | [`Rule`] | how a layer splits relevance, with its numbers checked |
//! | [`Composite`], [`Selector`] | which layer follows which rule, as values or as text; recommended ones |
//! | [`Plan`] | what every layer follows; prints itself, and is refused as a whole where it does not fit |
//! | [`Relevances`], [`Report`] | relevance of the inputs, and what every layer absorbed |
//! | [`Layer`], [`leaf!`] | a layer of one's own |
//! | [`affine`] | all rules for a layer that is `W a + b`, from a product and its transpose |
//! | [`module`] | Burn modules in a row and around a skip connection |
//! | [`AnyTensor`] | a tensor whose rank is known at run time |
//! | [`infer`] | the output alone |
//!
//! # A layer of one's own
//!
//! - One that is built of other layers writes [`Relevance`]: it names them in the order in which
//!   they run.
//! - One that is linear but for a bias implements [`Affine`] (the weights, a product and its
//!   transpose) and calls [`affine::forward`] and [`affine::relevance`] from its [`Layer`]: it
//!   has all rules then.
//! - Any other implements [`Layer`]: its output, the rules it can follow, and how it hands
//!   relevance on. A rule that it does not list is refused before anything is computed.
//!
//! # Limits
//!
//! - A pass is inference: dropout is the identity and normalisation goes by running
//!   statistics, on `Autodiff` backends too.
//! - Burn records no network by itself, so only what is run through a [`Tape`] is seen: functions
//!   between layers must be named, with methods of [`Node`] or in the derive.
//! - A network is a graph without cycles, and keeps all its activations until the tape is
//!   dropped.
//! - LRP conserves relevance but for what biases and stabilisers absorb; the [`Report`] tells
//!   how much. w² and flat do not look at the values of a layer's input at all.
//! - GPU backends in double precision are only as exact as their functions are.

pub mod affine;
mod any;
mod composite;
mod error;
mod explain;
mod graph;
mod layer;
pub mod module;
mod rule;
mod space;

pub use affine::Affine;
pub use any::AnyTensor;
pub use burn_lrp_derive::Relevance;
pub use composite::{Composite, Selector};
pub use error::{Error, Result, Unmatched, Unsupported};
pub use explain::{Explained, Explainer};
pub use graph::{LayerReport, Node, Plan, Planned, Relevance, Relevances, Report, Tape};
pub use layer::{
    Add, Concat, Family, Flatten, Handed, Kind, Layer, Permute, Reshape, Select, Step,
};
pub use layer::{Attention, Masked, Masks};
pub use layer::{
    MeanOver, Multiply, RootedLinear, Silu, Softmax, SquaredDistance, Subtract, SumOver,
};
pub use rule::{Formula, Rule, RuleName};

/// What `#[derive(Relevance)]` needs to name; and what it refuses.
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
/// An attribute that there is not, where `skip` would do:
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
/// A field that is no layer:
///
/// ```compile_fail,E0277
/// #[derive(burn_lrp::Relevance)]
/// struct Net(burn::nn::Relu, std::time::Duration);
/// ```
#[doc(hidden)]
pub mod derive {
    pub use burn::tensor::backend::Backend;
}

use burn::tensor::backend::Backend;

/// The output of a network in inference mode, whatever the backend is: no
/// dropout, and normalisation by running statistics.
///
/// # Errors
///
/// If the network cannot take the input.
pub fn infer<B: Backend>(
    network: &(impl Relevance<B> + ?Sized),
    x: impl Into<AnyTensor<B>>,
) -> Result<AnyTensor<B>> {
    let tape = Tape::forgetful();
    let output = network.trace(tape.input("input", x))?;
    Ok(output.value().clone())
}
