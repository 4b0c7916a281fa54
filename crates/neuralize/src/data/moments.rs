use burn::tensor::{Tensor, backend::Backend};

use crate::{kernel, transfer};

/// Extremes, sums and squares of features over parts of the data, in f64 and
/// around the mean of the first part: far from the origin no digits are lost.
pub(crate) struct Moments {
    pub(crate) rows: usize,
    /// Where sums and squares are taken from, `[D]`.
    origin: Vec<f64>,
    sums: Vec<f64>,
    squares: Vec<f64>,
    least: Vec<f64>,
    most: Vec<f64>,
}

impl Moments {
    /// Of the first part, which is not empty.
    pub(crate) fn of<B: Backend>(x: &Tensor<B, 2>) -> Self {
        let [rows, features] = x.dims();
        let ones = Tensor::ones([rows], (&x.device(), x.dtype()));
        let mut moments = Self {
            rows: 0,
            origin: kernel::weighted_mean(x, &ones, rows as f64),
            sums: vec![0.0; features],
            squares: vec![0.0; features],
            least: vec![f64::INFINITY; features],
            most: vec![f64::NEG_INFINITY; features],
        };
        moments.add(x);
        moments
    }

    /// Takes another part into account.
    pub(crate) fn add<B: Backend>(&mut self, x: &Tensor<B, 2>) {
        let [rows, features] = x.dims();
        if rows == 0 {
            return;
        }
        let (device, dtype) = (x.device(), x.dtype());
        let ones = Tensor::ones([rows], (&device, dtype));
        let origin = transfer::upload::<B, 2>(self.origin.clone(), [1, features], &device, dtype);
        // The origin as this precision has it, so that what is added again is
        // what was subtracted.
        self.origin = transfer::download(origin.clone());
        let (sums, squares) = kernel::sums_and_squares(x, &origin, &ones);
        let least = transfer::download(x.clone().min_dim(0));
        let most = transfer::download(x.clone().max_dim(0));
        self.rows += rows;
        for d in 0..features {
            self.sums[d] += sums[d];
            self.squares[d] += squares[d];
            self.least[d] = self.least[d].min(least[d]);
            self.most[d] = self.most[d].max(most[d]);
        }
    }

    pub(crate) fn mean(&self) -> Vec<f64> {
        let rows = self.rows as f64;
        self.origin.iter().zip(&self.sums).map(|(origin, sum)| origin + sum / rows).collect()
    }

    /// Population variance.
    pub(crate) fn variance(&self) -> Vec<f64> {
        let rows = self.rows as f64;
        let of = |(sum, square): (&f64, &f64)| (square / rows - (sum / rows).powi(2)).max(0.0);
        self.sums.iter().zip(&self.squares).map(of).collect()
    }

    pub(crate) fn least(&self) -> &[f64] {
        &self.least
    }

    pub(crate) fn most(&self) -> &[f64] {
        &self.most
    }
}
