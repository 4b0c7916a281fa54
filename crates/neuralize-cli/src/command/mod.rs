//! One file a subcommand.

mod completions;
mod demo;
mod evaluate;
mod explain;
mod fit;
mod import;
mod inspect;
mod label;
mod man;
mod methods;
mod outliers;
mod predict;
mod report;
mod stream;

use anyhow::Result;

use crate::args::{Arguments, Command};
use crate::backend;

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let common = &arguments.common;
    match arguments.command {
        Command::Demo(args) => backend::run(args, common),
        Command::Fit(args) => backend::run(args, common),
        Command::Import(args) => backend::run(args, common),
        Command::Label(args) => backend::run(args, common),
        Command::Outliers(args) => backend::run(args, common),
        Command::Predict(args) => backend::run(args, common),
        Command::Explain(args) => backend::run(args, common),
        Command::Evaluate(args) => backend::run(args, common),
        Command::Report(args) => backend::run(args, common),
        Command::Inspect(args) => inspect::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
