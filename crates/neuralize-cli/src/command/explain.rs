use anyhow::{Result, anyhow};
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::baseline::{Check, CheckReport};
use neuralize::data::ExplanationWriter;
use neuralize::record::Model;

use crate::args::ExplainArgs;
use crate::backend::{Job, Session};
use crate::command::stream;
use crate::output::{Output, tell};

impl Job for ExplainArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
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
        let mut check = match self.check {
            true => Some(
                Check::<Autodiff<B>>::new(&network, target, self.beta)
                    .map_err(|error| anyhow!("--check: {error}"))?,
            ),
            false => None,
        };
        let path = self.output.as_deref();
        let features = &model.info().features;
        let mut writer = ExplanationWriter::new(
            &Output::name(path),
            Output::open(path)?,
            session.delimiter,
            features,
        );
        stream::scaled_parts(session, &self.data, &model, |x| {
            let explanation = network.explain(&x, target, self.beta)?;
            writer.write(&explanation)?;
            if let Some(check) = &mut check {
                // Not an error in the file: it is about the shifted data.
                check.add(&x, &explanation).map_err(|error| anyhow!("--check: {error}"))?;
            }
            Ok(())
        })?;
        writer.finish()?.finish()?;
        if let Some(check) = check {
            tell(describe(&check.report()).trim_end());
        }
        Ok(())
    }
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
