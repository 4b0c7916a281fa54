//! How a layer hands its relevance down.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A propagation rule with its numbers, checked when it is made.
///
/// With inputs a_j and `z_k = Σ_j a_j w_jk + b_k` of a layer, and z_jk = a_j w_jk:
///
/// | text | rule | relevance of an input |
/// |---|---|---|
/// | `zero` | LRP-0 | `R_j = Σ_k z_jk / z_k R_k` |
/// | `epsilon=1e-6` | LRP-ε | `z_k + ε sign(z_k)` below the line |
/// | `gamma=0.25` | LRP-γ, generalised for inputs of either sign | `z_jk + γ z_jk^+` above and below where z_k > 0, `z_jk + γ z_jk^−` where z_k < 0 |
/// | `z-plus` | z⁺ | positive contributions only |
/// | `alpha-beta=2,1` | αβ | α of the positive, −β of the negative contributions, each over their sum |
/// | `w-square` | w² | `w_jk²` in place of the contributions |
/// | `flat` | flat | 1 in place of the contributions |
/// | `box=0,1` | z^B | `a_j w_jk − l w_jk^+ − h w_jk^−` for inputs between l and h |
/// | `midpoint` | midpoint | `(a_j − m_jk) w_jk`, for layers that know the root points m |
/// | `pass` | pass | the relevance as it is |
/// | `winner-take-all` | winner-take-all | all to the input that gave the output |
/// | `take-most=1` | take-most | softmax or softmin shares of this stiffness, for pools over competitors |
/// | `proportional` | proportional | in proportion to what the inputs gave |
/// | `signal-take-all` | signal-take-all | gates and attention weights are constants |
/// | `halves` | halves | factors of a product share alike |
///
/// Where a denominator is 0, that output hands nothing down; LRP-ε takes sign(0) for 1.
/// LRP-γ hands nothing down from an output z_k of exactly 0.
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule(Formula);

/// What a [`Rule`] says, for layers to match on.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Formula {
    /// LRP-0.
    Zero,
    /// LRP-ε.
    Epsilon(f64),
    /// LRP-γ; an output of exactly 0 favours neither side and hands nothing down.
    Gamma(f64),
    /// z⁺.
    ZPlus,
    /// αβ.
    AlphaBeta {
        /// Weight of positive contributions.
        alpha: f64,
        /// Weight of negative contributions.
        beta: f64,
    },
    /// w².
    WSquare,
    /// Flat.
    Flat,
    /// z^B.
    Box {
        /// The least value of an input.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// Midpoint.
    Midpoint,
    /// Pass.
    Pass,
    /// Winner-take-all.
    WinnerTakeAll,
    /// Softmin or softmax shares of this stiffness.
    TakeMost(f64),
    /// Proportional.
    Proportional,
    /// Gates and attention weights are constants.
    SignalTakeAll,
    /// Factors of a product share alike.
    Halves,
}

/// A rule without its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum RuleName {
    Zero,
    Epsilon,
    Gamma,
    ZPlus,
    AlphaBeta,
    WSquare,
    Flat,
    Box,
    Midpoint,
    Pass,
    WinnerTakeAll,
    TakeMost,
    Proportional,
    SignalTakeAll,
    Halves,
}

impl RuleName {
    /// Every rule there is.
    pub const ALL: &'static [Self] = &[
        Self::Zero,
        Self::Epsilon,
        Self::Gamma,
        Self::ZPlus,
        Self::AlphaBeta,
        Self::WSquare,
        Self::Flat,
        Self::Box,
        Self::Midpoint,
        Self::Pass,
        Self::WinnerTakeAll,
        Self::TakeMost,
        Self::Proportional,
        Self::SignalTakeAll,
        Self::Halves,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Epsilon => "epsilon",
            Self::Gamma => "gamma",
            Self::ZPlus => "z-plus",
            Self::AlphaBeta => "alpha-beta",
            Self::WSquare => "w-square",
            Self::Flat => "flat",
            Self::Box => "box",
            Self::Midpoint => "midpoint",
            Self::Pass => "pass",
            Self::WinnerTakeAll => "winner-take-all",
            Self::TakeMost => "take-most",
            Self::Proportional => "proportional",
            Self::SignalTakeAll => "signal-take-all",
            Self::Halves => "halves",
        }
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

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
    /// Factors of a product share alike.
    pub const HALVES: Self = Self(Formula::Halves);
    /// LRP-ε with the stabiliser 1e-6.
    pub const EPSILON: Self = Self(Formula::Epsilon(1e-6));

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

    /// Softmin or softmax shares; an infinite stiffness takes the winner alone.
    ///
    /// # Errors
    ///
    /// If the stiffness is negative or NaN.
    pub fn take_most(stiffness: f64) -> Result<Self> {
        Self::checked(Formula::TakeMost(stiffness))
    }

    /// What the rule says.
    pub fn formula(&self) -> Formula {
        self.0
    }

    /// The rule without its numbers.
    pub fn name(&self) -> RuleName {
        match self.0 {
            Formula::Zero => RuleName::Zero,
            Formula::Epsilon(_) => RuleName::Epsilon,
            Formula::Gamma(_) => RuleName::Gamma,
            Formula::ZPlus => RuleName::ZPlus,
            Formula::AlphaBeta { .. } => RuleName::AlphaBeta,
            Formula::WSquare => RuleName::WSquare,
            Formula::Flat => RuleName::Flat,
            Formula::Box { .. } => RuleName::Box,
            Formula::Midpoint => RuleName::Midpoint,
            Formula::Pass => RuleName::Pass,
            Formula::WinnerTakeAll => RuleName::WinnerTakeAll,
            Formula::TakeMost(_) => RuleName::TakeMost,
            Formula::Proportional => RuleName::Proportional,
            Formula::SignalTakeAll => RuleName::SignalTakeAll,
            Formula::Halves => RuleName::Halves,
        }
    }

    /// A rule whose numbers are known to be good.
    pub(crate) const fn made(formula: Formula) -> Self {
        Self(formula)
    }

    fn checked(formula: Formula) -> Result<Self> {
        let rule = Self(formula);
        let (holds, detail) = match formula {
            Formula::Epsilon(epsilon) => (
                epsilon.is_finite() && epsilon > 0.0,
                "epsilon must be positive and finite; for none, use `zero`",
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
            Ok(rule)
        } else {
            Err(Error::Rule { rule: rule.to_string(), detail: detail.into() })
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self.0 {
            Formula::Epsilon(value) if !(1e-3..1e6).contains(&value) => {
                write!(f, "{name}={value:e}")
            }
            Formula::Epsilon(value) | Formula::Gamma(value) | Formula::TakeMost(value) => {
                write!(f, "{name}={value}")
            }
            Formula::AlphaBeta { alpha: a, beta: b } | Formula::Box { low: a, high: b } => {
                write!(f, "{name}={a},{b}")
            }
            _ => write!(f, "{name}"),
        }
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |detail: String| Error::Parse { text: text.into(), what: "a rule", detail };
        let (name, numbers) = match text.split_once('=') {
            Some((name, numbers)) => (name.trim(), Some(numbers)),
            None => (text.trim(), None),
        };
        let known = RuleName::ALL.iter().copied().find(|known| known.text() == name);
        let known = known.ok_or_else(|| {
            let all: Vec<&str> = RuleName::ALL.iter().map(|name| name.text()).collect();
            wrong(format!("the rules are {}", all.join(", ")))
        })?;
        let numbers: Vec<f64> = match numbers {
            None => Vec::new(),
            Some(numbers) => numbers
                .split(',')
                .map(|number| number.trim().parse())
                .collect::<Result<_, _>>()
                .map_err(|_| wrong("numbers after `=` are separated by a comma".into()))?,
        };
        let formula = match (known, numbers.as_slice()) {
            (RuleName::Zero, []) => Formula::Zero,
            (RuleName::Epsilon, [epsilon]) => Formula::Epsilon(*epsilon),
            (RuleName::Epsilon, []) => return Ok(Self::EPSILON),
            (RuleName::Gamma, [gamma]) => Formula::Gamma(*gamma),
            (RuleName::ZPlus, []) => Formula::ZPlus,
            (RuleName::AlphaBeta, [alpha, beta]) => {
                Formula::AlphaBeta { alpha: *alpha, beta: *beta }
            }
            (RuleName::WSquare, []) => Formula::WSquare,
            (RuleName::Flat, []) => Formula::Flat,
            (RuleName::Box, [low, high]) => Formula::Box { low: *low, high: *high },
            (RuleName::Midpoint, []) => Formula::Midpoint,
            (RuleName::Pass, []) => Formula::Pass,
            (RuleName::WinnerTakeAll, []) => Formula::WinnerTakeAll,
            (RuleName::TakeMost, [stiffness]) => Formula::TakeMost(*stiffness),
            (RuleName::Proportional, []) => Formula::Proportional,
            (RuleName::SignalTakeAll, []) => Formula::SignalTakeAll,
            (RuleName::Halves, []) => Formula::Halves,
            (name, numbers) => {
                let needed = match name {
                    RuleName::Epsilon | RuleName::Gamma | RuleName::TakeMost => 1,
                    RuleName::AlphaBeta | RuleName::Box => 2,
                    _ => 0,
                };
                return Err(wrong(format!(
                    "`{name}` takes {needed} numbers, not {}",
                    numbers.len()
                )));
            }
        };
        Self::checked(formula)
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
}
