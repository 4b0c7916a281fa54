//! Moments and extremes of every feature, from data in parts.

use burn::tensor::{Tensor, backend::Backend};

use crate::{kernel, transfer};

/// Minimum, maximum, sum and sum of squares of every feature, in f64. Sums are taken around the
/// mean of the first part, which keeps their precision if the data lie far from the origin.
#[derive(Debug)]
pub(crate) struct Moments {
    pub(crate) rows: usize,
    /// Σ w
    pub(crate) weight: f64,
    /// The point that is subtracted before summing, `[D]`.
    origin: Vec<f64>,
    sums: Vec<f64>,
    squares: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
}

/// Whether values from `min` to `max` are one value up to rounding: whether they differ by no more than
/// sixteen units of rounding of the larger one.
pub(crate) fn is_constant(min: f64, max: f64, epsilon: f64) -> bool {
    max - min <= 16.0 * epsilon * min.abs().max(max.abs())
}

impl Moments {
    /// Moments of the first part, which must not be empty.
    pub(crate) fn of<B: Backend>(x: &Tensor<B, 2>) -> Self {
        let mut moments = Self::around(x);
        moments.add(x);
        moments
    }

    /// No moments yet; sums will be taken around the mean of these rows, one or more.
    pub(crate) fn around<B: Backend>(x: &Tensor<B, 2>) -> Self {
        let [rows, features] = x.dims();
        let ones = Tensor::ones([rows], (&x.device(), x.dtype()));
        Self {
            rows: 0,
            weight: 0.0,
            origin: kernel::weighted_mean(x, &ones, rows as f64),
            sums: vec![0.0; features],
            squares: vec![0.0; features],
            min: vec![f64::INFINITY; features],
            max: vec![f64::NEG_INFINITY; features],
        }
    }

    /// Adds another part.
    pub(crate) fn add<B: Backend>(&mut self, x: &Tensor<B, 2>) {
        let ones = Tensor::ones([x.dims()[0]], (&x.device(), x.dtype()));
        self.add_weighted(x, &ones, x.dims()[0] as f64);
    }

    /// Adds another part, with weights of the sum `weight`. Minimum and maximum count every row.
    pub(crate) fn add_weighted<B: Backend>(
        &mut self,
        x: &Tensor<B, 2>,
        weights: &Tensor<B, 1>,
        weight: f64,
    ) {
        let [rows, features] = x.dims();
        if rows == 0 {
            return;
        }
        let (device, dtype) = (x.device(), x.dtype());
        let origin = transfer::upload::<B, 2>(self.origin.clone(), [1, features], &device, dtype);
        // Rounded to this precision, so that the same number is subtracted and added back.
        self.origin = transfer::download(origin.clone());
        let (sums, squares) = kernel::sums_and_squares(x, &origin, weights);
        let min = transfer::download(x.clone().min_dim(0));
        let max = transfer::download(x.clone().max_dim(0));
        self.rows += rows;
        self.weight += weight;
        for d in 0..features {
            self.sums[d] += sums[d];
            self.squares[d] += squares[d];
            self.min[d] = self.min[d].min(min[d]);
            self.max[d] = self.max[d].max(max[d]);
        }
    }

    pub(crate) fn mean(&self) -> Vec<f64> {
        self.origin.iter().zip(&self.sums).map(|(origin, sum)| origin + sum / self.weight).collect()
    }

    /// Population variance of every feature.
    pub(crate) fn variance(&self) -> Vec<f64> {
        let weight = self.weight;
        let of = |(sum, square): (&f64, &f64)| (square / weight - (sum / weight).powi(2)).max(0.0);
        self.sums.iter().zip(&self.squares).map(of).collect()
    }

    pub(crate) fn min(&self) -> &[f64] {
        &self.min
    }

    pub(crate) fn max(&self) -> &[f64] {
        &self.max
    }
}
