use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layer::{Family, Handed, Kind, Layer, Step, only};
use crate::leaf;
use crate::rule::{Rule, RuleName};

/// The dimensions from `start` on as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flatten {
    /// The first of the dimensions that become one.
    pub start: usize,
}

/// The same numbers in another shape, sample by sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reshape {
    /// The dimensions of a sample; the first dimension, of samples, stays.
    pub sample: Vec<usize>,
}

/// The dimensions in another order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permute {
    /// Where every dimension of the output comes from.
    pub axes: Vec<usize>,
}

impl Default for Flatten {
    fn default() -> Self {
        Self { start: 1 }
    }
}

fn reshaped<B: Backend>(step: &Step<'_, B>) -> Result<Handed<B>> {
    Ok(Handed::whole(step.relevance.reshape(&step.input()?.dims())?))
}

impl<B: Backend> Layer<B> for Flatten {
    fn kind(&self) -> Kind {
        Kind::new("Flatten", Family::Shape)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let dims = x.dims();
        if self.start == 0 || self.start >= dims.len() {
            let expected = format!("more than {} dimensions, and start at least 1", self.start);
            return Err(Error::shape("Flatten", expected, &dims));
        }
        let (kept, flat) = dims.split_at(self.start);
        x.reshape(&[kept, &[flat.iter().product()]].concat())
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Handed<B>> {
        reshaped(step)
    }
}

impl<B: Backend> Layer<B> for Reshape {
    fn kind(&self) -> Kind {
        Kind::new("Reshape", Family::Shape)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let dims = x.dims();
        let sample: usize = self.sample.iter().product();
        if dims.is_empty() || dims[1..].iter().product::<usize>() != sample {
            return Err(Error::shape("Reshape", format!("{sample} numbers a sample"), &dims));
        }
        x.reshape(&[&dims[..1], &self.sample].concat())
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Handed<B>> {
        reshaped(step)
    }
}

impl<B: Backend> Layer<B> for Permute {
    fn kind(&self) -> Kind {
        Kind::new("Permute", Family::Shape)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let mut sorted = self.axes.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..x.rank()) || self.axes.first() != Some(&0) {
            let expected = format!("dimensions that {:?} orders, samples first", self.axes);
            return Err(Error::shape("Permute", expected, &x.dims()));
        }
        Ok(x.permuted(&self.axes))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Handed<B>> {
        let mut back = vec![0; self.axes.len()];
        for (to, from) in self.axes.iter().enumerate() {
            back[*from] = to;
        }
        Ok(Handed::whole(step.relevance.permuted(&back)))
    }
}

leaf!(Flatten, Reshape, Permute);
