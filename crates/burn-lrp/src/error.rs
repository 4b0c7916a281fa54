//! The one error type of the crate.

use std::fmt;

use crate::formula::RuleName;
use crate::kind::Kind;

/// Result of every fallible function of this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What went wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer or a function received a tensor of the wrong shape.
    #[error("{at}: the input has shape {found:?}, expected {expected}")]
    Shape {
        /// The layer's path, or what the tensor is.
        at: String,
        /// The expected shape.
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
    /// A rule that cannot be used: its numbers, its name, or the layer it was given to.
    #[error("the rule `{rule}` cannot be used: {detail}")]
    Rule {
        /// The rule.
        rule: String,
        /// What is wrong and what to do.
        detail: String,
    },
    /// A text that is not a valid rule, selector or composite.
    #[error("`{text}` is not {what}: {detail}")]
    Parse {
        /// The text.
        text: String,
        /// What it should have been.
        what: &'static str,
        /// What is wrong, and what is possible.
        detail: String,
    },
    /// Layers that cannot follow the rules they have; all of the network are listed.
    #[error("the composite does not fit the network:{}", lines(.0))]
    Unsupported(Vec<Unsupported>),
    /// Selectors of a composite with paths that the network does not have, or misspelled kinds.
    #[error("the composite does not fit the network:{}", lines(.0))]
    Unmatched(Vec<Unmatched>),
    /// Layers that the composite treats differently once a normalisation is merged into them.
    #[error("the composite does not fit the network:{}", lines(.0))]
    Merged(Vec<MergeConflict>),
    /// Layers that a secant pass cannot go through; all of the network are listed.
    #[error("the network has no secant pass:{}", lines(.0))]
    NoSecant(Vec<NoSecant>),
    /// A NaN or an infinite value.
    #[error("{at}: {detail}")]
    NonFinite {
        /// Where it was found.
        at: String,
        /// What was found and what to do.
        detail: String,
    },
    /// Two nodes belong to different tapes.
    #[error("the nodes belong to different tapes; record one network on one tape")]
    ForeignNode,
    /// A plan was requested from a tape that keeps no activations.
    #[error("this tape keeps no activations; record the network with `Tape::new`")]
    NotRecorded,
}

/// A layer that cannot follow the rule that a composite gives it, or its own default rule.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unsupported {
    /// Where the layer is in the network.
    pub path: String,
    /// The kind of layer.
    pub kind: Kind,
    /// The rule, as text.
    pub rule: String,
    /// The rules it can follow.
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

/// A layer that a secant pass cannot go through.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NoSecant {
    /// Where the layer is in the network.
    pub path: String,
    /// The kind of layer.
    pub kind: Kind,
    /// Why it cannot.
    pub detail: String,
}

impl fmt::Display for NoSecant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` ({}): {}; implement `has_secant` and `secant` of `Layer`, or explain it by \
             layer-wise relevance propagation",
            self.path, self.kind, self.detail
        )
    }
}

/// A selector that must choose a layer of the network, and chooses none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmatched {
    /// The selector, as text.
    pub selector: String,
    /// What it could choose instead.
    pub detail: String,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` chooses no layer; {}", self.selector, self.detail)
    }
}

/// A layer that is of another kind with a normalisation merged into it, while the composite has
/// different rules for the two kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MergeConflict {
    /// Where the layer is in the network.
    pub path: String,
    /// The kind of the layer.
    pub kind: Kind,
    /// The path of the normalisation.
    pub normalization: String,
    /// The kind of the layer that `rescaled` returned.
    pub merged: Kind,
}

impl fmt::Display for MergeConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, kind, normalization, merged } = self;
        write!(
            f,
            "`{path}` ({kind}) is a {merged} once `{normalization}` is merged into it, and follows \
             another entry then; return a {kind} from its `rescaled`, or keep the two apart with \
             `merge-normalization=false`"
        )
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
            Self::Rule { rule, detail } => {
                Self::Rule { rule, detail: format!("at layer {path}: {detail}") }
            }
            other => other,
        }
    }
}
