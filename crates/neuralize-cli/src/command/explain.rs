use anyhow::{Result, anyhow};
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::baseline::{Check, CheckReport};
use neuralize::cluster::Clusterer;
use neuralize::data::{Format, Results, Selection, Sort};
use neuralize::explain::Target;
use neuralize::network::Network;
use neuralize::record::Model;

use crate::args::{ExplainArgs, RuleName, Usage};
use crate::backend::{Job, Session};
use crate::command::fit::listed;
use crate::command::outliers::shown_of;
use crate::command::report::{self, Page};
use crate::command::stream::{self, Source};
use crate::output::{self, Output, tell};

impl Job for ExplainArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let format = output::format(&self.results, session.delimiter)?;
        let model = Model::<B>::load(&self.model, &session.device, session.dtype)?;
        let network = self.network(&model)?;
        let target = self.target(&model)?;
        // Asked of no rows at all, a question that the model cannot answer fails
        // before anything is written.
        let none = Tensor::<B, 2>::zeros(
            [0, model.clusterer().n_features()],
            (&session.device, session.dtype),
        );
        network.explain(&none, target, self.beta)?;
        let mut check = if self.check {
            Some(checked(Check::<Autodiff<B>>::new(self.network(&model)?, target, self.beta))?)
        } else {
            None
        };
        let path = self.results.output.as_deref();
        let mut page = self.page(session, &model)?;
        let mut output = Output::open(path)?;
        let results = Results::new(Output::name(path), &mut output, format, session.dtype)
            .with_cluster_names(model.info().labels.clone());
        let columns = network.contribution_names(&model.info().features);
        let mut writer = Some(results.explanations(&columns, self.selection(format))?);
        stream::scaled_parts(session, &self.source(), &model, |part| {
            let explanation = network.explain(&part.scaled, target, self.beta)?;
            if let Some(open) = &mut writer {
                let written = open.write(part.rows.iter().copied(), &explanation);
                match written.map_err(anyhow::Error::from) {
                    // Whoever reads the results has had enough; the page is another matter.
                    Err(error) if page.is_some() && output::is_closed_pipe(&error) => writer = None,
                    other => other?,
                }
            }
            if let Some(check) = &mut check {
                checked(check.add(&part.scaled, &explanation))?;
            }
            match &mut page {
                Some(page) => page.add(&part.rows, &part.table, &part.scaled, &explanation),
                None => Ok(()),
            }
        })?;
        // Whoever reads one of these may have had enough; the others are another matter.
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
            tell(describe(&check.report()).trim_end());
        }
        closed.map_or(Ok(()), Err)
    }
}

impl ExplainArgs {
    /// The rows that are explained.
    fn source(&self) -> Source<'_> {
        // In the order of rows the first results are those of the first rows.
        let limit = self.limit.filter(|_| Sort::from(self.sort) == Sort::Row);
        Source { path: &self.data, label: self.label.as_deref(), rows: self.rows.as_ref(), limit }
    }

    /// What is asked.
    fn target<B: Backend>(&self, model: &Model<B>) -> Result<Target> {
        let number = |option: &str, text: &String| {
            let labels = model.info().labels.as_deref().unwrap_or_default();
            let named = labels.iter().position(|label| label == text);
            let numbered = || text.parse::<usize>().ok().filter(|_| labels.is_empty());
            named.or_else(numbered).ok_or_else(|| {
                let known = match labels {
                    [] if option == "--cluster" => {
                        "it must be `assigned` or the number of a cluster".to_owned()
                    }
                    [] => "it must be the number of a cluster".to_owned(),
                    labels => format!("the model's clusters are {}", listed(labels)),
                };
                Usage(format!("{option} {text}: {known}"))
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

    /// The model's network, in the mode that is asked for.
    fn network<B: Backend>(&self, model: &Model<B>) -> Result<Box<dyn Network<B>>> {
        if !self.leave_one_out && self.rule.is_none() {
            return Ok(model.neuralize()?);
        }
        let Clusterer::Kernel(clusterer) = model.clusterer() else {
            let option = if self.leave_one_out { "--leave-one-out" } else { "--rule" };
            let text = format!(
                "{option}: {} was made by another method; models of points come from `fit --method kernel` and `label`",
                self.model.display()
            );
            return Err(Usage(text).into());
        };
        let rule = self.rule.unwrap_or(RuleName::Summed);
        let network = clusterer.neuralize()?.with_rule(rule.into());
        Ok(Box::new(network.leaving_out_training_points(self.leave_one_out)))
    }

    /// The page about them, if one is asked for.
    fn page<'a, B: Backend>(
        &self,
        session: &'a Session<B>,
        model: &'a Model<B>,
    ) -> Result<Option<Page<'a, B>>> {
        let Some(path) = &self.report else { return Ok(None) };
        let results = self.results.output.as_deref();
        if Output::is_same(results, Some(path)) {
            let text = format!("--report: {} takes the results already", Output::name(results));
            return Err(Usage(text).into());
        }
        let page = Page::start(session, model, &report::title(&self.data), self.beta, path)?;
        Ok(Some(match &self.label {
            Some(label) => page.with_label(label),
            None => page,
        }))
    }

    /// What of their explanations is written.
    fn selection(&self, format: Format) -> Selection {
        let mut selection = Selection::default().with_sort(self.sort.into());
        if let Some(top) = shown_of(self.top, format) {
            selection = selection.with_top(top);
        }
        match self.limit {
            Some(limit) => selection.with_limit(limit),
            None => selection,
        }
    }
}

/// An error of a check is not one in the file: it is about the shifted data.
fn checked<T>(result: neuralize::Result<T>) -> Result<T> {
    result.map_err(|error| anyhow!("--check: {error}"))
}

/// What a check found, in words.
pub(super) fn describe(report: &CheckReport) -> String {
    let mut text = format!(
        "checked {} points; errors relative to the point's sum of |relevance|\n\
         conservation error   max {:.1e}, mean {:.1e} (relevances sum to the logit)\n",
        report.points, report.conservation_max, report.conservation_mean,
    );
    if report.absorbed_mean > 1e-6 {
        text += &format!(
            "no feature's         {:.1} % on average (in columns in parentheses)\n",
            100.0 * report.absorbed_mean
        );
    }
    if let Some(shift_max) = report.shift_max {
        text += &format!(
            "shift invariance     max {shift_max:.1e} (data and centroids shifted by {})\n",
            report.shift
        );
    }
    if let (Some(autodiff_max), Some(missed)) =
        (report.autodiff_max, report.gradient_times_input_mean)
    {
        let ties = match report.ties {
            0 => String::new(),
            ties => format!("; {ties} points at ties left out"),
        };
        text += &format!(
            "autodiff agreement   max {autodiff_max:.1e} (beta = inf against gradient x (input - boundary){ties})\n\
             gradient x input     conservation error mean {missed:.1e} (not NEON, for comparison)\n",
        );
    }
    text
}
