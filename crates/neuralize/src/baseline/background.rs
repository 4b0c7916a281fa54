//! A subject, and the data from which methods take references and scales.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::Subject;
#[cfg(feature = "surrogates")]
use crate::baseline::decision_tree::DecisionTree;
use crate::error::Result;
use crate::{kernel, transfer, validate};

/// A subject, and the data from which methods take references and the scales of
/// features.
#[derive(Debug)]
pub struct Background<'a, B: Backend> {
    subject: &'a dyn Subject<B>,
    data: Tensor<B, 2>,
    mean: Tensor<B, 2>,
    deviation: Tensor<B, 2>,
    /// Rows of the data in every cluster.
    members: Vec<Vec<usize>>,
    seed: u64,
    /// The tree that the tree surrogate fitted first.
    #[cfg(feature = "surrogates")]
    pub(super) tree: std::sync::OnceLock<DecisionTree>,
}

impl<'a, B: Backend> Background<'a, B> {
    /// The background of a subject; all random numbers of methods follow from the
    /// seed.
    ///
    /// # Shapes
    ///
    /// - data: `[M, D]`, the data that the clusterer was fitted to, or a fair sample
    ///
    /// # Errors
    ///
    /// If the data are empty or do not fit the network.
    pub fn new(subject: &'a dyn Subject<B>, data: &Tensor<B, 2>, seed: u64) -> Result<Self> {
        validate::not_empty("the table of data", data)?;
        let network = subject.network();
        let cluster = transfer::download_indices(network.predict(data)?);
        let mut members = vec![Vec::new(); network.n_clusters()];
        for (row, cluster) in cluster.into_iter().enumerate() {
            members[cluster].push(row);
        }
        // The rounding of a mean must not look like a spread.
        let (low, high) = (data.clone().min_dim(0), data.clone().max_dim(0));
        let constant = low.clone().equal(high);
        let features = data.dims()[1];
        let row = |values| transfer::upload(values, [1, features], &data.device(), data.dtype());
        let mean = row(column_means(data, |block| block)).mask_where(constant.clone(), low);
        let squares = column_means(data, |block| (block - mean.clone()).square());
        let deviation = row(squares.into_iter().map(f64::sqrt).collect());
        let deviation = deviation.mask_fill(constant, 0.0);
        Ok(Self {
            subject,
            data: data.clone(),
            mean,
            deviation,
            members,
            seed,
            #[cfg(feature = "surrogates")]
            tree: std::sync::OnceLock::new(),
        })
    }

    /// The subject.
    pub fn subject(&self) -> &'a dyn Subject<B> {
        self.subject
    }

    /// The data, `[M, D]`.
    pub fn data(&self) -> &Tensor<B, 2> {
        &self.data
    }

    /// The mean of the data, `[1, D]`.
    pub fn mean(&self) -> Tensor<B, 2> {
        self.mean.clone()
    }

    /// The standard deviation of every feature (over M), `[1, D]`.
    pub fn deviation(&self) -> Tensor<B, 2> {
        self.deviation.clone()
    }

    /// The rows of the data that are in every cluster.
    pub fn members(&self) -> &[Vec<usize>] {
        &self.members
    }

    /// The seed of the random numbers of methods.
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

/// The mean of every column of a function of the rows. Blocks are short, and their sums are
/// added up in f64: a long sum in f32 drifts.
fn column_means<B: Backend>(
    data: &Tensor<B, 2>,
    of: impl Fn(Tensor<B, 2>) -> Tensor<B, 2>,
) -> Vec<f64> {
    const BLOCK: usize = 512;
    let [rows, features] = data.dims();
    let mut sums = vec![0.0; features];
    for range in kernel::blocks(rows, BLOCK) {
        let block = of(data.clone().slice([range, 0..features]));
        for (sum, part) in sums.iter_mut().zip(transfer::download(block.sum_dim(0))) {
            *sum += part;
        }
    }
    sums.into_iter().map(|sum| sum / rows as f64).collect()
}
