//! The command `neuralize`: a thin shell over the library. It parses, calls
//! and prints.

mod args;
mod backend;
mod command;
mod input;
mod interrupt;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Usage};

/// Exit codes: 0 done, 1 failed, 2 wrong usage (also clap's own), 130 and 143
/// interrupted.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    interrupt::watch();
    match command::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the results has had enough of them.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(format_args!("error: {}", message(&error)));
            if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// The error and its causes, leaving out a cause that is told already.
fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}\n  because {cause}");
        }
    }
    text
}
