//! Layer-wise relevance propagation for Burn modules.

pub mod affine;
mod any;
mod composite;
mod error;
mod graph;
mod layer;
pub mod module;
mod rule;

pub use affine::Affine;
pub use any::AnyTensor;
pub use burn_lrp_derive::Relevance;
pub use composite::{Composite, Selector};
pub use error::{Error, Result, Unmatched, Unsupported};
pub use graph::{LayerReport, Node, Plan, Planned, Relevance, Relevances, Report, Tape};
pub use layer::{Add, Concat, Family, Flatten, Handed, Kind, Layer, Permute, Reshape, Step};
pub use rule::{Formula, Rule, RuleName};

/// What `#[derive(Relevance)]` needs to name.
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
