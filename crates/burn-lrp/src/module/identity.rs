//! A module that does nothing.

use burn::module::Module;
use burn::tensor::backend::Backend;

use crate::error::Result;
use crate::graph::{Node, Relevance};

/// Returns its input unchanged; it is not a layer.
#[derive(Module, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity;

impl<B: Backend> Relevance<B> for Identity {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        Ok(input)
    }
}
