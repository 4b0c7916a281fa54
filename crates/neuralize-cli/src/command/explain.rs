use std::num::NonZeroUsize;

use anyhow::{Result, anyhow};
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::baseline::{Check, CheckReport};
use neuralize::data::{Format, Results, Selection, Sort};
use neuralize::record::Model;

use crate::args::ExplainArgs;
use crate::backend::{Job, Session};
use crate::command::report;
use crate::command::stream::{self, Source};
use crate::output::{self, Output, tell};

impl Job for ExplainArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let format = output::format(&self.results, session.delimiter)?;
        let model = Model::<B>::load(&self.model, &session.device, session.dtype)?;
        let network = model.neuralize()?;
        let target = self.target();
        // Asked of no rows at all, a question that the model cannot answer fails
        // before anything is written.
        let none = Tensor::<B, 2>::zeros(
            [0, model.clusterer().n_features()],
            (&session.device, session.dtype),
        );
        network.explain(&none, target, self.beta)?;
        let mut check = match self.check || self.report.is_some() {
            true => Some(checked(Check::<Autodiff<B>>::new(&network, target, self.beta))?),
            false => None,
        };
        let mut builder = match &self.report {
            Some(_) => Some(report::start(&model, &self.data, self.label.as_deref(), self.beta)?),
            None => None,
        };
        let path = self.results.output.as_deref();
        let mut output = Output::open(path)?;
        let results = Results::new(Output::name(path), &mut output, format, session.dtype);
        let mut writer = results.explanations(&model.info().features, self.selection(format))?;
        stream::scaled_parts(session, &self.source(), &model, |part| {
            let explanation = network.explain(&part.scaled, target, self.beta)?;
            writer.write(part.rows.iter().copied(), &explanation)?;
            if let Some(check) = &mut check {
                checked(check.add(&part.scaled, &explanation))?;
            }
            match &mut builder {
                Some(builder) => report::add(builder, &part.rows, &part.table, &explanation),
                None => Ok(()),
            }
        })?;
        let found = check.map(|check| check.report());
        let page = builder.map(|builder| builder.finish(found.as_ref())).transpose()?;
        writer.finish()?;
        output.finish()?;
        if let (Some(page), Some(path)) = (&page, &self.report) {
            report::save(page, path, session)?;
        }
        if let Some(found) = found.filter(|_| self.check) {
            tell(describe(&found).trim_end());
        }
        Ok(())
    }
}

impl ExplainArgs {
    /// The rows that are explained.
    fn source(&self) -> Source<'_> {
        // In the order of rows the first results are those of the first rows.
        let limit = self.limit.filter(|_| Sort::from(self.sort) == Sort::Row);
        Source { path: &self.data, label: self.label.as_deref(), rows: self.rows.as_ref(), limit }
    }

    /// What of their explanations is written.
    fn selection(&self, format: Format) -> Selection {
        const TOP_OF_A_TABLE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);
        let table = matches!(format, Format::Table { .. });
        let mut selection = Selection::default().with_sort(self.sort.into());
        if let Some(top) = self.top.or(table.then_some(TOP_OF_A_TABLE)) {
            selection = selection.with_top(top);
        }
        match self.limit {
            Some(limit) => selection.with_limit(limit),
            None => selection,
        }
    }
}

/// An error of a check is not one in the file: it is about the shifted data.
pub(super) fn checked<T>(result: neuralize::Result<T>) -> Result<T> {
    result.map_err(|error| anyhow!("checking the explanations: {error}"))
}

/// What a check found, in words.
pub(super) fn describe(report: &CheckReport) -> String {
    format!(
        "checked {} points; errors relative to the point's sum of |relevance|\n\
         conservation error   max {:.1e}, mean {:.1e} (relevances sum to the logit)\n\
         shift invariance     max {:.1e} (data and centroids shifted by {})\n\
         autodiff agreement   max {:.1e} (beta = inf against gradient x (input - boundary){})\n\
         gradient x input     conservation error mean {:.1e} (not NEON, for comparison)\n",
        report.points,
        report.conservation_max,
        report.conservation_mean,
        report.shift_max,
        report.shift,
        report.autodiff_max,
        match report.ties {
            0 => String::new(),
            ties => format!("; {ties} points at ties left out"),
        },
        report.gradient_times_input_mean,
    )
}
