//! Multi-head attention: projections around scaled dot products.

use burn::nn::attention::MultiHeadAttention;
use burn::tensor::backend::Backend;

use crate::error::Result;
use crate::graph::{Node, Relevance};
use crate::layers::attention::dot_product::Attention;
use crate::layers::attention::masks::{Masked, Masks};

/// Self-attention: projections by the rules of `Linear`, and [`Attention`]
/// between them.
impl<B: Backend> Relevance<B> for MultiHeadAttention<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        self.trace_masked(input, &Masks::none())
    }
}

impl<B: Backend> Masked<B> for MultiHeadAttention<B> {
    fn trace_masked<'m>(&'m self, input: Node<'m, B>, masks: &Masks<B>) -> Result<Node<'m, B>> {
        attend(self, &input, &input, &input, masks)
    }
}

impl<'m, B: Backend> Node<'m, B> {
    /// Multi-head attention with this value as the query; with other nodes as key and value, it is
    /// cross-attention.
    ///
    /// # Shapes
    ///
    /// - self: `[samples, queries, d]`
    /// - key, value: `[samples, keys, d]`
    /// - output: `[samples, queries, d]`
    ///
    /// # Errors
    ///
    /// If shapes or masks do not fit, or the nodes belong to different tapes.
    pub fn attend(
        &self,
        name: &str,
        attention: &'m MultiHeadAttention<B>,
        key: &Self,
        value: &Self,
        masks: &Masks<B>,
    ) -> Result<Self> {
        self.scoped(name, |query| attend(attention, &query, key, value, masks))
    }
}

/// Dropout is left out: a pass is inference.
fn attend<'m, B: Backend>(
    layer: &'m MultiHeadAttention<B>,
    query: &Node<'m, B>,
    key: &Node<'m, B>,
    value: &Node<'m, B>,
    masks: &Masks<B>,
) -> Result<Node<'m, B>> {
    let attention = Attention::new(layer.n_heads)
        .with_min_float(layer.min_float)
        .with_quiet_softmax(layer.quiet_softmax)
        .with_masks(masks.clone());
    let query = query.then("query", &layer.query)?;
    let key = key.then("key", &layer.key)?;
    let value = value.then("value", &layer.value)?;
    query.apply("attention", attention, &[&key, &value])?.then("output", &layer.output)
}
