//! The subcommands, one in every file.

mod choice;
mod choose;
mod completions;
mod demo;
mod evaluate;
mod explain;
mod fit;
mod import;
mod inspect;
mod label;
mod man;
mod outliers;
mod page;
mod predict;
mod profile;
mod report;
mod shared;
mod stream;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::args::Common;
use crate::backend;

/// Why is this data point in that cluster?
///
/// Rewrites a clustering exactly as a neural network and explains it by a relevance pass through
/// the network (NEON): how much every feature contributed to the assignment of every point.
#[derive(Parser)]
#[command(
    name = "neuralize",
    version,
    arg_required_else_help = true,
    after_long_help = AFTER_HELP
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

const AFTER_HELP: &str = "\
Tables are text (CSV and its relatives, also compressed), JSON lines or arrays of records, Parquet, Excel workbooks, \
NumPy arrays and archives, and folders of part files; the content decides. The columns of an array are named x0, x1 and so \
on; if an array has as many columns as the model has features, they are matched by position. - is text from \
standard input. Results go to standard output, messages to standard error.

Exit codes: 0 success, 1 failure, 2 wrong usage, 129 hung up, 130 interrupted, 143 terminated. Files \
are written whole or not at all.

Example: neuralize demo --out wine
Example: cat wine.csv | neuralize predict - --model model";

#[derive(Subcommand)]
enum Command {
    /// Run a demonstration on the built-in wine data
    Demo(demo::DemoArgs),
    /// Say how many clusters a table has, or that no number is clear
    Choose(choose::ChooseArgs),
    /// Fit k-means or another clustering method to a table
    Fit(fit::FitArgs),
    /// Make a model of clusters found elsewhere, from a column of labels
    Label(label::LabelArgs),
    /// Make a model of centroids fitted elsewhere
    Import(import::ImportArgs),
    /// Predict the cluster of every row: index,cluster,logit,probability
    Predict(predict::PredictArgs),
    /// Explain why every row is in its cluster: index,cluster,logit and the relevance of every feature
    Explain(explain::ExplainArgs),
    /// Say what every cluster is: sentences, rules, typical rows
    Profile(profile::ProfileArgs),
    /// Score outliers and explain the scores: index,score and the relevance of every feature
    Outliers(outliers::OutlierArgs),
    /// Compare methods of explanation on a model
    Evaluate(evaluate::EvaluateArgs),
    /// Write a page that explains a clustering, for a browser
    Report(report::ReportArgs),
    /// Show what is known of a model
    Inspect(inspect::InspectArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Print or write manual pages
    Man(man::ManArgs),
}

pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let common = &arguments.common;
    match arguments.command {
        Command::Demo(args) => backend::run(args, common),
        Command::Choose(args) => backend::run(args, common),
        Command::Fit(args) => backend::run(args, common),
        Command::Import(args) => backend::run(args, common),
        Command::Label(args) => backend::run(args, common),
        Command::Outliers(args) => backend::run(args, common),
        Command::Predict(args) => backend::run(args, common),
        Command::Profile(args) => backend::run(args, common),
        Command::Explain(args) => backend::run(args, common),
        Command::Evaluate(args) => backend::run(args, common),
        Command::Report(args) => backend::run(args, common),
        Command::Inspect(args) => args.run(),
        Command::Completions(args) => args.run(Arguments::command()),
        Command::Man(args) => args.run(Arguments::command()),
    }
}
