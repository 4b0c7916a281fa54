use anyhow::Result;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::data::{PredictionWriter, Results};
use neuralize::network::Network;
use neuralize::record::Model;

use crate::args::PredictArgs;
use crate::backend::{Job, Session};
use crate::command::stream::{self, Source};
use crate::output::{self, Output};

impl Job for PredictArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let format = output::format(&self.results, session.delimiter)?;
        let model = Model::<B>::load(&self.model, &session.device, session.dtype)?;
        let network = model.neuralize()?;
        let path = self.results.output.as_deref();
        let mut output = Output::open(path)?;
        let results = Results::new(Output::name(path), &mut output, format, session.dtype)
            .with_cluster_names(model.info().labels.clone());
        let mut writer = results.predictions()?;
        stream::scaled_parts(session, &Source::all(&self.data), &model, |part| {
            write(&mut writer, network.as_ref(), part.rows.iter().copied(), &part.scaled)
        })?;
        writer.finish()?;
        output.finish()
    }
}

/// Writes what the network says of rows of scaled data.
pub(super) fn write<B: Backend>(
    writer: &mut PredictionWriter<'_>,
    network: &dyn Network<B>,
    rows: impl IntoIterator<Item = usize>,
    x: &Tensor<B, 2>,
) -> Result<()> {
    let (cluster, logit) = network.predict_with_logit(x)?;
    Ok(writer.write(rows, cluster, logit)?)
}
