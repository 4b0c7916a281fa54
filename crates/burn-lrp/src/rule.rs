//! A propagation rule with its numbers, checked when it is made or read from a text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::affine_rule::AffineRule;
use crate::error::{Error, Result};
use crate::formula::{CustomRule, Formula, RuleName};

/// How a layer distributes the relevance of its output over its inputs.
///
/// The numbers of a rule are checked when it is made. With the inputs a_j of a layer,
/// `z_k = Σ_j a_j w_jk + b_k` and z_jk = a_j w_jk:
///
/// | text | rule | relevance of an input |
/// |---|---|---|
/// | `zero` | LRP-0 | `R_j = Σ_k z_jk / z_k R_k` |
/// | `epsilon=1e-6` | LRP-ε | with the denominator `z_k + ε sign(z_k)` |
/// | `gamma=0.25` | LRP-γ, generalised for inputs of either sign | `z_jk + γ z_jk^+` in numerator and denominator where z_k > 0, `z_jk + γ z_jk^−` where z_k < 0 |
/// | `z-plus` | z⁺ | positive contributions only |
/// | `alpha-beta=2,1` | αβ | α of the positive, −β of the negative contributions, each over their sum |
/// | `w-square` | w² | `w_jk²` in place of the contributions |
/// | `flat` | flat | 1 in place of the contributions |
/// | `box=0,1` | z^B | `a_j w_jk − l w_jk^+ − h w_jk^−` for inputs between l and h |
/// | `midpoint` | midpoint | `(a_j − m_jk) w_jk`, for layers that know the root points m |
/// | `pass` | pass | the relevance unchanged |
/// | `winner-take-all` | winner-take-all | all to the input that is the output |
/// | `take-most=1` | take-most | softmax or softmin shares with this stiffness, for pools over competitors |
/// | `proportional` | proportional | in proportion to what each input contributed |
/// | `signal-take-all` | signal-take-all | gates and attention weights are constants |
/// | `halves` | halves | half to each factor of a product |
///
/// An output whose denominator is 0 passes nothing on; LRP-ε takes sign(0) for 1.
/// LRP-γ passes nothing on from an output z_k of exactly 0.
///
/// A rule that is not in the table is made with [`Rule::custom`].
///
/// Sources: Bach et al. 2015 (LRP-0, ε, αβ); Montavon et al. 2017 (z⁺, w², z^B);
/// Lapuschkin et al. 2019 (flat); Montavon et al. 2019 (γ), Andéol et al. 2021 (its general form);
/// Kauffmann et al. 2024 (midpoint, take-most); Arras et al. 2017 (signal-take-all);
/// Ali et al. 2022 and Achtibat et al. 2024 (attention).
///
/// ```
/// use burn_lrp::Rule;
///
/// let rule: Rule = "gamma=0.25".parse()?;
/// assert_eq!(rule, Rule::gamma(0.25)?);
/// assert_eq!(rule.to_string(), "gamma=0.25");
/// assert!("gamma=-1".parse::<Rule>().is_err());
/// # Ok::<(), burn_lrp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule(Formula);

impl Rule {
    /// LRP-0.
    pub const ZERO: Self = Self(Formula::Zero);
    /// z⁺.
    pub const Z_PLUS: Self = Self(Formula::ZPlus);
    /// w².
    pub const W_SQUARE: Self = Self(Formula::WSquare);
    /// Flat.
    pub const FLAT: Self = Self(Formula::Flat);
    /// Midpoint.
    pub const MIDPOINT: Self = Self(Formula::Midpoint);
    /// Pass.
    pub const PASS: Self = Self(Formula::Pass);
    /// Winner-take-all.
    pub const WINNER_TAKE_ALL: Self = Self(Formula::WinnerTakeAll);
    /// Proportional.
    pub const PROPORTIONAL: Self = Self(Formula::Proportional);
    /// Gates and attention weights are constants.
    pub const SIGNAL_TAKE_ALL: Self = Self(Formula::SignalTakeAll);
    /// Both factors of a product get half of the relevance.
    pub const HALVES: Self = Self(Formula::Halves);
    /// LRP-ε with the stabiliser 1e-6.
    pub const EPSILON: Self = Self(Formula::Epsilon(1e-6));
    /// LRP-γ with γ = 0.25.
    pub(crate) const GAMMA: Self = Self(Formula::Gamma(0.25));

    /// LRP-ε.
    ///
    /// # Errors
    ///
    /// If ε is not positive and finite.
    pub fn epsilon(epsilon: f64) -> Result<Self> {
        Self::checked(Formula::Epsilon(epsilon))
    }

    /// LRP-γ.
    ///
    /// # Errors
    ///
    /// If γ is negative or not finite.
    pub fn gamma(gamma: f64) -> Result<Self> {
        Self::checked(Formula::Gamma(gamma))
    }

    /// αβ; α − β must be 1.
    ///
    /// # Errors
    ///
    /// If α or β is negative or not finite, or α − β is not 1.
    pub fn alpha_beta(alpha: f64, beta: f64) -> Result<Self> {
        Self::checked(Formula::AlphaBeta { alpha, beta })
    }

    /// z^B for inputs between `low` and `high`.
    ///
    /// # Errors
    ///
    /// If the bounds are not finite, or low is not below high.
    pub fn bounded(low: f64, high: f64) -> Result<Self> {
        Self::checked(Formula::Box { low, high })
    }

    /// Softmin or softmax shares; an infinite stiffness gives the winner everything.
    ///
    /// # Errors
    ///
    /// If the stiffness is negative or NaN.
    pub fn take_most(stiffness: f64) -> Result<Self> {
        Self::checked(Formula::TakeMost(stiffness))
    }

    /// A rule of your own, which every affine layer can follow.
    ///
    /// It is used like a built-in one: a composite assigns it to layers, plans and reports print its
    /// name, and a batch normalisation may merge into a layer that follows it.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Distribution, Tensor};
    /// use burn_lrp::{AffineRule, Bias, Composite, Rule, Tape};
    ///
    /// // Inputs share relevance by the magnitude of their contributions: R_j is the sum over k of
    /// // |a_j| |w_jk| / (Σ_i |a_i| |w_ik| + ε) R_k.
    /// let by_magnitude = Rule::custom(
    ///     "by-magnitude",
    ///     AffineRule::new()
    ///         .term(1.0, |a| a.abs(), |w| w.abs(), Bias::Ignore)
    ///         .stabiliser(1e-9),
    /// )?;
    ///
    /// // In a text, it is known by its name.
    /// let composite = Composite::parse_with("family:dense -> by-magnitude", &[by_magnitude])?;
    ///
    /// let device = Default::default();
    /// let layer: Linear<Flex> = LinearConfig::new(4, 3).init(&device);
    /// let x = Tensor::<Flex, 2>::random([2, 4], Distribution::Default, &device);
    /// let tape = Tape::new();
    /// let input = tape.input("x", x);
    /// let output = input.then("layer", &layer)?;
    /// let plan = output.plan(&composite)?;
    /// assert_eq!(plan.to_string(), "layer  Linear  by-magnitude\n");
    ///
    /// // All of the relevance arrives.
    /// let relevance = plan.run(Tensor::<Flex, 2>::ones([2, 3], &device))?.of(&input)?;
    /// let sum: f32 = relevance.flat().sum().into_scalar();
    /// assert!((sum - 6.0).abs() < 1e-4);
    /// # Ok::<(), burn_lrp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the name is that of a built-in rule or has other characters than letters, digits and
    /// `-_.=,`, or the rule has no term, a number that is not finite or a negative stabiliser.
    pub fn custom(name: &str, rule: AffineRule) -> Result<Self> {
        check_name(name)?;
        match rule.problem() {
            Some(detail) => Err(Error::Rule { rule: name.into(), detail: detail.into() }),
            None => Ok(Self(Formula::Custom(CustomRule::new(name, rule)))),
        }
    }

    /// A rule that a layer of your own implements, known by its name alone.
    ///
    /// The layer lists `RuleName::Named(name)` in [`Layer::rules`](crate::Layer::rules), and looks for
    /// `Formula::Named(name)` in [`Layer::relevance`](crate::Layer::relevance).
    ///
    /// # Errors
    ///
    /// If the name is that of a built-in rule or has other characters than letters, digits and
    /// `-_.=,`.
    pub fn named(name: &'static str) -> Result<Self> {
        check_name(name)?;
        Ok(Self(Formula::Named(name)))
    }

    /// The rule with its numbers, for layers to match on.
    pub fn formula(&self) -> &Formula {
        &self.0
    }

    /// The rule without its numbers.
    pub fn name(&self) -> RuleName {
        self.0.name()
    }

    /// What an affine layer computes by this rule; `None` if it is a rule of other layers.
    pub fn affine(&self) -> Option<AffineRule> {
        self.0.affine()
    }

    /// Reads a rule from a text that may name some rules of your own.
    ///
    /// # Errors
    ///
    /// If the text is neither one of these rules nor a built-in one.
    pub fn parse_with(text: &str, rules: &[Self]) -> Result<Self> {
        let text = text.trim();
        match rules.iter().find(|rule| rule.to_string() == text) {
            Some(rule) => Ok(rule.clone()),
            None => built_in(text, rules),
        }
    }

    fn checked(formula: Formula) -> Result<Self> {
        let (holds, detail) = match formula {
            Formula::Epsilon(epsilon) => (
                epsilon.is_finite() && epsilon > 0.0,
                "epsilon must be positive and finite; use `zero` for no stabiliser",
            ),
            Formula::Gamma(gamma) => {
                (gamma.is_finite() && gamma >= 0.0, "gamma must be finite and at least 0")
            }
            Formula::AlphaBeta { alpha, beta } => (
                alpha.is_finite() && beta >= 0.0 && (alpha - beta - 1.0).abs() < 1e-9,
                "alpha and beta must be finite and at least 0, and alpha - beta must be 1",
            ),
            Formula::Box { low, high } => (
                low.is_finite() && high.is_finite() && low < high,
                "the bounds must be finite, the first below the second",
            ),
            Formula::TakeMost(stiffness) => (stiffness >= 0.0, "the stiffness must be at least 0"),
            _ => (true, ""),
        };
        if holds {
            Ok(Self(formula))
        } else {
            Err(Error::Rule { rule: formula.to_string(), detail: detail.into() })
        }
    }
}

/// Whether a name can be read back from a text.
fn check_name(name: &str) -> Result<()> {
    let wrong = |detail: &str| Err(Error::Rule { rule: name.into(), detail: detail.into() });
    let base = name.split('=').next().unwrap_or_default();
    let plain = |character: char| character.is_alphanumeric() || "-_.=,".contains(character);
    if base.is_empty() || !name.chars().all(plain) {
        wrong("a name has letters, digits and `-_.=,` only, and does not begin with `=`")
    } else if base == "custom" || RuleName::ALL.iter().any(|known| known.to_string() == base) {
        wrong("a built-in rule has this name")
    } else {
        Ok(())
    }
}

/// A built-in rule from its name and numbers; others are only named in the error.
fn built_in(text: &str, others: &[Rule]) -> Result<Rule> {
    let wrong = |detail: String| Error::Parse { text: text.into(), what: "a rule", detail };
    let (name, numbers) = match text.split_once('=') {
        Some((name, numbers)) => (name.trim(), Some(numbers)),
        None => (text, None),
    };
    let known = RuleName::ALL.iter().copied().find(|known| known.to_string() == name);
    let known = known.ok_or_else(|| {
        let all: Vec<String> = RuleName::ALL.iter().map(ToString::to_string).collect();
        let all: Vec<String> = all.into_iter().chain(others.iter().map(Rule::to_string)).collect();
        wrong(format!(
            "the rules are {}; a rule of your own must be passed to `parse_with`",
            all.join(", ")
        ))
    })?;
    let numbers: Vec<f64> = match numbers {
        None => Vec::new(),
        Some(numbers) => numbers
            .split(',')
            .map(|number| number.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| wrong("numbers after `=` must be separated by commas".into()))?,
    };
    if known == RuleName::Epsilon && numbers.is_empty() {
        return Ok(Rule::EPSILON);
    }
    let formula = Formula::new(known, &numbers).ok_or_else(|| {
        let (needed, found) = (known.numbers(), numbers.len());
        wrong(format!("`{known}` takes {needed} numbers, not {found}"))
    })?;
    Rule::checked(formula)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A built-in rule; [`Rule::parse_with`] reads others.
impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse_with(text, &[])
    }
}

impl TryFrom<String> for Rule {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affine_rule::Bias;

    #[test]
    fn every_rule_is_read_as_it_is_written() -> Result<()> {
        let rules = [
            "zero",
            "epsilon=1e-6",
            "epsilon=0.25",
            "gamma=0.25",
            "z-plus",
            "alpha-beta=2,1",
            "w-square",
            "flat",
            "box=-1.5,1",
            "midpoint",
            "pass",
            "winner-take-all",
            "take-most=1.5",
            "take-most=inf",
            "proportional",
            "signal-take-all",
            "halves",
        ];
        for text in rules {
            let rule: Rule = text.parse()?;
            assert_eq!(rule.to_string(), text);
            let json = serde_json::to_string(&rule).expect("a string");
            assert_eq!(serde_json::from_str::<Rule>(&json).expect("a rule"), rule);
        }
        Ok(())
    }

    #[test]
    fn numbers_are_checked() {
        for text in [
            "epsilon=0",
            "epsilon=nan",
            "gamma=-0.1",
            "gamma=inf",
            "gamma",
            "gamma=1,2",
            "alpha-beta=1,1",
            "alpha-beta=0.5,-0.5",
            "box=1,1",
            "box=0,inf",
            "take-most=-1",
            "take-most=nan",
            "nothing",
            "zero=1",
            "",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
            assert!(serde_json::from_str::<Rule>(&format!("{text:?}")).is_err(), "{text}");
        }
    }

    #[test]
    fn rules_of_users_are_checked_and_read_by_their_names() -> Result<()> {
        let magnitude = || AffineRule::new().term(1.0, |a| a.abs(), |w| w.abs(), Bias::Ignore);
        for (name, rule) in [
            ("zero", magnitude()),
            ("gamma=2", magnitude()),
            ("", magnitude()),
            ("=1", magnitude()),
            ("a b", magnitude()),
            ("a->b", magnitude()),
            ("mine", AffineRule::new()),
            ("mine", magnitude().stabiliser(-1.0)),
            ("mine", magnitude().stabiliser(f64::NAN)),
            ("mine", magnitude().term(f64::INFINITY, |a| a, |w| w, Bias::Keep)),
            ("mine", magnitude().plus(|a| a * f64::NAN, |w| w)),
            ("mine", magnitude().term(0.0, |a| a, |w| w, Bias::map(|b| b + f64::NAN))),
        ] {
            let error = Rule::custom(name, rule).expect_err(name);
            assert!(matches!(error, Error::Rule { .. }), "{name}: {error}");
        }
        let mine = Rule::custom("mine=2", magnitude())?;
        let rules = [mine.clone(), Rule::named("of-my-layer")?];
        assert_eq!(Rule::parse_with(" mine=2 ", &rules)?, mine);
        assert_eq!(Rule::parse_with("of-my-layer", &rules)?, rules[1]);
        assert_eq!(Rule::parse_with("gamma=0.25", &rules)?, Rule::GAMMA);
        assert_eq!((mine.name(), mine.to_string()), (RuleName::Custom, "mine=2".into()));
        assert_ne!(mine, Rule::custom("mine=2", magnitude().stabiliser(1.0))?);
        let error = Rule::parse_with("mine", &rules).expect_err("no such rule").to_string();
        assert!(error.contains(", mine=2, of-my-layer;"), "{error}");
        assert!("mine=2".parse::<Rule>().is_err());
        Ok(())
    }
}
