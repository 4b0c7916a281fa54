//! The built-in rules, one row each, and rules of users: names, numbers and text.

use std::fmt;
use std::sync::Arc;

use crate::affine_rule::{AffineRule, Bias, Outputs};

/// Declares the rules: variant, fields, name in texts, and the numbers that follow the name.
macro_rules! rules {
    ($(
        $(#[$doc:meta])+
        $rule:ident $(($($tuple:tt)+))? $({$($named:tt)+})? = $text:literal $([$($field:tt: $number:ident),+])?;
    )+) => {
        /// A rule with its numbers, for layers to match on.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Formula {
            $($(#[$doc])+ $rule $(($($tuple)+))? $({$($named)+})?,)+
            /// A rule of a user for affine layers.
            Custom(CustomRule),
            /// A rule that a layer of a user implements under this name.
            Named(&'static str),
        }

        /// A rule without its numbers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RuleName {
            $($(#[$doc])+ $rule,)+
            /// Any [`Rule::custom`](crate::Rule::custom): what affine layers can follow.
            Custom,
            /// A [`Rule::named`](crate::Rule::named) of a user's own layer.
            Named(&'static str),
        }

        impl RuleName {
            /// All built-in rules.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            fn text(self) -> &'static str {
                match self {
                    $(Self::$rule => $text,)+
                    Self::Custom => "custom",
                    Self::Named(name) => name,
                }
            }

            /// How many numbers follow the name.
            pub(crate) fn numbers(self) -> usize {
                let numbers: &[&str] = match self {
                    $(Self::$rule => &[$($(stringify!($number)),+)?],)+
                    Self::Custom | Self::Named(_) => &[],
                };
                numbers.len()
            }
        }

        impl Formula {
            pub(crate) fn name(&self) -> RuleName {
                match self {
                    $(Self::$rule { .. } => RuleName::$rule,)+
                    Self::Custom(_) => RuleName::Custom,
                    Self::Named(name) => RuleName::Named(name),
                }
            }

            /// The numbers that follow the name in a text.
            fn numbers(&self) -> Vec<f64> {
                match self {
                    $(Self::$rule { $($($field: $number),+)? } => vec![$($(*$number),+)?],)+
                    Self::Custom(_) | Self::Named(_) => Vec::new(),
                }
            }

            /// A built-in rule from its name and numbers, if they are as many as it has.
            pub(crate) fn new(name: RuleName, numbers: &[f64]) -> Option<Self> {
                match (name, numbers) {
                    $((RuleName::$rule, &[$($($number),+)?]) => {
                        Some(Self::$rule { $($($field: $number),+)? })
                    })+
                    _ => None,
                }
            }
        }
    };
}

rules! {
    /// LRP-0.
    Zero = "zero";
    /// LRP-ε.
    Epsilon (f64) = "epsilon" [0: epsilon];
    /// LRP-γ; an output of exactly 0 favours neither sign and passes nothing on.
    Gamma (f64) = "gamma" [0: gamma];
    /// z⁺.
    ZPlus = "z-plus";
    /// αβ.
    AlphaBeta {
        /// Weight of positive contributions.
        alpha: f64,
        /// Weight of negative contributions.
        beta: f64,
    } = "alpha-beta" [alpha: alpha, beta: beta];
    /// w².
    WSquare = "w-square";
    /// Flat.
    Flat = "flat";
    /// z^B.
    Box {
        /// The smallest value of an input.
        low: f64,
        /// The largest value of an input.
        high: f64,
    } = "box" [low: low, high: high];
    /// Midpoint.
    Midpoint = "midpoint";
    /// Pass.
    Pass = "pass";
    /// Winner-take-all.
    WinnerTakeAll = "winner-take-all";
    /// Softmin or softmax shares with this stiffness.
    TakeMost (f64) = "take-most" [0: stiffness];
    /// Proportional.
    Proportional = "proportional";
    /// Gates and attention weights are constants.
    SignalTakeAll = "signal-take-all";
    /// Both factors of a product get half of the relevance.
    Halves = "halves";
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Custom(rule) = self {
            return f.write_str(rule.name());
        }
        write!(f, "{}", self.name())?;
        for (at, number) in self.numbers().into_iter().enumerate() {
            f.write_str(if at == 0 { "=" } else { "," })?;
            match self {
                Self::Epsilon(_) if !(1e-3..1e6).contains(&number) => write!(f, "{number:e}")?,
                _ => write!(f, "{number}")?,
            }
        }
        Ok(())
    }
}

impl Formula {
    /// How an affine layer follows the rule; `None` for rules of other layers.
    pub(crate) fn affine(&self) -> Option<AffineRule> {
        let rule = AffineRule::new();
        Some(match *self {
            Self::Zero | Self::Proportional => rule.term(1.0, |a| a, |w| w, Bias::Keep),
            Self::Epsilon(epsilon) => rule.term(1.0, |a| a, |w| w, Bias::Keep).stabiliser(epsilon),
            Self::Gamma(gamma) => rule
                .term(
                    1.0,
                    |a| a.positive(),
                    |w| w.clone() + w.positive() * gamma,
                    Bias::map(|b| b.clone() + b.positive() * gamma),
                )
                .plus(|a| a.negative(), |w| w.clone() + w.negative() * gamma)
                .for_outputs(Outputs::Positive)
                .term(
                    1.0,
                    |a| a.positive(),
                    |w| w.clone() + w.negative() * gamma,
                    Bias::map(|b| b.clone() + b.negative() * gamma),
                )
                .plus(|a| a.negative(), |w| w.clone() + w.positive() * gamma)
                .for_outputs(Outputs::Negative),
            Self::ZPlus => positive(rule, 1.0),
            Self::AlphaBeta { alpha, beta: 0.0 } => positive(rule, alpha),
            Self::AlphaBeta { alpha, beta } => negative(positive(rule, alpha), -beta),
            Self::WSquare => rule.term(1.0, |_| 1.0, |w| w.square(), Bias::map(|b| b.square())),
            Self::Flat => rule.term(1.0, |_| 1.0, |_| 1.0, Bias::Ignore),
            // a w − l w⁺ − h w⁻, so that nothing inside the box is negative and cancels. The root
            // point has the same bias, which cancels too.
            Self::Box { low, high } => rule
                .term(1.0, |a| a - low, |w| w.positive(), Bias::Ignore)
                .plus(|a| a - high, |w| w.negative()),
            Self::Custom(ref rule) => rule.affine().clone(),
            _ => return None,
        })
    }
}

/// One more term, of positive contributions.
fn positive(rule: AffineRule, factor: f64) -> AffineRule {
    rule.term(factor, |a| a.positive(), |w| w.positive(), Bias::map(|b| b.positive()))
        .plus(|a| a.negative(), |w| w.negative())
}

/// One more term, of negative contributions.
fn negative(rule: AffineRule, factor: f64) -> AffineRule {
    rule.term(factor, |a| a.positive(), |w| w.negative(), Bias::map(|b| b.negative()))
        .plus(|a| a.negative(), |w| w.positive())
}

/// A rule of a user: a name, and what affine layers do by it.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomRule(Arc<(String, AffineRule)>);

impl CustomRule {
    pub(crate) fn new(name: &str, rule: AffineRule) -> Self {
        Self(Arc::new((name.to_string(), rule)))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.0
    }

    /// What an affine layer computes.
    pub fn affine(&self) -> &AffineRule {
        &self.0.1
    }
}
