//! Messages on standard error.

use std::io::{self, Write};

/// Prints a line. A closed standard error is not a failure.
pub(crate) fn tell(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
