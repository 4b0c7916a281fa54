use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::{KMeans, KMeansInit, KMeansParams};
use linfa_nn::distance::L2Dist;
use ndarray::{Array1, Array2};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;

use crate::matrix::Matrix;
use crate::{Contestant, Reply};

type Params = KMeansParams<f32, Xoshiro256Plus, L2Dist>;

#[derive(Default)]
pub struct Linfa {
    x: Option<DatasetBase<Array2<f32>, Array1<()>>>,
}

impl Linfa {
    fn run(&self, params: Params) -> Result<(Reply, Matrix)> {
        let x = self.x.as_ref().context("no data")?;
        let start = Instant::now();
        let model = black_box(params.fit(x)?);
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let inertia = f64::from(model.inertia()) * x.records.nrows() as f64;
        let reply = Reply { ms, inertia: Some(inertia), ..Reply::default() };
        Ok((reply, download(model.centroids())))
    }
}

impl Contestant for Linfa {
    fn load(&mut self, data: Matrix) -> Result<()> {
        self.x = Some(DatasetBase::from(upload(data)?));
        Ok(())
    }

    /// linfa does not say how many iterations it made. Its tolerance must be
    /// positive; with the smallest one there is, it makes all of them.
    fn lloyd(&self, init: Matrix, iterations: usize) -> Result<(Reply, Matrix)> {
        let params = params(init.rows, 0)
            .n_runs(1)
            .max_n_iterations(iterations as u64)
            .tolerance(f32::MIN_POSITIVE)
            .init_method(KMeansInit::Precomputed(upload(init)?));
        let (reply, centroids) = self.run(params)?;
        Ok((Reply { iterations: Some(iterations), ..reply }, centroids))
    }

    fn fit(&self, clusters: usize, seed: u64, max_iter: Option<usize>) -> Result<(Reply, Matrix)> {
        let params = params(clusters, seed);
        self.run(match max_iter {
            Some(max_iter) => params.max_n_iterations(max_iter as u64),
            None => params,
        })
    }

    fn explain(&self, _: Matrix) -> Result<(Reply, Matrix)> {
        bail!("linfa explains nothing")
    }
}

fn params(clusters: usize, seed: u64) -> Params {
    KMeans::params_with_rng(clusters, Xoshiro256Plus::seed_from_u64(seed))
}

fn upload(matrix: Matrix) -> Result<Array2<f32>> {
    Ok(Array2::from_shape_vec((matrix.rows, matrix.columns), matrix.values)?)
}

fn download(array: &Array2<f32>) -> Matrix {
    let (rows, columns) = array.dim();
    Matrix { values: array.iter().copied().collect(), rows, columns }
}
