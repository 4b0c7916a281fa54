use std::io::Write;

use anyhow::Result;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::data::PredictionWriter;
use neuralize::network::NeuralizedKMeans;
use neuralize::record::Model;

use crate::args::PredictArgs;
use crate::backend::{Job, Session};
use crate::command::stream;
use crate::output::Output;

impl Job for PredictArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let model = Model::<B>::load(&self.model, &session.device, session.dtype)?;
        let network = model.neuralize()?;
        let path = self.output.as_deref();
        let mut writer =
            PredictionWriter::new(&Output::name(path), Output::open(path)?, session.delimiter);
        stream::scaled_parts(session, &self.data, &model, |x| write(&mut writer, &network, x))?;
        writer.finish()?.finish()
    }
}

/// Writes what the network says of every row of scaled data.
pub(super) fn write<B: Backend, W: Write>(
    writer: &mut PredictionWriter<W>,
    network: &NeuralizedKMeans<B>,
    x: Tensor<B, 2>,
) -> Result<()> {
    let (cluster, logit) = network.predict_with_logit(&x)?;
    let probability = network.logistic_probability(logit.clone());
    Ok(writer.write(cluster, logit, probability)?)
}
