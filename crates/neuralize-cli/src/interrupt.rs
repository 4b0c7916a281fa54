//! Interrupts: the process exits at once and leaves no incomplete files.

use std::sync::atomic::{AtomicBool, Ordering};

use neuralize::data::rollback_all;

use crate::message::tell;
use crate::progress;

/// Whether results went to a pipe, a terminal or a device.
static STREAMED: AtomicBool = AtomicBool::new(false);

/// Makes SIGINT and SIGTERM end the process with exit code 130 or 143. If they
/// cannot be handled, their default action remains.
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

/// Makes an interrupt end the process with exit code 130.
#[cfg(not(unix))]
pub(crate) fn watch() {
    let _ = ctrlc::set_handler(|| stop(130));
}

/// Records that results went to a pipe, a terminal or a device.
pub(crate) fn note_streamed() {
    STREAMED.store(true, Ordering::Relaxed);
}

fn stop(code: i32) -> ! {
    let guard = rollback_all();
    progress::clear();
    tell(match (STREAMED.load(Ordering::Relaxed), guard.committed()) {
        (true, _) => "interrupted; the results are not complete",
        (false, 0) => "interrupted; nothing was written",
        (false, _) => "interrupted; files completed before that remain",
    });
    std::process::exit(code)
}
