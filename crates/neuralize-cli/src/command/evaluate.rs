//! `neuralize evaluate`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use clap::{Args, ValueEnum, ValueHint};
use neuralize::Error;
use neuralize::baseline::Tracked;
use neuralize::data::{RowSet, ScaledParts, TableOptions};
use neuralize::evaluate::EvaluateConfig;
use neuralize::plot::FigureSet;
use neuralize::record::Model;
use neuralize::report;

use crate::args::{ModelArgs, Usage};
use crate::backend::{Job, Session};
use crate::command::shared;
use crate::output::Output;
use crate::parse::MethodList;
use crate::progress::Bar;
use crate::{input, parse};

#[derive(Args)]
#[command(
    after_help = "The table is held in memory. The default output shows five measures, says what each is and which values are \
                  better, and ends with the method to trust; --all-measures shows all. Messages on standard error name methods that do not apply to this model or these data.\n\n\
                  Example: neuralize evaluate wine.csv --model model --methods neon,sensitivity --points 40\n\
                  Example: neuralize evaluate wine.csv --model model --methods neon,random --report compared.html"
)]
pub(super) struct EvaluateArgs {
    #[command(flatten)]
    input: ModelArgs,
    /// Methods to compare, separated by commas: all, usual (one or two of every kind), or names; some
    /// take a reference, as in occlusion:mean
    #[arg(long, default_value = "usual", value_name = "LIST", value_parser = parse::methods)]
    methods: MethodList,
    /// Use only these rows: numbers, counted from 0, and ranges, such as 60,61,100-120
    #[arg(long, value_name = "ROWS", value_parser = parse::rows, allow_negative_numbers = true)]
    rows: Option<RowSet>,
    /// Use only the first N of these rows
    #[arg(long, value_name = "N", value_parser = parse::whole::<usize>, allow_negative_numbers = true)]
    limit: Option<usize>,
    /// Maximum number of points to explain, drawn at random from the rows [default: 10000]
    #[arg(long, value_name = "N", value_parser = parse::count, allow_negative_numbers = true)]
    points: Option<usize>,
    /// Print all measures instead of five; files have all
    #[arg(long)]
    all_measures: bool,
    /// Column of known classes: not a feature, and not used
    #[arg(long, value_name = "COL")]
    label: Option<String>,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = parse::whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
    /// Also write a page with tables and figures, for a browser
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
    /// Also write figures to this folder, as SVG (and PNG in a build with the feature `png`)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    figures: Option<PathBuf>,
    /// File for the results [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Format of the results [default: from the extension of the file, otherwise text]
    #[arg(long, value_enum)]
    format: Option<ComparisonName>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ComparisonName {
    /// A table of methods and measures, aligned for a terminal
    Text,
    /// method,measure,value
    Csv,
    /// Everything, with the curves
    Json,
}

impl Job for EvaluateArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let format = self.format()?;
        shared::check_output(&self.input, self.output.as_deref())?;
        shared::check_output(&self.input, self.report.as_deref())?;
        shared::check_figures(self.figures.as_deref(), &self.input.data)?;
        let model = Model::<B>::load(&self.input.model, &session.device, session.dtype)?;
        let subject = Tracked::<Autodiff<B>>::new(model.clusterer().clone())?;
        // An error about an output comes before anything is computed.
        let mut output = Output::open(self.output.as_deref())?;
        let page = self.report.as_deref().map(|path| Output::open(Some(path))).transpose()?;
        if let Some(folder) = &self.figures {
            shared::create_folder(folder)?;
        }
        let x = self.scaled(session, &model)?;

        let found = {
            let mut bar = Bar::methods(self.methods.0.len(), session.quiet);
            let mut progress = |done, _, method: &str| bar.set(done as u64, || method.to_owned());
            self.config().run(&subject, &x, &mut progress)
        };
        let found = match found {
            Err(Error::Empty { .. }) => bail!(nothing_to_evaluate(&self.input.data)),
            other => other?,
        };
        for method in &found.methods {
            if let Some(reason) = &method.refused {
                session.note(format!("note: {} is left out: {reason}", method.name));
            }
        }
        if let Some(mut page) = page {
            let name = Output::name(self.report.as_deref());
            let html = report::evaluation(&found, &input::title(&self.input.data))?;
            page.write_all(html.as_bytes()).with_context(|| name.clone())?;
            page.finish()?;
            session.note(format!("report written to {name}"));
        }
        if let Some(folder) = &self.figures {
            shared::save_figures(session, &FigureSet::of_evaluation(&found)?, folder)?;
        }
        let written = match format {
            ComparisonName::Text if self.all_measures => {
                write!(output, "{}\n{}\n", found.text(), found.advice())
            }
            ComparisonName::Text => output.write_all(found.brief().as_bytes()),
            ComparisonName::Csv => found.write_csv(&mut output, self.delimiter(session)),
            ComparisonName::Json => found.write_json(&mut output),
        };
        written.with_context(|| Output::name(self.output.as_deref()))?;
        output.finish()
    }
}

impl EvaluateArgs {
    fn config(&self) -> EvaluateConfig {
        let mut config = EvaluateConfig {
            methods: self.methods.0.clone(),
            seed: self.seed,
            ..EvaluateConfig::default()
        };
        if let Some(points) = self.points {
            config.max_points = points;
        }
        config
    }

    /// All rows, scaled.
    fn scaled<B: Backend>(&self, session: &Session<B>, model: &Model<B>) -> Result<Tensor<B, 2>> {
        let path = &self.input.data;
        let label = self.label.iter();
        let options = self.input.options(model.table_options());
        let options = label.fold(options, TableOptions::with_label);
        let parts = model.parts(shared::open(session, path, options)?)?;
        let parts = self.rows.iter().cloned().fold(parts, ScaledParts::with_rows);
        let parts = self.limit.into_iter().fold(parts, ScaledParts::with_limit);
        let mut scaled = Vec::new();
        shared::each_part(session, path, parts, |part| {
            scaled.push(part.x.clone());
            Ok(())
        })?;
        if scaled.is_empty() {
            bail!(nothing_to_evaluate(path));
        }
        Ok(Tensor::cat(scaled, 0))
    }

    /// The format of the results.
    fn format(&self) -> Result<ComparisonName> {
        let output = self.output.as_deref();
        if let Some(report) = &self.report {
            Output::check_other("--report", report, output)?;
        }
        if let Some(format) = self.format {
            return Ok(format);
        }
        match ending(output).as_deref() {
            Some("json") => Ok(ComparisonName::Json),
            Some("csv" | "tsv" | "tab") => Ok(ComparisonName::Csv),
            Some(other @ ("html" | "htm" | "svg" | "png" | "parquet" | "pq" | "npy")) => {
                let text = format!(
                    "--output: results are not written as .{other}; name a .txt, .csv, .tsv or .json file (--report writes a page)"
                );
                Err(Usage(text).into())
            }
            _ => Ok(ComparisonName::Text),
        }
    }

    fn delimiter<B: Backend>(&self, session: &Session<B>) -> u8 {
        let usual = match ending(self.output.as_deref()).as_deref() {
            Some("tsv" | "tab") => b'\t',
            _ => b',',
        };
        session.delimiter.unwrap_or(usual)
    }
}

fn ending(path: Option<&Path>) -> Option<String> {
    Some(path?.extension()?.to_string_lossy().to_lowercase())
}

fn nothing_to_evaluate(table: &Path) -> String {
    format!("{}: there are no rows to explain", input::name(table))
}
