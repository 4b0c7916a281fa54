//! Rules of affine layers as data: what contributes to an output, and how it is weighted.

use crate::expression::Expression;

/// How an affine layer `z_k = Σ_j a_j w_jk + b_k` distributes relevance.
///
/// A rule is a sum of terms. A term with the factor φ, the functions f of an input and g of a
/// weight, and h of the bias (without a bias, h is left out) gives an input
///
/// `R_j = φ Σ_k f(a_j) g(w_jk) / (Σ_i f(a_i) g(w_ik) + h(b_k) ± ε) R_k`
///
/// where ε, the [`stabiliser`](Self::stabiliser), has the sign of what it is added to. The bias
/// absorbs its own share of a term, which a report shows. Without a stabiliser, an output whose
/// denominator is 0 passes nothing on. Relevance is conserved, except for what biases and stabilisers
/// absorb, if the factors of the terms sum to 1 for every output.
///
/// ```
/// use burn_lrp::{AffineRule, Bias, Rule};
///
/// // Contributions by their magnitude, whatever their sign.
/// let terms = AffineRule::new()
///     .term(1.0, |a| a.abs(), |w| w.abs(), Bias::Ignore)
///     .stabiliser(1e-9);
/// let rule = Rule::custom("by-magnitude", terms)?;
/// assert_eq!(rule.to_string(), "by-magnitude");
/// # Ok::<(), burn_lrp::Error>(())
/// ```
///
/// # Contributions that depend on more than one number
///
/// f sees an input, g a weight and h a bias, each on its own. What depends on the sign of the
/// contribution `a_j w_jk` is written as a sum of [products](Self::plus): its positive part is
/// `a_j⁺ w_jk⁺ + a_j⁻ w_jk⁻`. A term can be limited to outputs of one sign by
/// [`for_outputs`](Self::for_outputs). The built-in rules of affine layers are made in the same way:
///
/// ```
/// use burn_lrp::{AffineRule, Bias, Outputs, Rule};
///
/// let z_plus = AffineRule::new()
///     .term(1.0, |a| a.positive(), |w| w.positive(), Bias::map(|b| b.positive()))
///     .plus(|a| a.negative(), |w| w.negative());
/// assert_eq!(Rule::Z_PLUS.affine(), Some(z_plus));
///
/// let flat = AffineRule::new().term(1.0, |_| 1.0, |_| 1.0, Bias::Ignore);
/// assert_eq!(Rule::FLAT.affine(), Some(flat));
/// ```
///
/// # Limits
///
/// - Only layers that are [`Affine`](crate::Affine) can follow such a rule. A layer of your own that
///   is not affine names its rules with [`Rule::named`](crate::Rule::named).
/// - A contribution knows neither its layer's other inputs and weights nor its position. Rules that
///   select or rank inputs cannot be written in this way.
#[derive(Debug, Clone, PartialEq)]
pub struct AffineRule {
    pub(crate) terms: Vec<Term>,
    pub(crate) stabiliser: f64,
}

/// One fraction of an [`AffineRule`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) factor: f64,
    pub(crate) outputs: Outputs,
    /// Functions of inputs and of weights; their products are summed.
    pub(crate) products: Vec<(Expression, Expression)>,
    pub(crate) bias: Bias,
}

/// The bias in a denominator.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Bias {
    /// No bias: inputs share all of the relevance.
    Ignore,
    /// The bias as it is.
    Keep,
    /// A function of the bias.
    Map(Expression),
}

/// The outputs whose relevance a term distributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outputs {
    /// All outputs.
    All,
    /// Outputs above 0.
    Positive,
    /// Outputs below 0.
    Negative,
}

impl Bias {
    /// A function of the bias.
    pub fn map<E: Into<Expression>>(f: impl FnOnce(Expression) -> E) -> Self {
        Self::Map(Expression::new(f))
    }
}

impl AffineRule {
    /// A rule without terms.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { terms: Vec::new(), stabiliser: 0.0 }
    }

    /// The rule with one more term: its factor, and functions of an input, a weight and the bias.
    pub fn term<I: Into<Expression>, W: Into<Expression>>(
        mut self,
        factor: f64,
        input: impl FnOnce(Expression) -> I,
        weight: impl FnOnce(Expression) -> W,
        bias: Bias,
    ) -> Self {
        let products = vec![(Expression::new(input), Expression::new(weight))];
        self.terms.push(Term { factor, outputs: Outputs::All, products, bias });
        self
    }

    /// Adds a product of functions of an input and a weight to the contributions of the last term.
    pub fn plus<I: Into<Expression>, W: Into<Expression>>(
        mut self,
        input: impl FnOnce(Expression) -> I,
        weight: impl FnOnce(Expression) -> W,
    ) -> Self {
        if let Some(term) = self.terms.last_mut() {
            term.products.push((Expression::new(input), Expression::new(weight)));
        }
        self
    }

    /// Limits the last term to outputs of one sign.
    pub fn for_outputs(mut self, outputs: Outputs) -> Self {
        if let Some(term) = self.terms.last_mut() {
            term.outputs = outputs;
        }
        self
    }

    /// Adds ε, with the sign of the denominator, to every denominator; 0 unless set.
    pub fn stabiliser(mut self, epsilon: f64) -> Self {
        self.stabiliser = epsilon;
        self
    }

    /// What keeps the rule from being used, if anything does.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let bias = |bias: &Bias| match bias {
            Bias::Map(function) => function.is_finite(),
            Bias::Ignore | Bias::Keep => true,
        };
        let finite = |term: &Term| {
            let mut products = term.products.iter();
            term.factor.is_finite()
                && bias(&term.bias)
                && products.all(|(input, weight)| input.is_finite() && weight.is_finite())
        };
        if self.terms.is_empty() {
            Some("it has no term; add one with `AffineRule::term`")
        } else if !self.terms.iter().all(finite) {
            Some("its factors and constants must be finite")
        } else if !(self.stabiliser.is_finite() && self.stabiliser >= 0.0) {
            Some("its stabiliser must be finite and at least 0")
        } else {
            None
        }
    }
}

impl Term {
    /// Whether the denominators are the outputs themselves, which need not be computed again.
    pub(crate) fn is_layer(&self) -> bool {
        let identity = Expression::identity();
        self.bias == Bias::Keep && self.products == [(identity.clone(), identity)]
    }
}
