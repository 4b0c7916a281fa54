//! Layers that only change the shape.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::{AnyTensor, around};
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::leaf;
use crate::rule::Rule;
use crate::secant::SecantStep;

/// Merges the dimensions from `start` on into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flatten {
    /// The first of the merged dimensions.
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
    /// The dimension of the input that every dimension of the output is.
    pub axes: Vec<usize>,
}

/// One place of a dimension, which is removed: the last step of a sequence, or the first
/// token of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Select {
    /// The dimension; not 0, the one of samples.
    pub dim: usize,
    /// The place in it; −1 is the last.
    pub place: isize,
}

impl Select {
    fn index(&self, dims: &[usize]) -> Result<usize> {
        let size = dims.get(self.dim).copied().unwrap_or(0);
        let place = match self.place {
            place if place < 0 => size.checked_sub(place.unsigned_abs()),
            place => Some(place.unsigned_abs()),
        };
        match place.filter(|place| self.dim > 0 && *place < size) {
            Some(place) => Ok(place),
            None => {
                let expected = format!(
                    "a dimension {} other than the one of samples, with a place {}",
                    self.dim, self.place
                );
                Err(Error::shape("Select", expected, dims))
            }
        }
    }
}

impl Select {
    /// Numbers at the chosen place, and zeros elsewhere.
    fn put_back<B: Backend>(&self, x: &AnyTensor<B>, dims: &[usize]) -> Result<AnyTensor<B>> {
        let place = self.index(dims)?;
        let [before, _, after] = around(dims, self.dim);
        let zeros = |size| Tensor::<B, 3>::zeros([before, size, after], (&x.device(), x.dtype()));
        let mut parts = vec![x.view([before, 1, after])];
        if place > 0 {
            parts.insert(0, zeros(place));
        }
        if place + 1 < dims[self.dim] {
            parts.push(zeros(dims[self.dim] - place - 1));
        }
        Ok(AnyTensor::from(Tensor::cat(parts, 1)).shaped(dims))
    }
}

impl<B: Backend> Layer<B> for Select {
    fn kind(&self) -> Kind {
        Kind::new("Select", Family::Shape)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let mut dims = x.dims();
        let place = self.index(&dims)?;
        let [before, _, after] = around(&dims, self.dim);
        let chosen = x.view([before, dims[self.dim], after]).narrow(1, place, 1);
        dims.remove(self.dim);
        Ok(AnyTensor::from(chosen).shaped(&dims))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        Ok(Redistribution::single(self.put_back(step.relevance, &step.input()?.dims())?))
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        Ok(vec![self.put_back(step.multiplier(), &step.dims(0)?)?])
    }
}

impl Default for Flatten {
    fn default() -> Self {
        Self { start: 1 }
    }
}

fn reshaped<B: Backend>(step: &Step<'_, B>) -> Result<Redistribution<B>> {
    Ok(Redistribution::single(step.relevance.reshape(&step.input()?.dims())?))
}

impl<B: Backend> Layer<B> for Flatten {
    fn kind(&self) -> Kind {
        Kind::new("Flatten", Family::Shape)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let dims = x.dims();
        if self.start == 0 || self.start >= dims.len() {
            let expected =
                format!("more than {} dimensions, and a start of at least 1", self.start);
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

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        reshaped(step)
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        Ok(vec![step.multiplier().reshape(&step.dims(0)?)?])
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
            return Err(Error::shape("Reshape", format!("{sample} numbers per sample"), &dims));
        }
        x.reshape(&[&dims[..1], &self.sample].concat())
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        reshaped(step)
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        Ok(vec![step.multiplier().reshape(&step.dims(0)?)?])
    }
}

impl Permute {
    /// The order that undoes this one.
    fn back(&self) -> Vec<usize> {
        let mut back = vec![0; self.axes.len()];
        for (to, from) in self.axes.iter().enumerate() {
            back[*from] = to;
        }
        back
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
            let expected =
                format!("as many dimensions as in the order {:?}, with samples first", self.axes);
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

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        Ok(Redistribution::single(step.relevance.permuted(&self.back())))
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        Ok(vec![step.multiplier().permuted(&self.back())])
    }
}

leaf!(Flatten, Reshape, Permute, Select);
