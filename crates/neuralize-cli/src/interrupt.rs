//! Interrupts: the process exits at once and leaves no incomplete files.

#[cfg(unix)]
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use neuralize::data::rollback_all;

use crate::message::tell;
use crate::progress;

/// Whether results went to a pipe, a terminal or a device.
static STREAMED: AtomicBool = AtomicBool::new(false);

/// Makes SIGINT, SIGTERM and SIGHUP end the process with exit code 130, 143 or 129. If they
/// cannot be handled, their default action remains.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM].into_iter().chain(hangup)) {
        std::thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                stop(128 + signal);
            }
        });
    }
}

/// Whether the process began with the signal ignored, as `nohup` asks for; it then stays ignored. Where
/// that cannot be found out, it is taken for so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| (mask >> (signal - 1)) & 1 == 1)
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
