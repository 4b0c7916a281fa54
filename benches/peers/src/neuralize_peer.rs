use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use neuralize::prelude::*;

use crate::matrix::Matrix;
use crate::{Contestant, Reply};

#[derive(Default)]
pub struct Neuralize {
    x: Option<Tensor<Flex, 2>>,
}

impl Neuralize {
    fn x(&self) -> Result<&Tensor<Flex, 2>> {
        self.x.as_ref().context("no data")
    }
}

impl Contestant for Neuralize {
    fn load(&mut self, data: Matrix) -> Result<()> {
        self.x = Some(upload(data));
        Ok(())
    }

    fn lloyd(&self, init: Matrix, iterations: usize) -> Result<(Reply, Matrix)> {
        let x = self.x()?;
        let config = KMeansConfig::new(init.rows).with_max_iter(iterations).with_tol(0.0);
        let init = upload(init);
        let start = Instant::now();
        let options = FitOptions::default().with_initial_centroids(init);
        let fit = black_box(config.fit_with(x, options)?);
        finish(fit, start)
    }

    fn fit(&self, clusters: usize, seed: u64, max_iter: Option<usize>) -> Result<(Reply, Matrix)> {
        let x = self.x()?;
        let mut config = KMeansConfig::new(clusters).with_seed(seed);
        if let Some(max_iter) = max_iter {
            config = config.with_max_iter(max_iter);
        }
        let start = Instant::now();
        let fit = black_box(config.fit(x)?);
        finish(fit, start)
    }

    fn explain(&self, centroids: Matrix) -> Result<(Reply, Matrix)> {
        let x = self.x()?;
        let model = KMeans::from_centroids(upload(centroids))?.with_heuristic_beta(x)?;
        let start = Instant::now();
        let explanation = model.neuralize()?.explain(x, Target::Assigned, Beta::Heuristic)?;
        let explanation = black_box(explanation);
        let ms = milliseconds(start);
        let reply = Reply { ms, beta: Some(explanation.beta), ..Reply::default() };
        Ok((reply, download(explanation.relevance)?))
    }
}

fn finish(fit: KMeansFit<Flex>, start: Instant) -> Result<(Reply, Matrix)> {
    let reply = Reply {
        ms: milliseconds(start),
        iterations: Some(fit.n_iter),
        inertia: Some(fit.inertia),
        ..Reply::default()
    };
    Ok((reply, download(fit.model.centroids())?))
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn upload(matrix: Matrix) -> Tensor<Flex, 2> {
    let shape = [matrix.rows, matrix.columns];
    Tensor::from_data(TensorData::new(matrix.values, shape), &Default::default())
}

fn download(tensor: Tensor<Flex, 2>) -> Result<Matrix> {
    let [rows, columns] = tensor.dims();
    let values =
        tensor.into_data().to_vec::<f32>().map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(Matrix { values, rows, columns })
}
