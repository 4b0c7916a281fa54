//! The command, run as a person runs it.

mod answers;
mod desk;
mod evaluate;
mod formats;
mod habits;
mod help;
#[cfg(unix)]
mod interrupts;
mod models;
mod refusals;
mod report;
mod selection;
