//! Transformer encoders.

use burn::nn::transformer::{PositionWiseFeedForward, TransformerEncoder, TransformerEncoderLayer};
use burn::tensor::backend::Backend;

use crate::error::Result;
use crate::graph::{Node, Relevance};
use crate::layers::attention::masks::{Masked, Masks};

/// Dropout is left out: a pass is inference.
impl<B: Backend> Relevance<B> for PositionWiseFeedForward<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        input
            .then("linear_inner", &self.linear_inner)?
            .then("activation", &self.activation)?
            .then("linear_outer", &self.linear_outer)
    }
}

impl<B: Backend> Relevance<B> for TransformerEncoderLayer<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        self.trace_masked(input, &Masks::none())
    }
}

/// Attention and feed-forward, each with a skip connection and a normalisation before
/// or after it.
impl<B: Backend> Masked<B> for TransformerEncoderLayer<B> {
    fn trace_masked<'m>(&'m self, input: Node<'m, B>, masks: &Masks<B>) -> Result<Node<'m, B>> {
        // The names are Burn's: the second norm is the one of attention.
        if self.norm_first {
            let inner = input.then("norm_2", &self.norm_2)?;
            let x = input.add(&inner.then_masked("mha", &self.mha, masks)?)?;
            let inner = x.then("norm_1", &self.norm_1)?;
            return x.add(&inner.then("pwff", &self.pwff)?);
        }
        let x = input.add(&input.then_masked("mha", &self.mha, masks)?)?;
        let x = x.then("norm_1", &self.norm_1)?;
        x.add(&x.then("pwff", &self.pwff)?)?.then("norm_2", &self.norm_2)
    }
}

impl<B: Backend> Relevance<B> for TransformerEncoder<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        self.trace_masked(input, &Masks::none())
    }
}

/// The same masks for every layer.
impl<B: Backend> Masked<B> for TransformerEncoder<B> {
    fn trace_masked<'m>(&'m self, input: Node<'m, B>, masks: &Masks<B>) -> Result<Node<'m, B>> {
        input.scoped("layers", |input| {
            self.layers.iter().enumerate().try_fold(input, |node, (index, layer)| {
                node.then_masked(&index.to_string(), layer, masks)
            })
        })
    }
}
