//! `neuralize predict`

use anyhow::Result;
use burn::tensor::backend::Backend;
use clap::Args;
use neuralize::output::Results;
use neuralize::record::Model;

use crate::args::{ModelArgs, ResultArgs};
use crate::backend::{Job, Session};
use crate::command::shared;
use crate::output::{self, Output};

#[derive(Args)]
#[command(after_help = "Example: neuralize predict new.csv --model model -o clusters.csv\n\
                        Example: cat new.csv | neuralize predict - --model model --format json")]
pub(super) struct PredictArgs {
    #[command(flatten)]
    input: ModelArgs,
    #[command(flatten)]
    results: ResultArgs,
}

impl Job for PredictArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        shared::check_output(&self.input, self.results.output.as_deref())?;
        let format = output::format(&self.results, session.delimiter)?;
        let model = Model::<B>::load(&self.input.model, &session.device, session.dtype)?;
        let network = model.neuralize()?;
        let path = self.results.output.as_deref();
        let mut output = Output::open(path)?;
        let options = self.input.options(model.table_options());
        let reader = shared::open(session, &self.input.data, options)?;
        let results = Results::new(Output::name(path), &mut output, format, session.dtype)
            .with_cluster_names(model.info().labels.clone())
            .with_row_names(reader.id().map(str::to_owned));
        let mut writer = results.predictions()?;
        shared::each_part(session, &self.input.data, model.parts(reader)?, |part| {
            let (cluster, logit) = network.predict_with_logit(&part.x)?;
            Ok(writer.write(shared::keys(part), cluster, logit)?)
        })?;
        writer.finish()?;
        output.finish()
    }
}
