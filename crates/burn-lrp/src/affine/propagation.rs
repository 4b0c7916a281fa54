//! Relevance through an affine layer, by any rule that is written as terms.

use burn::tensor::{Tensor, backend::Backend};

use crate::affine::map::{Affine, biased};
use crate::affine::quotient::quotient;
use crate::affine_rule::{Bias, Outputs, Term};
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::expression::Expression;
use crate::formula::Formula;
use crate::layer::{Redistribution, Step};
use crate::rule::Rule;

/// Distributes relevance through an affine layer by any of [`AFFINE_RULES`](super::AFFINE_RULES).
///
/// # Errors
///
/// If shapes do not fit, the rule is not one of affine layers, inputs lie outside of the bounds of
/// z^B, or a rule of a user makes relevance that is NaN or infinite.
pub fn relevance<B: Backend>(
    layer: &dyn Affine<B>,
    step: &Step<'_, B>,
    rule: &Rule,
) -> Result<Redistribution<B>> {
    let Some(formula) = rule.affine() else {
        let detail = "it is not a rule of affine layers";
        return Err(Error::Rule { rule: rule.to_string(), detail: detail.into() });
    };
    let x = step.input()?;
    if let Formula::Box { low, high } = *rule.formula() {
        check_bounds(rule, x, low, high)?;
    }
    let terms = selected(&formula.terms, step)?;
    let propagation =
        Propagation { layer, step, weight: layer.weight(), stabiliser: formula.stabiliser };
    let mut whole: Option<Redistribution<B>> = None;
    for (term, relevance) in terms {
        let part = propagation.term(&term, &relevance)?;
        whole = Some(match whole {
            Some(sum) => added(sum, part)?,
            None => part,
        });
    }
    let whole = whole.unwrap_or_else(|| Redistribution::single(x.filled(0.0)));
    if matches!(rule.formula(), Formula::Custom(_))
        && !whole.inputs.iter().all(AnyTensor::is_finite)
    {
        let detail = "its functions make relevance that is NaN or infinite";
        return Err(Error::Rule { rule: rule.to_string(), detail: detail.into() });
    }
    Ok(whole)
}

/// Refuses inputs outside of the bounds of z^B, except for rounding.
fn check_bounds<B: Backend>(rule: &Rule, x: &AnyTensor<B>, low: f64, high: f64) -> Result<()> {
    if x.is_empty() {
        return Ok(());
    }
    let found = Tensor::cat(vec![x.flat().min(), x.flat().max()], 0);
    let found: Vec<f64> = found.into_data().iter::<f64>().collect();
    let slack = 1e-5 * (high - low);
    match found.as_slice() {
        [min, max] if *min < low - slack || *max > high + slack => {
            let detail = format!("its inputs lie between {min} and {max}, outside the bounds");
            Err(Error::Rule { rule: rule.to_string(), detail })
        }
        _ => Ok(()),
    }
}

/// The terms that have relevance to distribute, with the relevance of their outputs. Products that
/// are 0 because no input is negative are left out, and so are terms after the first whose outputs
/// have no relevance.
fn selected<B: Backend>(terms: &[Term], step: &Step<'_, B>) -> Result<Vec<(Term, AnyTensor<B>)>> {
    let (positive, negative) =
        (Expression::new(Expression::positive), Expression::new(Expression::negative));
    let mut products = terms.iter().flat_map(|term| &term.products);
    let x = step.input()?;
    let relevances = terms.iter().map(|term| masked(term.outputs, step));
    let mut terms: Vec<_> = terms.iter().cloned().zip(relevances).collect();
    if !products.any(|(input, _)| [&positive, &negative].contains(&input)) {
        return Ok(terms);
    }

    let limited = terms.iter().skip(1).filter(|(term, _)| term.outputs != Outputs::All);
    let limited: Vec<&AnyTensor<B>> = limited.map(|(_, relevance)| relevance).collect();
    let (signed, mut relevant) = signs(x, &limited);
    if !signed {
        for (term, _) in &mut terms {
            term.products.retain(|(input, _)| *input != negative);
            for (input, _) in term.products.iter_mut().filter(|(input, _)| *input == positive) {
                *input = Expression::identity();
            }
        }
    }
    let mut first = true;
    terms.retain(|(term, _)| {
        let kept = first || term.outputs == Outputs::All || relevant.next().unwrap_or(true);
        first = false;
        kept
    });
    Ok(terms)
}

/// The relevance of some of the outputs.
fn masked<B: Backend>(outputs: Outputs, step: &Step<'_, B>) -> AnyTensor<B> {
    let output = || step.output.flat();
    match outputs {
        Outputs::All => step.relevance.clone(),
        Outputs::Positive => {
            step.relevance.map(|r| r.mask_fill(output().lower_equal_elem(0.0), 0.0))
        }
        Outputs::Negative => {
            step.relevance.map(|r| r.mask_fill(output().greater_equal_elem(0.0), 0.0))
        }
    }
}

/// Whether an input is negative, and which of some tensors have relevance. All are read
/// back from the device at once.
fn signs<B: Backend>(
    x: &AnyTensor<B>,
    relevances: &[&AnyTensor<B>],
) -> (bool, std::vec::IntoIter<bool>) {
    if x.is_empty() || relevances.iter().any(|relevance| relevance.is_empty()) {
        return (true, vec![true; relevances.len()].into_iter());
    }
    let mut extremes = vec![x.flat().min()];
    extremes.extend(relevances.iter().map(|relevance| relevance.flat().abs().max()));
    let extremes: Vec<f64> = Tensor::cat(extremes, 0).into_data().iter::<f64>().collect();
    // NaN counts as both, so that nothing is left out for it.
    let signed = !extremes.first().is_some_and(|min| *min >= 0.0);
    let relevant: Vec<bool> = extremes.iter().skip(1).map(|max| *max != 0.0).collect();
    (signed, relevant.into_iter())
}

/// The sum of what two terms distribute.
fn added<B: Backend>(a: Redistribution<B>, b: Redistribution<B>) -> Result<Redistribution<B>> {
    let pairs = a.inputs.iter().zip(&b.inputs);
    let inputs = pairs.map(|(a, b)| a.plus(b)).collect::<Result<_>>()?;
    let bias = match (a.bias, b.bias) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    Ok(Redistribution::new(inputs).with_bias(bias))
}

/// One rule at one layer.
struct Propagation<'a, B: Backend> {
    layer: &'a dyn Affine<B>,
    step: &'a Step<'a, B>,
    weight: AnyTensor<B>,
    stabiliser: f64,
}

impl<B: Backend> Propagation<'_, B> {
    /// Distributes relevance by one term.
    fn term(&self, term: &Term, relevance: &AnyTensor<B>) -> Result<Redistribution<B>> {
        let x = self.step.input()?;
        let dims = x.dims();
        let products: Vec<(AnyTensor<B>, AnyTensor<B>)> = term
            .products
            .iter()
            .map(|(input, weight)| (mapped(input, x), mapped(weight, &self.weight)))
            .collect();
        let bias = match &term.bias {
            Bias::Ignore => None,
            Bias::Keep => self.layer.bias(),
            Bias::Map(function) => self.layer.bias().map(|bias| function.of(&bias)),
        };
        let z = if term.is_layer() {
            self.step.output.clone()
        } else {
            let sums = products.iter().map(|(x, weight)| self.layer.apply(x, weight));
            let sum = sum(sums)?.unwrap_or_else(|| relevance.filled(0.0));
            biased(self.layer, sum, bias.clone())
        };
        let s = relevance.zip(&z, |r, z| quotient(r, z, self.stabiliser))?;
        let parts =
            products.iter().map(|(x, weight)| x.times(&self.layer.adjoint(&s, weight, &dims)?));
        let relevance = sum(parts)?.unwrap_or_else(|| x.filled(0.0));
        let absorbed = self.absorbed(&s, bias.as_ref());
        if term.factor == 1.0 {
            return Ok(Redistribution::single(relevance).with_bias(absorbed));
        }
        let absorbed = absorbed.map(|bias| bias * term.factor);
        Ok(Redistribution::single(relevance.map(|r| r * term.factor)).with_bias(absorbed))
    }

    /// `Σ_k b_k s_k` of every sample.
    fn absorbed(&self, s: &AnyTensor<B>, bias: Option<&Tensor<B, 1>>) -> Option<Tensor<B, 1>> {
        let bias = bias.filter(|_| self.step.report)?;
        let dim = self.layer.channel_dim(s);
        Some(s.scaled_along(bias, dim).row_sums())
    }
}

/// A function of every element.
fn mapped<B: Backend>(function: &Expression, x: &AnyTensor<B>) -> AnyTensor<B> {
    if *function == Expression::identity() { x.clone() } else { x.map(|x| function.of(&x)) }
}

/// The sum of some tensors; `None` if there are none.
fn sum<B: Backend>(
    parts: impl Iterator<Item = Result<AnyTensor<B>>>,
) -> Result<Option<AnyTensor<B>>> {
    let mut sum: Option<AnyTensor<B>> = None;
    for part in parts {
        let part = part?;
        sum = Some(match sum {
            Some(sum) => sum.plus(&part)?,
            None => part,
        });
    }
    Ok(sum)
}
