use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::tensor::backend::Backend;
use neuralize::cluster::Bandwidth;
use neuralize::data::{Format, Results, Scale, Selection};
use neuralize::outlier::KernelDensityConfig;
use neuralize::record::{ModelInfo, OutlierModel};

use crate::args::OutlierArgs;
use crate::backend::{Job, Session};
use crate::command::stream::{self, RAW, SCALED, Source, in_file, note_coarse};
use crate::input;
use crate::output::{self, Output};

impl Job for OutlierArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let format = output::format(&self.results, session.delimiter)?;
        match &self.model {
            Some(folder) => self.score_by(session, format, folder),
            None => self.score_among(session, format),
        }
    }
}

impl OutlierArgs {
    /// Every row against the data of a model.
    fn score_by<B: Backend>(
        &self,
        session: &Session<B>,
        format: Format,
        folder: &Path,
    ) -> Result<()> {
        let model = OutlierModel::<B>::load(folder, &session.device, session.dtype)?;
        let network = model.density().neuralize();
        let path = self.results.output.as_deref();
        let mut output = Output::open(path)?;
        let results = Results::new(Output::name(path), &mut output, format, session.dtype);
        let mut writer = results.outliers(&model.info().features, self.selection(format))?;
        stream::scaled_parts(session, &Source::all(&self.data), &model, |part| {
            // The data of the model are scored as when it was made.
            let explanation = network.explain_left_out(&part.scaled)?;
            Ok(writer.write(part.rows.iter().copied(), &explanation)?)
        })?;
        writer.finish()?;
        output.finish()
    }

    /// Every row against the others.
    fn score_among<B: Backend>(&self, session: &Session<B>, format: Format) -> Result<()> {
        let mut options = session.table();
        for column in &self.drop {
            options = options.with_dropped(column);
        }
        let table = input::open(&self.data, &options)?.read_all()?;
        if table.rows() < 2 {
            let name = input::name(&self.data);
            match table.rows() {
                0 => bail!("{name}: there is no row below the header"),
                _ => bail!("{name}: its only row has no others to be far from"),
            }
        }
        note_coarse(session, &table);
        let at = |what| {
            let (path, features) = (&self.data, table.features());
            move |error: neuralize::Error| in_file(error.into(), path, features, |row| row, what)
        };
        let x = table.to_tensor::<B>(&session.device, session.dtype).map_err(at(RAW))?;
        let scale = Scale::from(self.scale);
        let scaler = scale.fit(&x).map_err(at(RAW))?;
        let x = scaler.transform(x).map_err(at(RAW))?;
        let bandwidth = match self.gamma {
            Some(gamma) => Bandwidth::Gamma(gamma),
            None => Bandwidth::Share(self.perplexity),
        };
        let config = KernelDensityConfig::new()
            .with_bandwidth(bandwidth)
            .with_max_supports(self.supports)
            .with_seed(self.seed);
        let density =
            config.fit(&x).map_err(at(SCALED)).with_context(|| input::name(&self.data))?;
        let info = ModelInfo {
            features: table.features().to_vec(),
            scale,
            rows: Some(table.rows()),
            seed: Some(self.seed),
            gamma: Some(density.gamma()),
            supports: Some(density.n_supports()),
            ..ModelInfo::default()
        };
        let summary = format!(
            "{} rows of {} features against {} supports, gamma {:.6}",
            table.rows(),
            table.features().len(),
            density.n_supports(),
            density.gamma(),
        );
        let network = density.neuralize();
        let path = self.results.output.as_deref();
        let mut output = Output::open(path)?;
        if let Some(folder) = &self.save {
            OutlierModel::new(scaler, density, info)?.save(folder)?;
            session.note(format!("model saved to {}", folder.display()));
        }
        let results = Results::new(Output::name(path), &mut output, format, session.dtype);
        let mut writer = results.outliers(table.features(), self.selection(format))?;
        writer.write(0.., &network.explain_left_out(&x).map_err(at(SCALED))?)?;
        writer.finish()?;
        session.note(summary);
        output.finish()
    }

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

/// Features of a row that are written: a table for the terminal has room for
/// three.
pub(super) fn shown_of(top: Option<NonZeroUsize>, format: Format) -> Option<NonZeroUsize> {
    const TOP_OF_A_TABLE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);
    top.or(matches!(format, Format::Table { .. }).then_some(TOP_OF_A_TABLE))
}
