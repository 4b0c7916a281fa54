//! The command, run as a person runs it.

mod answers;
mod choose;
mod desk;
mod evaluate;
mod formats;
mod habits;
mod help;
#[cfg(unix)]
mod interrupts;
mod messages;
mod models;
mod outputs;
#[path = "../../crates/neuralize-cli/src/parse.rs"]
#[allow(dead_code, reason = "the command uses it; its own tests run here")]
mod parse;
mod profile;
#[path = "../../crates/neuralize-cli/src/progress.rs"]
#[allow(dead_code, reason = "the command uses it; its own tests run here")]
mod progress;
mod refusals;
mod report;
mod selection;
mod tables;
mod tables_asked;
