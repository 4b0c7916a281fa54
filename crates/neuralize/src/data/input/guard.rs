//! Readers of other crates that panic on some damaged files: that is an error, too.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread;

/// Catches a panic without printing it.
pub(super) fn quietly<T>(step: impl FnOnce() -> T) -> thread::Result<T> {
    thread_local! {
        static CAUGHT: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() {
                hook(info);
            }
        }));
    });
    let before = CAUGHT.replace(true);
    let found = catch_unwind(AssertUnwindSafe(step));
    CAUGHT.set(before);
    found
}

/// Runs a step of a reader and describes its error, or that it panicked.
#[cfg(any(feature = "arrow", feature = "xlsx"))]
pub(super) fn guarded<T, E: std::fmt::Display>(
    step: impl FnOnce() -> Result<T, E>,
) -> Result<T, String> {
    match quietly(step) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("it is damaged".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught() {
        assert!(quietly(|| panic!("not printed")).is_err());
        assert_eq!(quietly(|| 1).ok(), Some(1));
    }
}
