//! Flipping curves: the logit as features are replaced in the order of their relevance.

use burn::tensor::{Int, Tensor, backend::Backend};

use crate::baseline::{Query, Reference};
use crate::evaluate::ranking;
use crate::evaluate::{Band, Curve, Flips};
use crate::random::{Stream, uniform};
use crate::{kernel, transfer};

/// Replaces the features of every row in the order of their relevance, and follows the
/// logit (Samek et al. 2017, for clusters as Kauffmann et al. 2024).
///
/// With L = min(D, levels), level l replaces the first round(l D / L) features
/// by those of the reference; the explained cluster stays that of the row at the
/// start. `kept_l = Σ_n f(x_n^(l)) / Σ_n |f(x_n)|` is 1 at the start if every point is
/// in the explained cluster, and −1 if none is. The other curve takes the features in the
/// opposite order.
///
/// If all logits are 0 at the start (no rows, or all on boundaries), `kept` is 1
/// throughout.
///
/// # Shapes
///
/// - relevance: `[N, D]`
pub fn flip<B: Backend>(
    query: &Query<'_, B>,
    relevance: &Tensor<B, 2>,
    to: Reference,
    levels: usize,
) -> Flips {
    let features = query.x.dims()[1];
    let places = ranking::places(relevance);
    let backwards = places.clone().neg() + (features.max(1) - 1) as f64;
    let flipping = Flipping::new(query, to, levels);
    let (most, least) = (flipping.curve(query, &places), flipping.curve(query, &backwards));
    Flips { reference: to, share: flipping.share(), most, least }
}

/// The same curves for random orders of the features, one order for every row in each
/// draw; an order and its opposite make a pair as in [`flip`].
pub fn random_band<B: Backend>(
    query: &Query<'_, B>,
    to: Reference,
    levels: usize,
    draws: usize,
) -> Band {
    let flipping = Flipping::new(query, to, levels);
    let [rows, features] = query.x.dims();
    let mut rng = Stream::FlippingOrders.generator(query.background.seed());
    let (mut curves, mut gains) = (Vec::new(), Vec::new());
    for _ in 0..draws.max(1) {
        let numbers = (0..rows * features).map(|_| uniform(&mut rng)).collect();
        let relevance =
            transfer::upload::<B, 2>(numbers, [rows, features], &query.x.device(), query.x.dtype());
        let places = ranking::places(&relevance);
        let backwards = places.clone().neg() + (features.max(1) - 1) as f64;
        let (most, least) = (flipping.curve(query, &places), flipping.curve(query, &backwards));
        gains.push(least.area() - most.area());
        curves.extend([most, least]);
    }
    let of = |part: fn(&Curve) -> &Vec<f64>| {
        let all: Vec<&Vec<f64>> = curves.iter().map(part).collect();
        (0..=flipping.levels).map(|l| moments(all.iter().map(|curve| curve[l]))).unzip()
    };
    let (kept, kept_deviation) = of(|curve| &curve.kept);
    let (changed, changed_deviation) = of(|curve| &curve.changed);
    Band {
        reference: to,
        share: flipping.share(),
        mean: Curve { kept, changed },
        deviation: Curve { kept: kept_deviation, changed: changed_deviation },
        // The mean is 0, since an order and its opposite are equally likely.
        gain_deviation: (gains.iter().map(|gain| gain * gain).sum::<f64>() / gains.len() as f64)
            .sqrt(),
    }
}

/// Mean and standard deviation.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let square = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, square.sqrt())
}

/// What the curves of one query have in common.
struct Flipping<B: Backend> {
    /// L.
    levels: usize,
    reference: Tensor<B, 2>,
    /// The cluster of every row at the start, `[N, 1]`.
    start: Tensor<B, 2, Int>,
}

impl<B: Backend> Flipping<B> {
    fn new(query: &Query<'_, B>, to: Reference, levels: usize) -> Self {
        let [rows, features] = query.x.dims();
        let network = query.background.subject().network();
        let parts: Vec<Tensor<B, 2, Int>> =
            kernel::blocks(rows, kernel::block_rows(network.columns()))
                .map(|range| network.scores(query.x.clone().slice([range, 0..features])).argmax(1))
                .collect();
        let start = if parts.is_empty() { query.pinned.cluster() } else { Tensor::cat(parts, 0) };
        Self { levels: features.min(levels.max(1)), reference: query.reference(to), start }
    }

    fn share(&self) -> Vec<f64> {
        (0..=self.levels).map(|l| l as f64 / self.levels as f64).collect()
    }

    /// The curve with features replaced in the order of their places, `[N, D]`. The outer loop
    /// takes blocks of rows and the inner one levels, so that a block stays in the cache.
    fn curve(&self, query: &Query<'_, B>, places: &Tensor<B, 2>) -> Curve {
        let [rows, features] = query.x.dims();
        let network = query.background.subject().network();
        let mut size = 0.0;
        let (mut logits, mut changed) = (vec![0.0; self.levels + 1], vec![0.0; self.levels + 1]);
        for range in kernel::blocks(rows, kernel::block_rows(8 * network.columns())) {
            let part = |table: &Tensor<B, 2>| table.clone().slice([range.clone(), 0..features]);
            let (x, reference, places) = (part(&query.x), part(&self.reference), part(places));
            let start = self.start.clone().slice([range.clone(), 0..1]);
            let pinned = query.pinned.rows(range.clone());
            let (mut sums, mut counts) = (Vec::new(), Vec::new());
            for level in 0..=self.levels {
                let flipped = flipped(level, features, self.levels);
                let gone = places.clone().lower_elem(flipped as f64 - 0.5);
                let scores = network.scores(x.clone().mask_where(gone, reference.clone()));
                let elsewhere = scores.clone().argmax(1).not_equal(start.clone());
                let logit = pinned.logit(&scores);
                counts.push(logit.zeros_like().mask_fill(elsewhere, 1.0));
                sums.push(logit);
            }
            // One download for each block and curve: [n, L + 1].
            let host = |columns| transfer::download::<B, 2>(Tensor::cat(columns, 1));
            size += transfer::download(sums[0].clone().abs()).iter().sum::<f64>();
            for (into, columns) in [(&mut logits, sums), (&mut changed, counts)] {
                for row in host(columns).chunks(self.levels + 1) {
                    into.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                }
            }
        }
        let kept = logits.iter().map(|sum| if size == 0.0 { 1.0 } else { sum / size });
        let rows = rows.max(1) as f64;
        Curve { kept: kept.collect(), changed: changed.iter().map(|count| count / rows).collect() }
    }
}

/// The number of features that level l of L replaces: round(l D / L), halves away from 0.
fn flipped(level: usize, features: usize, levels: usize) -> usize {
    (2 * level * features + levels) / (2 * levels)
}
