//! The decision of a mixture, below both the clusterer and its network.

use burn::tensor::module::linear;
use burn::tensor::{DType, Tensor, backend::Backend};

use super::components::{Components, Density};
use crate::error::{Error, Result};
use crate::kernel::{self, Flag};
use crate::{gradient, transfer, validate};

/// Log joint densities of all components up to a summand that they share, as products where these
/// keep their digits and from differences elsewhere.
///
/// Terms that all components share are left out, so a feature in which the components are alike
/// has weights of exactly 0.
pub(crate) struct MixtureScorer<B: Backend> {
    /// Subtracted from the input, `[D]`.
    pub(crate) center: Tensor<B, 1>,
    /// Divides the centred input: the smallest standard deviation of every feature, `[D]`.
    pub(crate) scale: Tensor<B, 1>,
    /// Of x: `μ/σ²`, `[D, K]`.
    pub(crate) linear: Tensor<B, 2>,
    /// `[K]`
    pub(crate) bias: Option<Tensor<B, 1>>,
    /// Of x²: `−1/(2σ²)`, `[D, K]`.
    pub(crate) quadratic: Tensor<B, 2>,
    /// `log π_k`, `[K]`.
    pub(crate) log_weights: Tensor<B, 1>,
    /// `½ Σ_i log σ²_ki`, `[K]`.
    pub(crate) half_log_variances: Tensor<B, 1>,
    /// μ, `[K, D]`.
    pub(crate) means: Tensor<B, 2>,
    /// σ, `[K, D]`.
    pub(crate) deviations: Tensor<B, 2>,
    /// The largest distance of a mean from the centre, in units of the scale.
    pub(crate) spread: f64,
}

impl<B: Backend> MixtureScorer<B> {
    /// The scorer of the components with these means, and `μ²/σ²`, `[K, D]`, of which the bias is
    /// a sum.
    pub(crate) fn of(components: &Components, means: Tensor<B, 2>) -> (Self, Tensor<B, 2>) {
        let (device, dtype) = (means.device(), means.dtype());
        let [clusters, features] = means.dims();
        let frame = components.frame(dtype);
        let seen = components.seen_in(&frame);

        let mut precisions = seen.precisions();
        let product =
            |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
        let mut tilted = product(&precisions, &seen.means);
        let mut squares = product(&tilted, &seen.means);
        for table in [&mut precisions, &mut tilted, &mut squares] {
            leave_out_shared(table, features);
        }
        let mut log_weights = seen.log_weights.clone();
        leave_out_shared(&mut log_weights, 1);
        let mut half_log_variances = seen.half_log_variances();
        leave_out_shared(&mut half_log_variances, 1);
        let bias = squares
            .chunks_exact(features)
            .zip(log_weights.iter().zip(&half_log_variances))
            .map(|(squares, (prior, half))| prior - half - 0.5 * squares.iter().sum::<f64>())
            .collect();

        let row = |values: Vec<f64>| {
            let length = values.len();
            transfer::upload::<B, 1>(values, [length], &device, dtype)
        };
        let table = |values: Vec<f64>| {
            transfer::upload::<B, 2>(values, [clusters, features], &device, dtype)
        };
        let scorer = Self {
            center: row(frame.center),
            scale: row(frame.scale),
            linear: table(tilted).transpose(),
            bias: Some(row(bias)),
            quadratic: (table(precisions) * -0.5).transpose(),
            log_weights: row(log_weights),
            half_log_variances: row(half_log_variances),
            means,
            deviations: table(components.deviations()),
            spread: transfer::rounded(
                seen.means.iter().fold(0.0, |largest, m| largest.max(m.abs())),
                dtype,
            ),
        };
        (scorer, table(squares))
    }

    /// Whether x is data for the mixture: an error if its form is not, and a flag for its values.
    pub(crate) fn valid(&self, x: &Tensor<B, 2>) -> Result<Flag<B>> {
        validate::form(x, self.means.dims()[1], &self.means)?;
        let [rows, features] = x.dims();
        let seen = kernel::blocks(rows, kernel::block_rows(features))
            .map(|range| validate::usable(&self.seen(x.clone().slice([range, 0..features]))));
        Ok(validate::usable(x).and(seen.collect()))
    }

    /// Whether x is data for the mixture.
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the mixture, or values that are not finite or too
    /// many standard deviations from the means.
    pub(crate) fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        if self.valid(x)?.read() { Ok(()) } else { self.refuse(x) }
    }

    /// The error of rows whose values are not valid.
    pub(crate) fn refuse(&self, x: &Tensor<B, 2>) -> Result<()> {
        const WHAT: &str = "x, in the smallest standard deviations of its columns,";
        validate::values("x", x)?;
        let [rows, features] = x.dims();
        for range in kernel::blocks(rows, kernel::block_rows(features)) {
            let block = self.seen(x.clone().slice([range.clone(), 0..features]));
            match validate::values(WHAT, &block) {
                Err(Error::TooLarge { what, row, column, value, limit }) => {
                    let row = range.start + row;
                    return Err(Error::TooLarge { what, row, column, value, limit });
                }
                Err(Error::NonFinite { what, row, column, value }) => {
                    let row = range.start + row;
                    return Err(Error::NonFinite { what, row, column, value });
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// Scores of checked rows, `[n, K]`.
    pub(crate) fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        if self.needs_differences() {
            return self.density().log_joint(&x);
        }
        let seen = self.seen(x);
        linear(seen.clone(), self.linear.clone(), self.bias.clone())
            + linear(seen.square(), self.quadratic.clone(), None)
    }

    /// Whether products would lose digits.
    pub(crate) fn needs_differences(&self) -> bool {
        let limit = match self.means.dtype() {
            DType::F64 => 1e3,
            _ => 64.0,
        };
        self.spread > limit
    }

    /// The same densities from differences.
    pub(crate) fn density(&self) -> Density<B> {
        let constants = self.log_weights.clone() - self.half_log_variances.clone();
        Density {
            means: self.means.clone(),
            deviations: self.deviations.clone(),
            constants: constants.unsqueeze(),
        }
    }

    /// Rows around the centre, in units of the scale.
    pub(crate) fn seen(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        gradient::quotient(x - self.center.clone().unsqueeze(), self.scale.clone().unsqueeze())
    }
}

/// Subtracts from every column of a table `[K, columns]` its number nearest to zero. The columns of
/// coefficients sum to zero over the components, so only digits change: equal numbers become
/// exactly 0.
fn leave_out_shared(table: &mut [f64], columns: usize) {
    for column in 0..columns {
        let numbers = table.iter().skip(column).step_by(columns);
        let smallest = numbers.copied().reduce(|a, b| if b.abs() < a.abs() { b } else { a });
        let smallest = smallest.unwrap_or(0.0);
        table.iter_mut().skip(column).step_by(columns).for_each(|number| *number -= smallest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_exactly_nothing() {
        let mut table = vec![0.1, 3.0, 0.1, -2.0, 0.1, 2.5];
        leave_out_shared(&mut table, 2);
        assert_eq!(table, [0.0, 5.0, 0.0, 0.0, 0.0, 4.5]);
    }
}
