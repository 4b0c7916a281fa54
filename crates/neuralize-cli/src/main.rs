//! The command `neuralize`: parses arguments, calls the library and prints.

mod args;
mod backend;
mod command;
mod input;
mod interrupt;
mod message;
mod output;
mod parse;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use args::Usage;
use command::Arguments;

/// Exit codes: 0 success, 1 failure, 2 wrong usage (also from clap), 129, 130 and
/// 143 interrupted.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    interrupt::watch();
    match command::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the results closed the pipe: a normal end.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            message::tell(format_args!("error: {}", described(&error)));
            if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// The error and its causes, without those that its text contains already.
fn described(error: &anyhow::Error) -> String {
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
