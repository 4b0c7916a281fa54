//! The one error type of the crate.

use std::fmt;

use crate::layer::Kind;
use crate::rule::{Rule, RuleName};

/// Result of every fallible function of this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What went wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer, or a function, was given a tensor that it cannot take.
    #[error("{at}: the input has shape {found:?}, expected {expected}")]
    Shape {
        /// The layer's path, or what the tensor is.
        at: String,
        /// The shape that is needed.
        expected: String,
        /// The shape found.
        found: Vec<usize>,
    },
    /// A layer whose settings this crate cannot compute with.
    #[error("{at}: {detail}")]
    Layer {
        /// The layer's path, or its kind.
        at: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// A rule whose numbers cannot be used.
    #[error("the rule `{rule}` cannot be used: {detail}")]
    Rule {
        /// The rule.
        rule: String,
        /// What its numbers must satisfy.
        detail: String,
    },
    /// A text that is no rule, selector or composite.
    #[error("`{text}` is not {what}: {detail}")]
    Parse {
        /// The text.
        text: String,
        /// What it should have been.
        what: &'static str,
        /// What is wrong, and what there is.
        detail: String,
    },
    /// Layers that cannot follow the rules given to them: all of the network.
    #[error("the composite does not fit the network:{}", lines(.0))]
    Unsupported(Vec<Unsupported>),
    /// Selectors of a composite that speak of paths which the network does not have, or
    /// misspell its kinds.
    #[error("the composite does not fit the network:{}", lines(.0))]
    Unmatched(Vec<Unmatched>),
    /// A NaN or an infinite value.
    #[error("{at}: {detail}")]
    NonFinite {
        /// Where it was found.
        at: String,
        /// What was found and what to do.
        detail: String,
    },
    /// Two nodes of different tapes.
    #[error("the nodes belong to different tapes; record one network on one tape")]
    ForeignNode,
    /// A tape that only infers was asked for relevance.
    #[error("this tape keeps no activations; record the network with `Tape::new`")]
    NotRecorded,
}

/// A layer that cannot follow the rule that a composite gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsupported {
    /// Where the layer is in the network.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// The rule it was given.
    pub rule: Rule,
    /// The rules it has.
    pub supported: &'static [RuleName],
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.supported.iter().map(ToString::to_string).collect();
        write!(
            f,
            "`{}` ({}) has no rule `{}`; it has {}",
            self.path,
            self.kind,
            self.rule,
            names.join(", ")
        )
    }
}

/// A selector that must mean a layer of the network, and means none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// The selector, as text.
    pub selector: String,
    /// What there is instead.
    pub detail: String,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` means no layer; {}", self.selector, self.detail)
    }
}

fn lines<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}

impl Error {
    pub(crate) fn shape(
        at: impl Into<String>,
        expected: impl Into<String>,
        found: &[usize],
    ) -> Self {
        Self::Shape { at: at.into(), expected: expected.into(), found: found.to_vec() }
    }

    pub(crate) fn layer(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Layer { at: at.into(), detail: detail.into() }
    }

    /// The same error with the path of the layer in place of its kind.
    pub(crate) fn within(self, path: &str) -> Self {
        match self {
            Self::Shape { at, expected, found } => {
                Self::Shape { at: format!("{path} ({at})"), expected, found }
            }
            Self::Layer { at, detail } => Self::Layer { at: format!("{path} ({at})"), detail },
            other => other,
        }
    }
}
