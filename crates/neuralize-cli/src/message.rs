//! Messages on standard error.

use std::io::{self, Write};

use crate::progress;

/// Prints a line, above the bar if there is one. A closed standard error is not a failure.
pub(crate) fn tell(text: impl std::fmt::Display) {
    progress::above(|| {
        let _ = writeln!(io::stderr(), "{text}");
    });
}
