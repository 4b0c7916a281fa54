//! Layer-wise relevance propagation for Burn modules.

pub mod affine;
mod any;
mod composite;
mod error;
mod graph;
mod layer;
mod rule;

pub use affine::Affine;
pub use any::AnyTensor;
pub use composite::{Composite, Selector};
pub use error::{Error, Result, Unsupported};
pub use graph::{LayerReport, Node, Plan, Planned, Relevance, Relevances, Report, Tape};
pub use layer::{Add, Concat, Family, Flatten, Handed, Kind, Layer, Permute, Reshape, Step};
pub use layer::{Attention, Masked, Masks};
pub use layer::{
    MeanOver, Multiply, RootedLinear, Silu, Softmax, SquaredDistance, Subtract, SumOver,
};
pub use rule::{Formula, Rule, RuleName};

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
