use burn::tensor::{DType, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::cases::Cases;
use crate::data::Plane;
use crate::error::Result;
use crate::transfer;

/// Where cases and centroids lie in the plane in which the cases spread most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Map {
    /// Place of every case, `[N]`.
    pub points: Vec<[f64; 2]>,
    /// Place of every centroid, `[K]`.
    pub centroids: Vec<[f64; 2]>,
    /// Share of the cases' variance along each axis, 0 to 1.
    pub explained: [f64; 2],
}

impl Map {
    /// The map of the scaled values, by their first two principal components.
    ///
    /// # Errors
    ///
    /// If there is no case, or the device cannot compute in `dtype`.
    pub fn of<B: Backend>(cases: &Cases, device: &B::Device, dtype: DType) -> Result<Self> {
        let table = |values: &[f64]| {
            let shape = [values.len() / cases.n_features(), cases.n_features()];
            transfer::upload::<B, 2>(values.to_vec(), shape, device, dtype)
        };
        let x = table(&cases.scaled);
        let plane = Plane::fit(&x)?;
        Ok(Self {
            points: plane.coordinates(&x)?,
            centroids: plane.coordinates(&table(&cases.scaled_centroids))?,
            explained: plane.explained(),
        })
    }
}
