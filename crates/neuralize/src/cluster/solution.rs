//! What a restart of a fit ends with, and the choice among several restarts.

use crate::error::{Error, Result};

/// What a restart ends with.
pub(super) struct Solution<P> {
    /// Centroids or components.
    pub(super) parameters: P,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

/// The restart of the lowest objective so far, the first of equal ones.
pub(super) struct Best<T> {
    /// The fraction of the objective that another restart must be lower by.
    margin: f64,
    found: Option<(f64, T)>,
}

impl<T> Best<T> {
    pub(super) fn new() -> Self {
        Self::with_margin(0.0)
    }

    pub(super) fn with_margin(margin: f64) -> Self {
        Self { margin, found: None }
    }

    pub(super) fn offer(&mut self, objective: f64, restart: T) {
        let lower = |best: f64| objective < best * (1.0 - self.margin);
        if self.found.as_ref().is_none_or(|(best, _)| lower(*best)) {
            self.found = Some((objective, restart));
        }
    }

    /// # Errors
    ///
    /// If there was no restart.
    pub(super) fn finish(self) -> Result<T> {
        let none = || Error::config("n_init", 0, "it must be at least 1");
        self.found.map(|(_, restart)| restart).ok_or_else(none)
    }
}
