//! Progress bars.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The visible bar.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Removes the bar from the terminal for good, from any thread.
pub(crate) fn clear() {
    if let Some(bar) = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
}

/// A bar on standard error, if that is a terminal and the work takes longer than a
/// second.
pub(crate) struct Bar {
    started: Instant,
    wanted: bool,
    /// `None` if unknown.
    total: Option<u64>,
    template: &'static str,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// Bytes read.
    pub(crate) fn bytes(total: Option<u64>, quiet: bool) -> Self {
        let template = match total {
            Some(_) => "{bar:40} {bytes}/{total_bytes}, {eta} left",
            None => "{spinner} {bytes} read",
        };
        Self::new(total, quiet, template)
    }

    /// Restarts done.
    pub(crate) fn restarts(total: usize, quiet: bool) -> Self {
        Self::new(Some(total as u64), quiet, "{bar:40} restart {pos}/{len}, {msg}")
    }

    /// Fits done.
    pub(crate) fn fits(total: usize, quiet: bool) -> Self {
        Self::new(Some(total as u64), quiet, "{bar:40} fit {pos}/{len}, {eta} left")
    }

    /// Methods evaluated.
    pub(crate) fn methods(total: usize, quiet: bool) -> Self {
        Self::new(Some(total as u64), quiet, "{bar:40} method {pos}/{len}, {msg}")
    }

    fn new(total: Option<u64>, quiet: bool, template: &'static str) -> Self {
        let wanted = !quiet && std::io::stderr().is_terminal();
        Self { started: Instant::now(), wanted, total, template, bar: None }
    }

    pub(crate) fn set(&mut self, position: u64, message: impl FnOnce() -> String) {
        if !self.wanted || self.started.elapsed() < Duration::from_secs(1) {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(self.template);
            let bar = match self.total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::new_spinner(),
            };
            let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
            bar
        });
        bar.set_position(position);
        bar.set_message(message());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.bar.is_some() {
            clear();
        }
    }
}
