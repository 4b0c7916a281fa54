//! `neuralize explain`

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use clap::{Args, ValueEnum, ValueHint};
use neuralize::baseline::Check;
use neuralize::cluster::Clusterer;
use neuralize::data::{RowSet, ScaledParts, Shown, TableOptions};
use neuralize::explain::{Beta, Root, Rule, Target};
use neuralize::network::Network;
use neuralize::output::{Results, Sort};
use neuralize::record::Model;

use crate::args::{ModelArgs, ResultArgs, SelectionArgs, Usage};
use crate::backend::{Job, Session};
use crate::command::page::Page;
use crate::command::shared::{self, counted};
use crate::message::tell;
use crate::output::{self, Output};
use crate::parse;

#[derive(Args)]
#[command(
    after_help = "Relevances are in the units of the model's distance between scaled points: squared units for k-means. The \
                  relevances of a row sum to its logit. Columns in parentheses hold what belongs to no feature (entropy or \
                  ties of a model of points, prior and variance of a mixture, by other rules than secant; root, where one \
                  cluster nowhere beats another).\n\n\
                  Example: neuralize explain new.csv --model model --check -o relevance.csv\n\
                  Example: neuralize explain new.csv --model model --rows 60,61,100-120 --format table\n\
                  Example: neuralize explain new.csv --model model --sort ambiguous --limit 10 --top 5"
)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    input: ModelArgs,
    /// Weighting of the competitors: auto (from the model) or a number, from 0 (all alike) to inf
    /// (only the nearest)
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|B",
        value_parser = parse::beta,
        allow_negative_numbers = true
    )]
    beta: Beta,
    /// Cluster to explain: the row's own (assigned), or one for all rows, by its number or label
    #[arg(
        long,
        default_value = "assigned",
        value_name = "assigned|C",
        allow_negative_numbers = true
    )]
    cluster: String,
    /// Explain the cluster against this cluster only: why not K?
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    versus: Option<String>,
    /// Explain only these rows: numbers, counted from 0, and ranges, such as 60,61,100-120
    #[arg(long, value_name = "ROWS", value_parser = parse::rows, allow_negative_numbers = true)]
    rows: Option<RowSet>,
    /// Order of the results; any order but `row` keeps all results in memory, or twice the limit
    #[arg(long, value_enum, default_value_t = SortName::Row)]
    sort: SortName,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Explain a training row without its own support (models of kernel and label)
    #[arg(long)]
    leave_one_out: bool,
    /// How relevance goes from clusters to features (models of kernel, label and gmm)
    #[arg(long, value_enum)]
    rule: Option<RuleName>,
    /// What relevance measures from, a point where two clusters are equal. midway: on the line between
    /// them; toward: on the way from the row to the other cluster; near: to its nearest point; L: from a
    /// place between (0 midway, 1 toward). Not for other distances [default: midway for kmeans, toward
    /// for kernel, label and gmm]
    #[arg(long, value_name = "midway|toward|near|L", value_parser = parse::root, allow_negative_numbers = true)]
    root: Option<Root>,
    /// Also measure conservation and, where the model allows it, shift invariance and agreement with
    /// autodiff
    #[arg(long)]
    check: bool,
    /// Also write a page about these rows, for a browser; --top does not apply to it, and the table is
    /// held in memory (not with --cluster, --versus, --limit, --rule, --root or --leave-one-out)
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["cluster", "versus", "limit", "leave_one_out", "rule", "root"])]
    report: Option<PathBuf>,
    /// Column of known classes, for the report
    #[arg(long, value_name = "COL", requires = "report")]
    label: Option<String>,
    #[command(flatten)]
    results: ResultArgs,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum RuleName {
    /// From a point where both clusters are equal: relevances sum to the logit
    Secant,
    /// NEON: contributions are summed before they are divided; biases stay apart
    Summed,
    /// Pair by pair, as in the literature: singular where two points are equally near (not gmm)
    Pairwise,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum SortName {
    /// The order of the file
    Row,
    /// Nearest to the boundary first
    Ambiguous,
    /// Largest logit first
    Typical,
}

impl From<SortName> for Sort {
    fn from(name: SortName) -> Self {
        match name {
            SortName::Row => Self::Row,
            SortName::Ambiguous => Self::Ambiguous,
            SortName::Typical => Self::Typical,
        }
    }
}

/// Rows whose relevances do not sum to the logit, since digits are lost.
struct Missed {
    /// The largest error that is nothing to speak of, in parts of Σ|R|.
    most: f64,
    rows: usize,
    /// The largest error and its row.
    worst: (f64, usize),
}

impl Missed {
    fn new(dtype: DType) -> Self {
        let most = if dtype == DType::F64 { 1e-6 } else { 1e-3 };
        Self { most, rows: 0, worst: (0.0, 0) }
    }

    fn add<B: Backend>(&mut self, rows: &[usize], errors: Tensor<B, 1>) {
        for (&row, error) in rows.iter().zip(errors.into_data().iter::<f64>()) {
            if error > self.most {
                self.rows += 1;
                self.worst = if error > self.worst.0 { (error, row) } else { self.worst };
            }
        }
    }

    fn note(&self) -> Option<String> {
        let (error, row) = self.worst;
        (self.rows > 0).then(|| {
            format!(
                "the relevances of {} do not sum to the logit, by up to {error:.0e} of their size (row {row}): digits are \
                 lost where values are far from 0 or hardly differ; a fit with another `--scale` keeps them",
                counted(self.rows, "row")
            )
        })
    }
}

impl Job for ExplainArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        self.explain(session).map_err(|error| {
            shared::advised(error, &self.input.model, "give one, such as --beta 1")
        })
    }
}

impl ExplainArgs {
    fn explain<B: Backend>(&self, session: &Session<B>) -> Result<()> {
        shared::check_output(&self.input, self.results.output.as_deref())?;
        shared::check_output(&self.input, self.report.as_deref())?;
        let format = output::format(&self.results, session.delimiter)?;
        let model = Model::<B>::load(&self.input.model, &session.device, session.dtype)?;
        let network = self.network(&model)?;
        let target = self.target(&model)?;
        // A question that the model cannot answer fails here, before anything is
        // written: there are no rows to explain yet.
        let no_rows = Tensor::<B, 2>::zeros(
            [0, model.clusterer().n_features()],
            (&session.device, session.dtype),
        );
        network.explain(&no_rows, target, self.beta)?;
        let mut check = if self.check {
            Some(checked(Check::<Autodiff<B>>::new(self.network(&model)?, target, self.beta))?)
        } else {
            None
        };
        let path = self.results.output.as_deref();
        let mut page = self.page(session, &model)?;
        let mut output = Output::open(path)?;
        let parts = self.parts(session, &model)?;
        let results = Results::new(Output::name(path), &mut output, format, session.dtype)
            .with_cluster_names(model.info().labels.clone())
            .with_row_names(parts.id().map(str::to_owned));
        let columns = network.contribution_names(&model.info().columns());
        let selection = shared::selection(&self.selection, self.sort.into(), format);
        let mut writer = Some(results.explanations(&columns, selection)?);
        let mut missed = Missed::new(session.dtype);
        shared::each_part(session, &self.input.data, parts, |part| {
            let explanation = network.explain(&part.x, target, self.beta)?;
            missed.add(&part.rows, explanation.conservation_error());
            if let Some(open) = &mut writer {
                let shown = explanation.clone().by_column(model.info().encoding.as_ref())?;
                let written = open.write(shared::keys(part), &shown);
                match written.map_err(anyhow::Error::from) {
                    // The reader of the results is gone; the page is still wanted.
                    Err(error) if page.is_some() && output::is_closed_pipe(&error) => writer = None,
                    other => other?,
                }
            }
            if let Some(check) = &mut check {
                checked(check.add(&part.x, &explanation))?;
            }
            match &mut page {
                Some(page) => page.add(part, &explanation),
                None => Ok(()),
            }
        })?;
        if let Some(note) = missed.note() {
            session.note(note);
        }
        // If one of the pipes is closed, the other outputs are still wanted.
        let mut closed = None;
        let mut unless_closed = |result: Result<()>| match result {
            Err(error) if output::is_closed_pipe(&error) => {
                closed = Some(error);
                Ok(())
            }
            other => other,
        };
        if let Some(page) = page {
            unless_closed(page.finish())?;
        }
        let written = writer.map(|writer| writer.finish()).transpose();
        match written.map_err(anyhow::Error::from) {
            Ok(Some(())) => unless_closed(output.finish())?,
            Ok(None) => {}
            Err(error) => unless_closed(Err(error))?,
        }
        if let Some(check) = check {
            tell(shared::described(&check.report(), session.dtype).trim_end());
        }
        closed.map_or(Ok(()), Err)
    }

    /// The rows to explain.
    fn parts<B: Backend>(
        &self,
        session: &Session<B>,
        model: &Model<B>,
    ) -> Result<ScaledParts<'static, B>> {
        let label = self.label.iter();
        let options = self.input.options(model.table_options());
        let options = label.fold(options, TableOptions::with_label);
        let parts = model.parts(shared::open(session, &self.input.data, options)?)?;
        let parts = self.rows.iter().cloned().fold(parts, ScaledParts::with_rows);
        // In the order of rows, the first results are those of the first rows.
        let limit = self.selection.limit.filter(|_| self.sort == SortName::Row);
        Ok(limit.into_iter().fold(parts, ScaledParts::with_limit))
    }

    /// The question.
    fn target<B: Backend>(&self, model: &Model<B>) -> Result<Target> {
        let number = |option: &str, text: &String| {
            model.cluster(text).ok_or_else(|| {
                let known = match &model.info().labels {
                    Some(labels) => {
                        format!("the clusters of the model are {}", shared::listed_labels(labels))
                    }
                    None if option == "--cluster" => {
                        "give `assigned` or the number of a cluster".to_owned()
                    }
                    None => "give the number of a cluster".to_owned(),
                };
                Usage(format!("{option} {}: {known}", Shown(text)))
            })
        };
        let cluster = match self.cluster.as_str() {
            "assigned" => None,
            _ => Some(number("--cluster", &self.cluster)?),
        };
        let versus = self.versus.as_ref().map(|versus| number("--versus", versus)).transpose()?;
        Ok(match (cluster, versus) {
            (None, None) => Target::Assigned,
            (None, Some(versus)) => Target::AssignedVersus(versus),
            (Some(cluster), None) => Target::Cluster(cluster),
            (Some(cluster), Some(versus)) => Target::Contrast { cluster, versus },
        })
    }

    /// The network of the model, with the options of some models.
    fn network<B: Backend>(&self, model: &Model<B>) -> Result<Box<dyn Network<B>>> {
        let network: Box<dyn Network<B>> = match model.clusterer() {
            Clusterer::Kernel(clusterer) if self.leave_one_out => {
                Box::new(clusterer.neuralize()?.leaving_out_training_points(true))
            }
            _ if self.leave_one_out => {
                let of = "points, as `fit --method kernel` and `label` make";
                return Err(self.refused("--leave-one-out", of));
            }
            _ => model.neuralize()?,
        };
        if self.rule.is_none() && self.root.is_none() {
            return Ok(network);
        }
        let rule = self.chosen_rule()?;
        match model.clusterer() {
            Clusterer::KMeans(_) if !matches!(self.rule, None | Some(RuleName::Secant)) => {
                Err(self.refused("--rule", "points or a mixture; for k-means choose `--root`"))
            }
            Clusterer::Separable(_) => {
                let (option, of) = match self.rule {
                    Some(_) => ("--rule", "points or a mixture"),
                    None => ("--root", "squared Euclidean distances, points or a mixture"),
                };
                Err(self.refused(option, of))
            }
            Clusterer::Mixture(_) if rule == Rule::Pairwise => {
                Err(self.refused("--rule pairwise", "points"))
            }
            _ => Ok(network.explained_by(rule)?),
        }
    }

    fn chosen_rule(&self) -> Result<Rule> {
        Ok(match (self.rule, self.root) {
            (None | Some(RuleName::Secant), Some(root)) => Rule::Secant(root),
            (None | Some(RuleName::Secant), None) => Rule::default(),
            (Some(_), Some(_)) => {
                let text = "--root: only `--rule secant` measures from a root".to_string();
                return Err(Usage(text).into());
            }
            (Some(RuleName::Summed), None) => Rule::Summed,
            (Some(RuleName::Pairwise), None) => Rule::Pairwise,
        })
    }

    /// The error of an option that is not for this model.
    fn refused(&self, option: &str, of: &str) -> anyhow::Error {
        let model = Shown::path(&self.input.model);
        Usage(format!("{option}: {model} is not a model of {of}")).into()
    }

    /// The page, if the command line names one.
    fn page<'a, B: Backend>(
        &self,
        session: &'a Session<B>,
        model: &'a Model<B>,
    ) -> Result<Option<Page<'a, B>>> {
        let Some(path) = &self.report else { return Ok(None) };
        Output::check_other("--report", path, self.results.output.as_deref())?;
        let (data, label) = (&self.input.data, self.label.as_ref());
        Page::start(session, model, data, self.beta, path, None, label).map(Some)
    }
}

/// An error of a check is about shifted data, not about the file.
fn checked<T>(result: neuralize::Result<T>) -> Result<T> {
    result.map_err(|error| anyhow!("--check: {error}"))
}
