//! Cases and centroids in the plane of the first two principal components.

use burn::tensor::{DType, backend::Backend};
use serde::{Deserialize, Serialize};

use super::explained::Cases;
use crate::data::Plane;
use crate::error::Result;
use crate::transfer;

/// Positions of cases and centroids in the plane of the largest variance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Map {
    /// Position of every case, `[N]`.
    pub points: Vec<[f64; 2]>,
    /// Position of every centroid, `[K]`.
    pub centroids: Vec<[f64; 2]>,
    /// Share of the variance of the cases along each axis, 0 to 1.
    pub explained: [f64; 2],
}

impl Map {
    /// Projects the scaled values onto their first two principal components.
    ///
    /// # Errors
    ///
    /// If there is no case, or the device cannot compute in `dtype`.
    pub fn of<B: Backend>(cases: &Cases, device: &B::Device, dtype: DType) -> Result<Self> {
        let (points, centroids, width) = cases.places();
        let table = |values: &[f64]| {
            let shape = [values.len() / width, width];
            transfer::upload::<B, 2>(values.to_vec(), shape, device, dtype)
        };
        let x = table(points);
        let plane = Plane::fit(&x)?;
        Ok(Self {
            points: plane.coordinates(&x)?,
            centroids: plane.coordinates(&table(centroids))?,
            explained: plane.explained(),
        })
    }
}
