//! An interrupt ends the process at once, and nothing half-written stays.

use std::sync::atomic::{AtomicBool, Ordering};

use neuralize::data::remove_unfinished;

use crate::output::tell;
use crate::progress;

/// Whether results went where they cannot be taken back.
static STREAMED: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT and SIGTERM end the process with exit code 130 or 143.
/// Where they cannot be watched, they end it as they always do.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) {
        std::thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                stop(128 + signal);
            }
        });
    }
}

/// From now on an interrupt ends the process with exit code 130.
#[cfg(not(unix))]
pub(crate) fn watch() {
    let _ = ctrlc::set_handler(|| stop(130));
}

/// Remembers that results went to a pipe, a terminal or a device.
pub(crate) fn note_streamed() {
    STREAMED.store(true, Ordering::Relaxed);
}

fn stop(code: i32) -> ! {
    let stopped = remove_unfinished();
    progress::clear();
    tell(match (STREAMED.load(Ordering::Relaxed), stopped.finished()) {
        (true, _) => "interrupted; the results are not complete",
        (false, 0) => "interrupted; nothing was written",
        (false, _) => "interrupted; what was finished before is whole",
    });
    std::process::exit(code)
}
