//! Messages on standard error.

use std::fmt::Write as _;
use std::io::{self, Write};

use neuralize::data::Shown;

use crate::progress;

/// Prints a text, above the bar if there is one. A closed standard error is not a failure.
pub(crate) fn tell(text: impl std::fmt::Display) {
    let text = harmless(&text.to_string());
    progress::above(|| {
        let _ = writeln!(io::stderr(), "{text}");
    });
}

/// The text without characters that control a terminal: what is named in it may come from anywhere.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' {
            shown.push(character);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", Shown(character.encode_utf8(&mut [0; 4])));
        }
    }
    shown
}
