//! Shapley values: exact, sampled, and in closed form for a pair of clusters.

use core::ops::Range;

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribution, Query, Reference};
use crate::error::{Error, Result};
use crate::network::Network;
use crate::random::{self, Stream};
use crate::{kernel, transfer};

/// Exact Shapley values (Shapley 1953; Lundberg and Lee 2017) of the game
/// `v(S) = f(x_S, r_rest)`:
/// `φ_i = Σ_{S∌i} |S|! (D − |S| − 1)! / D! · [v(S ∪ {i}) − v(S)]`.
///
/// They sum to f(x) − f(r).
pub(super) fn exact<B: Backend>(query: &Query<'_, B>, to: Reference) -> Result<Attribution<B>> {
    let [_, features] = query.x.dims();
    if features > MAX_EXACT_FEATURES {
        return Err(Error::Config {
            name: "method",
            value: format!("shapley:{to}"),
            rule: format!(
                "exact Shapley values take at most {MAX_EXACT_FEATURES} features, and there are {features}: use `shapley-sampling`"
            ),
        });
    }
    let coalitions = 1 << features;
    let weights = weights(features);
    let (device, dtype) = (query.x.device(), query.x.dtype());
    let parts = by_rows(query, to, features << features, |query, reference| {
        // The weights of a feature sum to 0, so a constant may be subtracted from every
        // value, which saves digits.
        let nothing = query.at(reference.clone()).logit();
        let mut sum = query.x.zeros_like();
        values(query, reference, coalitions, is_in, |range, values| {
            let [rows, wide] = values.dims();
            let shares = range.flat_map(|coalition| {
                let size = coalition.count_ones() as usize;
                let weights = &weights;
                (0..features).map(move |feature| {
                    if is_in(coalition, feature) {
                        weights[size - 1]
                    } else {
                        -weights.get(size).copied().unwrap_or(0.0)
                    }
                })
            });
            let shares = transfer::upload(shares.collect(), [wide, features], &device, dtype);
            let gained = values - nothing.clone().expand([rows, wide]);
            sum = sum.clone() + gained.matmul(shares);
        });
        sum
    });
    Ok(joined(parts, query).into())
}

/// Whether a feature is in a coalition, whose index has a bit for every feature.
fn is_in(coalition: usize, feature: usize) -> bool {
    coalition >> feature & 1 == 1
}

/// `s! (D − s − 1)! / D!` for s = 0 to D − 1, which is 1 / (D · (D − 1 choose s)).
fn weights(features: usize) -> Vec<f64> {
    let mut weight = 1.0 / features as f64;
    (0..features)
        .map(|size| {
            let of_size = weight;
            weight *= (size + 1) as f64 / (features - size).saturating_sub(1).max(1) as f64;
            of_size
        })
        .collect()
}

/// Shapley values over random permutations (Castro et al. 2009): one feature after
/// the other changes from its reference to its value, and gets the gain of the logit
/// at that step. Every permutation is walked backwards too (antithetic pairs, Mitchell
/// et al. 2022); all rows share the permutations.
///
/// Every walk, and so their mean, sums to f(x) − f(r). The standard error is
/// that of the mean over pairs, which are independent; with few pairs it is too small where
/// only rare orders make a difference.
pub(super) fn sampled<B: Backend>(
    query: &Query<'_, B>,
    to: Reference,
    permutations: usize,
) -> Result<Attribution<B>> {
    if permutations < 2 {
        return Err(Error::Config {
            name: "permutations",
            value: permutations.to_string(),
            rule: "it must be at least 2, for a standard error".into(),
        });
    }
    let [_, features] = query.x.dims();
    let mut rng = Stream::ShapleyOrders.generator(query.background.seed());
    let orders: Vec<Vec<usize>> = (0..permutations)
        .map(|_| {
            let mut order: Vec<usize> = (0..features).collect();
            for place in (1..features).rev() {
                order.swap(place, random::index(place + 1, &mut rng));
            }
            order
        })
        .collect();
    let parts = by_rows(query, to, features * (features + 1), |query, reference| {
        let mut mean = query.x.zeros_like();
        let mut squares = query.x.zeros_like();
        for (count, order) in (1..).zip(&orders) {
            let backwards: Vec<usize> = order.iter().rev().copied().collect();
            let pair = (walk(query, reference, order) + walk(query, reference, &backwards)) * 0.5;
            // Welford's update, which keeps the digits of a small spread.
            let off = pair.clone() - mean.clone();
            mean = mean + off.clone() / f64::from(count);
            squares = squares + off * (pair - mean.clone());
        }
        let pairs = permutations as f64;
        let error = (squares.clamp_min(0.0) / (pairs * (pairs - 1.0))).sqrt();
        (mean, error)
    });
    let (mean, error): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    Ok(Attribution::from(joined(mean, query)).with_error(joined(error, query)))
}

/// The gain by every feature when features join in this order.
fn walk<B: Backend>(
    query: &Query<'_, B>,
    reference: &Tensor<B, 2>,
    order: &[usize],
) -> Tensor<B, 2> {
    let features = order.len();
    let mut place = vec![0; features];
    for (at, feature) in order.iter().enumerate() {
        place[*feature] = at;
    }
    let mut steps = Vec::new();
    let joined = |step: usize, feature: usize| place[feature] < step;
    values(query, reference, features + 1, joined, |_, values| steps.push(values));
    let steps = Tensor::cat(steps, 1);
    let gained = steps.clone().narrow(1, 1, features) - steps.narrow(1, 0, features);
    gained.select(1, transfer::upload_indices(&place, &query.x.device()))
}

/// The Shapley values of the contrast with the nearest competitor alone,
/// `h_ck = |x − μ_k|² − |x − μ_c|²`, for k-means.
///
/// It is a sum over features, `h_ck = Σ_i (x_i − μ_ki)² − (x_i − μ_ci)²`, so
/// the gain by a feature is the same for every coalition that it joins: its
/// term at x less its term at r. The squares of x_i cancel,
/// `(x_i − μ_ki)² − (x_i − μ_ci)² = 2 (μ_c − μ_k)_i x_i + const`, and with them
/// the constant:
///
/// `φ_i = 2 (μ_c − μ_k)_i (x_i − r_i)`.
///
/// With the point halfway, (μ_c + μ_k)/2, as reference this is the midpoint rule:
/// NEON for β → ∞.
pub(super) fn pair<B: Backend>(query: &Query<'_, B>, to: Reference) -> Result<Attribution<B>> {
    let Some(network) = query.background.subject().network().as_kmeans() else {
        return Err(Error::Config {
            name: "method",
            value: format!("shapley-pair:{to}"),
            rule:
                "it is for k-means, whose contrasts are linear: use `shapley` or `shapley-sampling`"
                    .into(),
        });
    };
    if query.is_empty() {
        return Ok(query.x.clone().into());
    }
    let of = |index: Tensor<B, 2, burn::tensor::Int>| {
        network.centroids().select(0, index.squeeze_dim(1))
    };
    let slope = (of(query.pinned.cluster()) - of(query.pinned.competitor())) * 2.0;
    Ok((slope * (query.x.clone() - query.reference(to))).into())
}

/// A function of rows and of their references, computed block by block; `columns` is the
/// number of elements that a row leads to.
fn by_rows<B: Backend, T>(
    query: &Query<'_, B>,
    to: Reference,
    columns: usize,
    mut body: impl FnMut(&Query<'_, B>, &Tensor<B, 2>) -> T,
) -> Vec<T> {
    let [rows, features] = query.x.dims();
    // For all rows at once, because samples are drawn row after row.
    let reference = query.reference(to);
    kernel::blocks(rows, kernel::block_rows(columns))
        .map(|range| {
            let reference = reference.clone().slice([range.clone(), 0..features]);
            body(&query.rows(range), &reference)
        })
        .collect()
}

fn joined<B: Backend>(parts: Vec<Tensor<B, 2>>, query: &Query<'_, B>) -> Tensor<B, 2> {
    if parts.is_empty() { query.x.clone() } else { Tensor::cat(parts, 0) }
}

/// v(S) of many coalitions for a block of rows, as many coalitions at a time as
/// fit into a block: `[n, s]` each time, with the range of their indices.
fn values<B: Backend>(
    query: &Query<'_, B>,
    reference: &Tensor<B, 2>,
    coalitions: usize,
    is_in: impl Fn(usize, usize) -> bool,
    mut each: impl FnMut(Range<usize>, Tensor<B, 2>),
) {
    let [rows, features] = query.x.dims();
    let (device, dtype) = (query.x.device(), query.x.dtype());
    let subject = query.background.subject();
    let step = (kernel::BLOCK_ELEMENTS / (rows * features).max(1)).max(1);
    for range in kernel::blocks(coalitions, step) {
        let wide = range.len();
        let members = range
            .clone()
            .flat_map(|coalition| (0..features).map(move |feature| (coalition, feature)))
            .map(|(coalition, feature)| f64::from(u8::from(is_in(coalition, feature))))
            .collect();
        let shape = [rows, wide, features];
        let members = transfer::upload::<B, 3>(members, [1, wide, features], &device, dtype)
            .greater_elem(0.5)
            .expand(shape);
        let many = |table: &Tensor<B, 2>| table.clone().unsqueeze_dim::<3>(1).expand(shape);
        let points = many(reference).mask_where(members, many(&query.x));
        let points = points.reshape([rows * wide, features]);
        let values = subject.logit(&points, &query.pinned.repeated(wide));
        each(range, values.reshape([rows, wide]));
    }
}

/// The maximum number of features of exact Shapley values.
pub(super) const MAX_EXACT_FEATURES: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_factorials() {
        let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
        for features in 1..=13 {
            let weights = weights(features);
            assert_eq!(weights.len(), features);
            for (size, weight) in weights.into_iter().enumerate() {
                let expected =
                    factorial(size) * factorial(features - size - 1) / factorial(features);
                assert!((weight / expected - 1.0).abs() < 1e-14, "{features}, {size}");
            }
        }
    }
}
