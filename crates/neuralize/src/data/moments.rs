//! Moments and extremes of every feature, from data in parts.

use burn::tensor::{Tensor, backend::Backend};

use crate::{kernel, transfer};

/// Minimum, maximum, sum and sum of squares of every feature, in f64. Sums are taken around the
/// mean of the first part, which keeps their precision if the data lie far from the origin.
#[derive(Debug)]
pub(crate) struct Moments {
    pub(crate) rows: usize,
    /// The point that is subtracted before summing, `[D]`.
    origin: Vec<f64>,
    sums: Vec<f64>,
    squares: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
}

impl Moments {
    /// Moments of the first part, which must not be empty.
    pub(crate) fn of<B: Backend>(x: &Tensor<B, 2>) -> Self {
        let [rows, features] = x.dims();
        let ones = Tensor::ones([rows], (&x.device(), x.dtype()));
        let mut moments = Self {
            rows: 0,
            origin: kernel::weighted_mean(x, &ones, rows as f64),
            sums: vec![0.0; features],
            squares: vec![0.0; features],
            min: vec![f64::INFINITY; features],
            max: vec![f64::NEG_INFINITY; features],
        };
        moments.add(x);
        moments
    }

    /// Adds another part.
    pub(crate) fn add<B: Backend>(&mut self, x: &Tensor<B, 2>) {
        let [rows, features] = x.dims();
        if rows == 0 {
            return;
        }
        let (device, dtype) = (x.device(), x.dtype());
        let ones = Tensor::ones([rows], (&device, dtype));
        let origin = transfer::upload::<B, 2>(self.origin.clone(), [1, features], &device, dtype);
        // Rounded to this precision, so that the same number is subtracted and added back.
        self.origin = transfer::download(origin.clone());
        let (sums, squares) = kernel::sums_and_squares(x, &origin, &ones);
        let min = transfer::download(x.clone().min_dim(0));
        let max = transfer::download(x.clone().max_dim(0));
        self.rows += rows;
        for d in 0..features {
            self.sums[d] += sums[d];
            self.squares[d] += squares[d];
            self.min[d] = self.min[d].min(min[d]);
            self.max[d] = self.max[d].max(max[d]);
        }
    }

    pub(crate) fn mean(&self) -> Vec<f64> {
        let rows = self.rows as f64;
        self.origin.iter().zip(&self.sums).map(|(origin, sum)| origin + sum / rows).collect()
    }

    /// Population variance of every feature.
    pub(crate) fn variance(&self) -> Vec<f64> {
        let rows = self.rows as f64;
        let of = |(sum, square): (&f64, &f64)| (square / rows - (sum / rows).powi(2)).max(0.0);
        self.sums.iter().zip(&self.squares).map(of).collect()
    }

    pub(crate) fn min(&self) -> &[f64] {
        &self.min
    }

    pub(crate) fn max(&self) -> &[f64] {
        &self.max
    }
}
