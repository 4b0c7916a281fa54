//! A layer of a network, as selectors see it.

use crate::kind::Kind;

/// The path and the kind of a layer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    pub(crate) path: String,
    pub(crate) kind: Kind,
}
