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

/// Prints something above the bar, if there is one.
pub(crate) fn above(print: impl FnOnce()) {
    match &*SHOWN.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// How long work takes that has begun, for a word beforehand if that is long.
pub(crate) struct Estimate {
    started: Instant,
    is_said: bool,
}

impl Estimate {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), is_said: false }
    }

    /// The time of the whole, once, if it is long, when a part of it is done.
    pub(crate) fn long(&mut self, part: f64) -> Option<Duration> {
        const ENOUGH: Duration = Duration::from_secs(1);
        const LONG: f64 = 10.0;
        let spent = self.started.elapsed();
        if self.is_said || spent < ENOUGH || part <= 0.0 {
            return None;
        }
        self.is_said = true;
        let whole = spent.as_secs_f64() / part;
        (whole >= LONG).then(|| Duration::try_from_secs_f64(whole).unwrap_or(Duration::MAX))
    }
}

/// `40 s`, `3 min`, `2 h`
pub(crate) fn about(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 90.0 => format!("{:.0} s", seconds.max(1.0)),
        seconds if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3600.0),
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

    /// Rows scored.
    pub(crate) fn rows(total: usize, quiet: bool) -> Self {
        Self::new(Some(total as u64), quiet, "{bar:40} row {pos}/{len}, {eta} left")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded() {
        for (seconds, text) in
            [(0.2, "1 s"), (57.4, "57 s"), (91.0, "2 min"), (3000.0, "50 min"), (9000.0, "2 h")]
        {
            assert_eq!(about(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn long_work_is_said_once() {
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds));
        let begun = |seconds| Estimate { started: ago(seconds).expect("a time"), is_said: false };
        let mut long = begun(2);
        let whole = long.long(0.1).expect("a long time").as_secs_f64();
        assert!((19.0..30.0).contains(&whole), "{whole}");
        assert_eq!(long.long(0.2), None);
        assert_eq!(begun(2).long(0.9), None);
        assert_eq!(begun(0).long(0.001), None);
        assert_eq!(begun(2).long(0.0), None);
    }
}
