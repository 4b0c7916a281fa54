//! How far a choice is.

/// How far a choice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Fits that are done.
    pub done: usize,
    /// Fits in all.
    pub of: usize,
}
