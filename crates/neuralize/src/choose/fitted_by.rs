//! The clustering methods of this library behind the choice.

use burn::tensor::{DType, Tensor, backend::Backend};

use crate::choose::indices::{Covariance, bic};
use crate::choose::partitioner::{Partition, Partitioner};
use crate::cluster::{Clusterer, ClustererConfig};
use crate::error::{Error, Result};
use crate::transfer;

/// A clustering method of this library, for [`ChooseConfig`](crate::choose::ChooseConfig). The number
/// of clusters, the restarts and the seed of its configuration are replaced.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::choose::{ChooseConfig, FittedBy, Rows};
/// use neuralize::cluster::KMeansConfig;
///
/// let values: Vec<f64> = (0..60).map(|i| f64::from(i % 20) + if i < 30 { 0.0 } else { 100.0 }).collect();
/// let mut kmeans = FittedBy::<Flex>::new(KMeansConfig::new(2).into(), &Default::default(), DType::F64);
/// let choice = ChooseConfig::new().choose(&Rows::new(&values, 1)?, &mut kmeans)?;
/// assert_eq!(choice.recommended, Some(2));
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FittedBy<B: Backend> {
    config: ClustererConfig,
    device: B::Device,
    dtype: DType,
}

/// A fitted clusterer.
#[derive(Debug, Clone)]
pub struct FittedPartition<B: Backend> {
    clusterer: Clusterer<B>,
    labels: Vec<usize>,
    bic: Option<f64>,
    device: B::Device,
    dtype: DType,
}

impl<B: Backend> FittedBy<B> {
    /// A method that computes on a device, in a precision.
    pub fn new(config: ClustererConfig, device: &B::Device, dtype: DType) -> Self {
        Self { config, device: device.clone(), dtype }
    }
}

fn rows_of<B: Backend>(
    rows: &[f64],
    width: usize,
    device: &B::Device,
    dtype: DType,
) -> Tensor<B, 2> {
    transfer::upload(rows.to_vec(), [rows.len() / width.max(1), width], device, dtype)
}

impl<B: Backend> Partitioner for FittedBy<B> {
    type Partition = FittedPartition<B>;
    type Error = Error;

    fn fit(
        &mut self,
        rows: &[f64],
        width: usize,
        clusters: usize,
        starts: usize,
        seed: u64,
    ) -> Result<Self::Partition> {
        let x = rows_of::<B>(rows, width, &self.device, self.dtype);
        let fit = self.config.clone().with_fit(clusters, starts, seed).fit(&x)?;
        let labels = match fit.labels {
            Some(labels) => labels,
            None => fit.clusterer.predict(&x)?,
        };
        let rows = x.dims()[0];
        // The mixtures of this library have diagonal covariances.
        let parameters = Covariance::Diagonal.parameters(clusters, width);
        let of_mean = |mean: f64| bic(mean * rows as f64, parameters, rows);
        Ok(FittedPartition {
            bic: fit.log_likelihood.map(of_mean),
            labels: transfer::download_indices(labels),
            clusterer: fit.clusterer,
            device: self.device.clone(),
            dtype: self.dtype,
        })
    }
}

impl<B: Backend> Partition for FittedPartition<B> {
    type Error = Error;

    fn labels(&self) -> &[usize] {
        &self.labels
    }

    fn bic(&self) -> Option<f64> {
        self.bic
    }

    fn assign(&self, rows: &[f64]) -> Result<Vec<usize>> {
        let width = self.clusterer.n_features();
        let x = rows_of::<B>(rows, width, &self.device, self.dtype);
        Ok(transfer::download_indices(self.clusterer.predict(&x)?))
    }
}
