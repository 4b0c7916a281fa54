use anyhow::{Result, bail};
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::cluster::KMeans;
use neuralize::data::Scaler;
use neuralize::record::{Model, ModelInfo};

use crate::args::ImportArgs;
use crate::backend::{Job, Session};
use crate::command::fit::numbers;
use crate::command::stream::{RAW, in_file, note_ignored};
use crate::input;

impl Job for ImportArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let centroids = input::open(&self.centroids, &session.table())?.read_all()?;
        let features = centroids.features().to_vec();
        let mut kmeans = centroids
            .to_tensor::<B>(&session.device, session.dtype)
            .and_then(KMeans::from_centroids)
            .map_err(|error| in_file(error.into(), &self.centroids, &features, |row| row, RAW))?;
        if kmeans.n_clusters() < 2 {
            return Err(Error::NoCompetitor.into());
        }
        let mut info = ModelInfo { features: features.clone(), ..ModelInfo::default() };
        if let Some(path) = &self.data {
            let options = session.table().with_selected(features.clone());
            let mut reader = input::open(path, &options)?;
            note_ignored(session, &reader);
            let table = reader.read_all()?;
            if table.rows() == 0 {
                bail!("{}: there is no row below the header", input::name(path));
            }
            let at = |error: Error| in_file(error.into(), path, &features, |row| row, RAW);
            let x = table.to_tensor::<B>(&session.device, session.dtype).map_err(at)?;
            let mut sizes = vec![0; kmeans.n_clusters()];
            for label in numbers(kmeans.predict(&x).map_err(at)?) {
                sizes[label] += 1;
            }
            if self.beta.is_none() {
                kmeans = kmeans.with_heuristic_beta(&x)?;
            }
            info.inertia = Some(kmeans.inertia(&x)?);
            info.rows = Some(table.rows());
            info.sizes = Some(sizes);
        }
        if let Some(beta) = self.beta {
            kmeans = kmeans.with_beta(beta)?;
        }
        let scaler = Scaler::identity(kmeans.n_features(), &session.device, session.dtype);
        let (clusters, columns) = (kmeans.n_clusters(), kmeans.n_features());
        let beta = kmeans.beta();
        Model::new(scaler, kmeans, info)?.save(&self.model)?;
        let beta = beta.map_or_else(|| "not known".into(), |beta| format!("{beta:.6}"));
        session.note(format!("{clusters} centroids of {columns} features, beta {beta}"));
        session.note(format!("model saved to {}", self.model.display()));
        Ok(())
    }
}
