//! `neuralize import`

use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::backend::Backend;
use clap::{Args, ValueHint};
use neuralize::Error;
use neuralize::cluster::KMeans;
use neuralize::data::{Scale, TableOptions};
use neuralize::record::{Model, ModelInfo};

use crate::backend::{Job, Session};
use crate::command::shared;

#[derive(Args)]
#[command(
    after_help = "The model has no scaler: the centroids must be in the units of the data.\n\n\
                  Example: neuralize import centroids.csv --data data.csv --model model"
)]
pub(super) struct ImportArgs {
    /// Table with a centroid in every row; its columns are the features
    #[arg(value_name = "CENTROIDS", value_hint = ValueHint::FilePath)]
    centroids: PathBuf,
    /// Folder for the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    model: PathBuf,
    /// Beta of the model
    #[arg(long, value_name = "B", required_unless_present = "data", allow_negative_numbers = true)]
    beta: Option<f64>,
    /// Data of the clustering, for the heuristic beta, the inertia and the sizes of the clusters
    #[arg(long, value_name = "DATA", value_hint = ValueHint::FilePath)]
    data: Option<PathBuf>,
}

impl Job for ImportArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let (device, dtype) = (&session.device, session.dtype);
        let reader = shared::open(session, &self.centroids, TableOptions::default())?;
        let (scaler, centroids) = Scale::None.fit_table::<B>(reader, device, dtype)?;
        let mut kmeans = KMeans::from_centroids(centroids.x.clone())
            .map_err(|error| centroids.located(error))?;
        if kmeans.n_clusters() < 2 {
            return Err(Error::NoCompetitor.into());
        }
        let features = centroids.table.features();
        let mut info = ModelInfo::new(features);
        if let Some(path) = &self.data {
            let options = TableOptions::default().with_selected(features);
            let reader = shared::open(session, path, options)?;
            let (_, data) = Scale::None.fit_table::<B>(reader, device, dtype)?;
            let labels = kmeans.predict(&data.x).map_err(|error| data.located(error))?;
            let mut sizes = vec![0; kmeans.n_clusters()];
            for label in shared::numbers(labels) {
                sizes[label] += 1;
            }
            if self.beta.is_none() {
                kmeans = kmeans.with_heuristic_beta(&data.x)?;
            }
            info.inertia = Some(kmeans.inertia(&data.x)?);
            info.rows = Some(data.table.rows());
            info.sizes = Some(sizes);
        }
        if let Some(beta) = self.beta {
            kmeans = kmeans.with_beta(beta)?;
        }
        let (clusters, columns) = (kmeans.n_clusters(), kmeans.n_features());
        let beta = kmeans.beta();
        Model::new(scaler, kmeans, info)?.save(&self.model)?;
        let beta = beta.map_or_else(|| "not known".into(), |beta| format!("{beta:.6}"));
        session.note(format!("{clusters} centroids of {columns} features, beta {beta}"));
        session.note(format!("model saved to {}", self.model.display()));
        Ok(())
    }
}
