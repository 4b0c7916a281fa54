use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error: on a terminal only, and only once the work has
/// taken a second.
pub(crate) struct Bar {
    started: Instant,
    wanted: bool,
    total: u64,
    template: &'static str,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// Of bytes read.
    pub(crate) fn bytes(total: u64, quiet: bool) -> Self {
        let template = "{bar:40} {bytes}/{total_bytes}, {eta} left";
        Self::new(total, quiet, template)
    }

    /// Of restarts done.
    pub(crate) fn restarts(total: usize, quiet: bool) -> Self {
        Self::new(total as u64, quiet, "{bar:40} restart {pos}/{len}, {msg}")
    }

    fn new(total: u64, quiet: bool, template: &'static str) -> Self {
        let wanted = !quiet && std::io::stderr().is_terminal();
        Self { started: Instant::now(), wanted, total, template, bar: None }
    }

    pub(crate) fn set(&mut self, position: u64, message: impl FnOnce() -> String) {
        if !self.wanted || self.started.elapsed() < Duration::from_secs(1) {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(self.template);
            ProgressBar::new(self.total)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_position(position);
        bar.set_message(message());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
