//! SmoothGrad, and the normal numbers that methods around a row draw.

use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Query};
use crate::error::{Error, Result};
use crate::random::{Stream, uniform};
use crate::transfer;

/// SmoothGrad (Smilkov et al. 2017): `R_i = 1/S Σ_s ∂f/∂x_i at x + noise · σ ∘ e_s`
/// with normal e_s `[D]`, the same for all rows, and σ the standard deviations of
/// the features.
pub(super) fn smooth<B: Backend>(
    query: &Query<'_, B>,
    samples: usize,
    noise: f64,
) -> Result<Attribution<B>> {
    at_least_one_sample(samples)?;
    if !(noise >= 0.0 && noise.is_finite()) {
        return Err(Error::Config {
            name: "noise",
            value: noise.to_string(),
            rule: "it must be finite and at least 0".into(),
        });
    }
    if query.is_empty() {
        return Ok(query.x.clone().into());
    }
    let [rows, features] = query.x.dims();
    let numbers = normals(query.background.seed(), Stream::SmoothGrad, samples, features);
    let numbers =
        transfer::upload::<B, 2>(numbers, [samples, features], &query.x.device(), query.x.dtype());
    let numbers = numbers * (query.background.deviation() * noise).expand([samples, features]);
    let mut slopes = query.x.zeros_like();
    for sample in 0..samples {
        let offset = numbers.clone().narrow(0, sample, 1).expand([rows, features]);
        slopes = slopes + query.at(query.x.clone() + offset).slope();
    }
    Ok((slopes / samples as f64).into())
}

/// Normal numbers of mean 0 and standard deviation 1, row by row, by the method of
/// Box and Muller (1958).
pub(super) fn normals(seed: u64, stream: Stream, rows: usize, columns: usize) -> Vec<f64> {
    let mut rng = stream.generator(seed);
    let normal = |_| {
        // The logarithm of a number in (0, 1].
        let length = (-2.0 * (1.0 - uniform(&mut rng)).ln()).sqrt();
        length * (std::f64::consts::TAU * uniform(&mut rng)).cos()
    };
    (0..rows * columns).map(normal).collect()
}

/// Refuses 0 samples.
pub(super) fn at_least_one_sample(samples: usize) -> Result<()> {
    if samples > 0 {
        return Ok(());
    }
    Err(Error::Config {
        name: "samples",
        value: samples.to_string(),
        rule: "it must be at least 1".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_the_moments_of_a_normal_distribution() {
        let numbers = normals(1, Stream::SmoothGrad, 500, 40);
        let moment = |power: i32| {
            numbers.iter().map(|number| number.powi(power)).sum::<f64>() / numbers.len() as f64
        };
        for (power, expected) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)] {
            assert!((moment(power) - expected).abs() < 0.15, "{power}: {}", moment(power));
        }
        assert_ne!(numbers, normals(2, Stream::SmoothGrad, 500, 40));
        assert_ne!(numbers, normals(1, Stream::Surrogate, 500, 40));
    }
}
