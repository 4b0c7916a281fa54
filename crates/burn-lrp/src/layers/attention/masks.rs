//! Masks of attention, and modules that run under them.

use std::fmt;

use burn::tensor::{Bool, Int, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::graph::{Node, Relevance};

/// The keys that attention ignores; a mask is true there, as in Burn.
///
/// ```
/// use burn::backend::Flex;
/// use burn::nn::attention::{MultiHeadAttentionConfig, generate_autoregressive_mask};
/// use burn::tensor::{Distribution, Tensor};
/// use burn_lrp::{Composite, Masks, Tape};
///
/// let device = Default::default();
/// let attention = MultiHeadAttentionConfig::new(4, 2).init::<Flex>(&device);
/// let x = Tensor::<Flex, 3>::random([1, 3, 4], Distribution::Default, &device);
/// let causal = Masks::none().with_attention(generate_autoregressive_mask(1, 3, &device));
///
/// let tape = Tape::new();
/// let input = tape.input("x", x);
/// let output = input.then_masked("attention", &attention, &causal)?;
/// let plan = output.plan(&Composite::default())?;
/// assert_eq!(plan.run(output.value().clone())?.of(&input)?.dims(), [1, 3, 4]);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
#[derive(Clone)]
pub struct Masks<B: Backend> {
    padding: Option<Tensor<B, 2, Bool>>,
    attention: Option<Tensor<B, 3, Bool>>,
}

impl<B: Backend> Masks<B> {
    /// No masks: every query attends to every key.
    pub fn none() -> Self {
        Self { padding: None, attention: None }
    }

    /// Masks keys for all queries.
    ///
    /// # Shapes
    ///
    /// - mask: `[samples, keys]`, or `[1, keys]` for all samples
    pub fn with_padding(mut self, mask: Tensor<B, 2, Bool>) -> Self {
        self.padding = Some(mask);
        self
    }

    /// Masks keys for some of the queries.
    ///
    /// # Shapes
    ///
    /// - mask: `[samples, queries, keys]`, or `[1, queries, keys]` for all samples
    pub fn with_attention(mut self, mask: Tensor<B, 3, Bool>) -> Self {
        self.attention = Some(mask);
        self
    }

    /// Scores with a value in place of masked ones.
    ///
    /// # Shapes
    ///
    /// - scores: `[samples, heads, queries, keys]`
    pub(super) fn fill(&self, scores: Tensor<B, 4>, value: f64) -> Tensor<B, 4> {
        let scores = match &self.padding {
            Some(mask) => {
                let [samples, keys] = mask.dims();
                scores.mask_fill(mask.clone().reshape([samples, 1, 1, keys]), value)
            }
            None => scores,
        };
        match &self.attention {
            Some(mask) => {
                let [samples, queries, keys] = mask.dims();
                scores.mask_fill(mask.clone().reshape([samples, 1, queries, keys]), value)
            }
            None => scores,
        }
    }

    /// The masks of some of the samples.
    pub(super) fn select(&self, samples: Option<&Tensor<B, 1, Int>>) -> Self {
        let Some(samples) = samples else { return self.clone() };
        // A mask of all samples stays.
        let padding = self.padding.clone().map(|mask| match mask.dims()[0] {
            1 => mask,
            _ => mask.select(0, samples.clone()),
        });
        let attention = self.attention.clone().map(|mask| match mask.dims()[0] {
            1 => mask,
            _ => mask.select(0, samples.clone()),
        });
        Self { padding, attention }
    }

    /// Whether there are no masks.
    pub(super) fn are_none(&self) -> bool {
        self.padding.is_none() && self.attention.is_none()
    }

    /// Refuses masks of another shape.
    pub(super) fn check(&self, samples: usize, queries: usize, keys: usize) -> Result<()> {
        let fits = |found: &[usize], rest: &[usize], at: &str| {
            if [1, samples].contains(&found[0]) && found[1..] == *rest {
                return Ok(());
            }
            let expected = format!("{:?}, or 1 in place of samples", [&[samples], rest].concat());
            Err(Error::shape(at, expected, found))
        };
        if let Some(mask) = &self.padding {
            fits(&mask.dims(), &[keys], "padding mask")?;
        }
        if let Some(mask) = &self.attention {
            fits(&mask.dims(), &[queries, keys], "attention mask")?;
        }
        Ok(())
    }
}

impl<B: Backend> Default for Masks<B> {
    fn default() -> Self {
        Self::none()
    }
}

impl<B: Backend> fmt::Debug for Masks<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masks")
            .field("padding", &self.padding.as_ref().map(Tensor::dims))
            .field("attention", &self.attention.as_ref().map(Tensor::dims))
            .finish()
    }
}

/// A module with attention that can run under masks. As
/// [`Relevance`], it runs without masks.
pub trait Masked<B: Backend>: Relevance<B> {
    /// Runs the module on a value under masks, recording its layers.
    ///
    /// # Errors
    ///
    /// If the module cannot take the value, or the masks do not fit.
    fn trace_masked<'m>(&'m self, input: Node<'m, B>, masks: &Masks<B>) -> Result<Node<'m, B>>;
}

impl<'m, B: Backend> Node<'m, B> {
    /// As [`then`](Self::then), under masks.
    ///
    /// # Errors
    ///
    /// If the module cannot take the value, or the masks do not fit.
    pub fn then_masked<M: Masked<B> + ?Sized>(
        &self,
        name: &str,
        module: &'m M,
        masks: &Masks<B>,
    ) -> Result<Self> {
        self.scoped(name, |node| module.trace_masked(node, masks))
    }
}
