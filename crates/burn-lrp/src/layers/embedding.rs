//! Embeddings of tokens, and positional encoding.

use burn::nn::{Embedding, PositionalEncoding};
use burn::tensor::module::embedding;
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::quotient;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::{Formula, RuleName};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::leaf;
use crate::rule::Rule;
use crate::secant::SecantStep;

/// Turns token ids into vectors. The ids are floats, as from
/// [`Tape::tokens`](crate::Tape::tokens); a token gets the sum of the relevance of its vector.
///
/// # Shapes
///
/// - input: `[samples, tokens]`, output: `[samples, tokens, width]`
impl<B: Backend> Layer<B> for Embedding<B> {
    fn kind(&self) -> Kind {
        Kind::new("Embedding", Family::Embedding)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let dims = x.dims();
        let &[_, tokens] = dims.as_slice() else {
            return Err(Error::shape("Embedding", "[samples, tokens]", &dims));
        };
        let weight = self.weight.val();
        let [known, width] = weight.dims();
        if x.is_empty() {
            let dtype = (&x.device(), weight.dtype());
            return Ok(Tensor::<B, 3>::zeros([dims[0], tokens, width], dtype).into());
        }
        let ids = x.flat().into_data();
        let wrong = |id: &f64| id.fract() != 0.0 || *id < 0.0 || *id >= known as f64 || id.is_nan();
        if let Some((at, id)) = ids.iter::<f64>().enumerate().find(|(_, id)| wrong(id)) {
            let (sample, token) = (at / tokens, at % tokens);
            let detail = format!(
                "token {token} of sample {sample} is {id}; ids are whole numbers below {known}"
            );
            return Err(Error::layer("Embedding", detail));
        }
        Ok(embedding(weight, x.tensor::<2>()?.int()).into())
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        let ids = step.input()?;
        // Ids may have another precision than the weights.
        let sums = AnyTensor::from(step.relevance.tensor::<3>()?.sum_dim(2)).in_dtype(ids.dtype());
        Ok(Redistribution::single(sums.reshape(&ids.dims())?))
    }

    fn has_discrete_input(&self) -> bool {
        true
    }
}

leaf!(Embedding<B>);

/// The input plus a constant for every position.
///
/// - `pass`, the default: all to the input
/// - `zero`, `epsilon`: in proportion to the input and the constant; the share of the constant is
///   absorbed as by a bias
impl<B: Backend> Layer<B> for PositionalEncoding<B> {
    fn kind(&self) -> Kind {
        Kind::new("PositionalEncoding", Family::Embedding)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        Ok((x.tensor::<3>()? + constant(self, x)?).into())
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass, RuleName::Zero, RuleName::Epsilon]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let epsilon = match *rule.formula() {
            Formula::Zero => 0.0,
            Formula::Epsilon(epsilon) => epsilon,
            _ => return Ok(Redistribution::single(step.relevance.clone())),
        };
        let x = step.input()?;
        let s = step.relevance.zip(step.output, |r, z| quotient(r, z, epsilon))?;
        let bias = if step.report {
            Some(AnyTensor::from(s.tensor::<3>()? * constant(self, x)?).row_sums())
        } else {
            None
        };
        Ok(Redistribution { inputs: vec![x.times(&s)?], bias })
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        Ok(vec![step.multiplier().clone()])
    }
}

leaf!(PositionalEncoding<B>);

/// The constants of the positions of the input, `[1, tokens, width]`.
fn constant<B: Backend>(layer: &PositionalEncoding<B>, x: &AnyTensor<B>) -> Result<Tensor<B, 3>> {
    let [_, most, width] = layer.sinusoids.dims();
    let dims = x.dims();
    match dims.as_slice() {
        [_, tokens, last] if *tokens <= most && *last == width => {
            let positions = layer.sinusoids.clone().narrow(1, 0, *tokens).narrow(0, 0, 1);
            Ok(positions.cast(x.dtype()))
        }
        _ => {
            let expected = format!("[samples, at most {most} tokens, {width}]");
            Err(Error::shape("PositionalEncoding", expected, &dims))
        }
    }
}
