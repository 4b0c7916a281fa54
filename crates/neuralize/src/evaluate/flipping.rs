use burn::tensor::{Int, Tensor, backend::Backend};

use crate::baseline::{Case, Reference};
use crate::evaluate::ranking;
use crate::evaluate::{Band, Curve, Flips};
use crate::random::{Stream, uniform};
use crate::{kernel, transfer};

/// Replaces the features of every row in the order of their relevance, and
/// looks at what is left (Samek et al. 2017, for clusters as Kauffmann et al. 2024).
///
/// With L = min(D, levels), level l replaces the first round(l D / L) features
/// by those of the reference; the logit keeps asking for the cluster that the row
/// was in. `kept_l = Σ_n f(x_n^(l)) / Σ_n |f(x_n)|`, which is 1 at the start where every
/// point is in the cluster that is asked about, and −1 where none is. The other
/// curve takes the features in exactly the opposite order.
///
/// Where all logits are 0 at the start (no rows, or all on boundaries) nothing
/// can be lost in parts of them, and `kept` is 1 throughout.
///
/// # Shapes
///
/// - relevance: `[N, D]`
pub fn flip<B: Backend>(
    case: &Case<'_, B>,
    relevance: &Tensor<B, 2>,
    to: Reference,
    levels: usize,
) -> Flips {
    let features = case.x.dims()[1];
    let places = ranking::places(relevance);
    let backwards = places.clone().neg() + (features.max(1) - 1) as f64;
    let plan = Plan::new(case, to, levels);
    let (most, least) = (plan.curve(case, &places), plan.curve(case, &backwards));
    Flips { reference: to, share: plan.share(), most, least }
}

/// Curves of features in orders that are drawn at random, the same way.
///
/// One order is drawn a row, and its two directions are a pair as those of
/// [`flip`] are.
pub fn random_band<B: Backend>(
    case: &Case<'_, B>,
    to: Reference,
    levels: usize,
    draws: usize,
) -> Band {
    let plan = Plan::new(case, to, levels);
    let [rows, features] = case.x.dims();
    let mut rng = Stream::FlippingOrders.generator(case.scene.seed());
    let (mut curves, mut gains) = (Vec::new(), Vec::new());
    for _ in 0..draws.max(1) {
        let numbers = (0..rows * features).map(|_| uniform(&mut rng)).collect();
        let relevance =
            transfer::upload::<B, 2>(numbers, [rows, features], &case.x.device(), case.x.dtype());
        let places = ranking::places(&relevance);
        let backwards = places.clone().neg() + (features.max(1) - 1) as f64;
        let (most, least) = (plan.curve(case, &places), plan.curve(case, &backwards));
        gains.push(least.area() - most.area());
        curves.extend([most, least]);
    }
    let of = |part: fn(&Curve) -> &Vec<f64>| {
        let all: Vec<&Vec<f64>> = curves.iter().map(part).collect();
        (0..=plan.levels).map(|l| moments(all.iter().map(|curve| curve[l]))).unzip()
    };
    let (kept, kept_deviation) = of(|curve| &curve.kept);
    let (changed, changed_deviation) = of(|curve| &curve.changed);
    Band {
        reference: to,
        share: plan.share(),
        mean: Curve { kept, changed },
        deviation: Curve { kept: kept_deviation, changed: changed_deviation },
        // Their mean is 0, since an order and its opposite are equally likely.
        gain_deviation: (gains.iter().map(|gain| gain * gain).sum::<f64>() / gains.len() as f64)
            .sqrt(),
    }
}

/// Mean, and standard deviation from it.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let square = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, square.sqrt())
}

/// What the orders of one case have in common.
struct Plan<B: Backend> {
    /// L.
    levels: usize,
    reference: Tensor<B, 2>,
    /// The cluster of every row at the start, `[N, 1]`.
    start: Tensor<B, 2, Int>,
}

impl<B: Backend> Plan<B> {
    fn new(case: &Case<'_, B>, to: Reference, levels: usize) -> Self {
        let [rows, features] = case.x.dims();
        let network = case.scene.subject().network();
        let parts: Vec<Tensor<B, 2, Int>> =
            kernel::blocks(rows, kernel::block_rows(network.columns()))
                .map(|range| network.scores(case.x.clone().slice([range, 0..features])).argmax(1))
                .collect();
        let start = if parts.is_empty() { case.pinned.cluster() } else { Tensor::cat(parts, 0) };
        Self { levels: features.min(levels.max(1)), reference: case.reference(to), start }
    }

    fn share(&self) -> Vec<f64> {
        (0..=self.levels).map(|l| l as f64 / self.levels as f64).collect()
    }

    /// Features go in the order of their places, `[N, D]`. Rows in blocks outside
    /// and levels inside, so that a block's numbers stay at hand.
    fn curve(&self, case: &Case<'_, B>, places: &Tensor<B, 2>) -> Curve {
        let [rows, features] = case.x.dims();
        let network = case.scene.subject().network();
        let mut size = 0.0;
        let (mut logits, mut changed) = (vec![0.0; self.levels + 1], vec![0.0; self.levels + 1]);
        for range in kernel::blocks(rows, kernel::block_rows(8 * network.columns())) {
            let part = |table: &Tensor<B, 2>| table.clone().slice([range.clone(), 0..features]);
            let (x, reference, places) = (part(&case.x), part(&self.reference), part(places));
            let start = self.start.clone().slice([range.clone(), 0..1]);
            let pinned = case.pinned.rows(range.clone());
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
            // One reading a block: [n, L + 1] each.
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

/// Features that level l of L replaces: round(l D / L), halves away from 0.
fn flipped(level: usize, features: usize, levels: usize) -> usize {
    (2 * level * features + levels) / (2 * levels)
}
