//! A linear model around every row.

use burn::tensor::{Tensor, backend::Backend};
use nalgebra::DMatrix;

use crate::baseline::{Attribution, Query, smoothgrad};
use crate::error::Result;
use crate::random::Stream;
use crate::{kernel, transfer};

/// A linear model of the logit around every row, after LIME (Ribeiro et al.
/// 2016): with normal e_s `[D]`, the same for all rows, and σ the standard deviations
/// of the features,
///
/// `min over b, a of Σ_s w_s (f(x + σ ∘ e_s) − b·e_s − a)² + |b|²`,
/// `w_s = exp(−|e_s|² / (0.75² D))`, `R_i = b_i (x_i − mean_i) / σ_i`.
///
/// A constant feature of the data stays as it is, does not count in D and has no
/// relevance.
pub(super) fn linear<B: Backend>(query: &Query<'_, B>, samples: usize) -> Result<Attribution<B>> {
    smoothgrad::at_least_one_sample(samples)?;
    let [rows, features] = query.x.dims();
    if rows == 0 {
        return Ok(query.x.clone().into());
    }
    let background = query.background;
    let constant = background.deviation().equal_elem(0.0);
    let mut varies = vec![true; features];
    for feature in transfer::download_true(constant.clone()) {
        varies[feature] = false;
    }

    let mut numbers = smoothgrad::normals(background.seed(), Stream::Surrogate, samples, features);
    for row in numbers.chunks_mut(features) {
        row.iter_mut().zip(&varies).filter(|(_, varies)| !**varies).for_each(|(e, _)| *e = 0.0);
    }
    let varying = varies.iter().filter(|varies| **varies).count();
    let fit = fit_to(&numbers, samples, features, WIDTH * (varying.max(1) as f64).sqrt());

    let upload = |values| {
        transfer::upload::<B, 2>(values, [samples, features], &query.x.device(), query.x.dtype())
    };
    let (fit, numbers) = (upload(fit), upload(numbers));
    let offsets = numbers * background.deviation().expand([samples, features]);
    // The fit of a constant is 0, so f(x) may be subtracted, which saves digits.
    let logit = query.logit();
    let mut coefficients = query.x.zeros_like();
    for range in kernel::blocks(samples, TOGETHER) {
        let change = range.clone().map(|sample| {
            let offset = offsets.clone().narrow(0, sample, 1).expand([rows, features]);
            query.at(query.x.clone() + offset).logit() - logit.clone()
        });
        let change = Tensor::cat(change.collect(), 1);
        coefficients = coefficients + change.matmul(fit.clone().slice([range, 0..features]));
    }
    let deviation = background.deviation().mask_fill(constant, 1.0).expand([rows, features]);
    Ok((coefficients * (query.x.clone() - background.mean().expand([rows, features])) / deviation)
        .into())
}

/// The coefficients of the ridge regression above are linear in the values that it
/// is fitted to, `b_i = Σ_s P_si f_s`; this is P.
///
/// With ē the weighted mean of the offsets and E of rows e_s − ē,
/// `P = W E (Eᵀ W E + 1)⁻¹`: the intercept has no penalty.
///
/// # Shapes
///
/// - noise: `[samples, features]`, row by row
/// - output: the same
pub(super) fn fit_to(noise: &[f64], samples: usize, features: usize, width: f64) -> Vec<f64> {
    let mut offsets = DMatrix::from_row_slice(samples, features, noise);
    let weight = |length: f64| (-length / (width * width)).exp();
    let weights: Vec<f64> = offsets.row_iter().map(|row| weight(row.norm_squared())).collect();

    let total: f64 = weights.iter().sum();
    for mut column in offsets.column_iter_mut() {
        let mean = column.iter().zip(&weights).map(|(e, w)| e * w).sum::<f64>() / total;
        column.add_scalar_mut(-mean);
    }
    let mut weighted = offsets.clone();
    for (mut row, weight) in weighted.row_iter_mut().zip(&weights) {
        row *= *weight;
    }
    let normal = weighted.transpose() * &offsets + DMatrix::identity(features, features) * RIDGE;
    // Symmetric, and no eigenvalue is below the penalty. If rounding has spoilt that,
    // there are no coefficients.
    let columns = match normal.cholesky() {
        Some(factors) => factors.solve(&weighted.transpose()),
        None => DMatrix::zeros(features, samples),
    };
    // The columns of the transpose are the rows of P.
    columns.as_slice().to_vec()
}

/// The width of the weights, in √D.
const WIDTH: f64 = 0.75;
/// The penalty on the coefficients.
const RIDGE: f64 = 1.0;
/// Offsets in one matrix product.
const TOGETHER: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn figures(file: &str) -> Value {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/baselines/");
        let text = std::fs::read_to_string(format!("{folder}{file}")).expect("a reference file");
        serde_json::from_str::<Value>(&text).expect("JSON")["tensors"].clone()
    }

    fn numbers(file: &Value, name: &str) -> Vec<f64> {
        let values = file[name]["values"].as_array().expect("numbers");
        values.iter().map(|value| value.as_f64().expect("a number")).collect()
    }

    fn wine() -> Vec<Vec<f64>> {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/wine/wine_minmax.csv");
        let mut reader = csv::Reader::from_path(path).expect("a reference file");
        let number = |cell: &str| cell.parse().expect("a number");
        let rows = reader.records();
        rows.map(|row| row.expect("a row").iter().take(13).map(number).collect()).collect()
    }

    /// Of scikit-learn, on offsets that are the same for both, through loops.
    #[test]
    fn coefficients_are_those_of_another_package() {
        let (surrogate, functions) = (figures("surrogate.json"), figures("functions.json"));
        let noise = numbers(&surrogate, "noise");
        let fit = fit_to(&noise, 200, 13, WIDTH * 13f64.sqrt());
        let (mean, deviation) = (numbers(&functions, "mean"), numbers(&functions, "deviation"));
        let data = wine();
        let centroids = numbers(&functions, "centroids");
        let supports: Vec<Vec<f64>> =
            numbers(&functions, "supports").iter().map(|row| data[*row as usize].clone()).collect();
        let gamma = numbers(&functions, "gamma")[0];
        let score = |z: &[f64], u: &[f64]| -> f64 {
            z.iter().zip(u).map(|(z, u)| 2.0 * z * u - u * u).sum()
        };
        let kmeans = |z: &[f64]| -> Vec<f64> {
            centroids.chunks(13).map(|centroid| score(z, centroid)).collect()
        };
        let kernel = |z: &[f64]| -> Vec<f64> {
            let exponentials = |u: &Vec<f64>| (gamma * score(z, u)).exp();
            let mean = |members: &[Vec<f64>]| members.iter().map(exponentials).sum::<f64>() / 6.0;
            supports.chunks(6).map(|members| mean(members).ln() / gamma).collect()
        };
        type ScoreFn<'a> = &'a dyn Fn(&[f64]) -> Vec<f64>;
        let scores: [(&str, ScoreFn<'_>); 2] = [("kmeans", &kmeans), ("kernel", &kernel)];
        for (name, scores) in scores {
            let expected = numbers(&surrogate, &format!("{name} coefficients"));
            let relevance = numbers(&surrogate, &format!("{name} relevance"));
            for (at, row) in numbers(&surrogate, "rows").into_iter().enumerate() {
                let x = &data[row as usize];
                let own = scores(x);
                let own = (0..3).fold(0, |best, k| if own[k] > own[best] { k } else { best });
                let mut found = [0.0; 13];
                for (e, fit) in noise.chunks(13).zip(fit.chunks(13)) {
                    let z: Vec<f64> = (0..13).map(|i| x[i] + deviation[i] * e[i]).collect();
                    let scores = scores(&z);
                    let others = (0..3).filter(|k| *k != own).map(|k| scores[k]);
                    let f = scores[own] - others.fold(f64::NEG_INFINITY, f64::max);
                    (0..13).for_each(|i| found[i] += f * fit[i]);
                }
                for i in 0..13 {
                    let place = at * 13 + i;
                    assert!((found[i] - expected[place]).abs() < 1e-9, "{name}, {row}, {i}");
                    let found = found[i] * (x[i] - mean[i]) / deviation[i];
                    assert!((found - relevance[place]).abs() < 1e-9, "{name}, {row}, {i}");
                }
            }
        }
    }

    #[test]
    fn offsets_that_say_nothing_give_no_coefficients() {
        assert_eq!(fit_to(&[0.0; 6], 3, 2, 1.0), [0.0; 6]);
        assert_eq!(fit_to(&[0.5, -2.0], 1, 2, 1.0), [0.0; 2]);
    }
}
