//! The secant pass of a pair of components of a mixture.

use burn::tensor::{Tensor, backend::Backend};

use crate::explain::Root;
use crate::gradient::quotient;
use crate::network::secant::{PairRows, Secants};
use crate::transfer;

/// The components of a mixture.
///
/// On a line the contrast of two log densities is quadratic, so the root x₀ is known in closed form.
/// With `z_k = (x − μ_k) / σ_k` and z⁰ at the root, the relevances
/// `R = ½ [(z_k − z⁰_k)(z_k + z⁰_k) − (z_c − z⁰_c)(z_c + z⁰_c)]` sum to h_ck(x): the constants of the
/// components only move the root.
pub(super) struct ComponentSecants<B: Backend> {
    /// μ and σ, `[K, D]`.
    pub(super) means: Tensor<B, 2>,
    pub(super) deviations: Tensor<B, 2>,
    /// The same on the host, row by row.
    components: Components,
}

/// The components on the host.
pub(super) struct Components {
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// `log π_k − ½ Σ_i log σ²_ki`
    constants: Vec<f64>,
    features: usize,
}

/// A point of a component that is its own, in a pair.
enum Seat {
    /// Its mean.
    Mean,
    /// The point within a standard deviation of it, in every feature, that is most its own.
    Beside(Vec<f64>),
    /// Neither is its own.
    Nowhere,
}

impl Components {
    /// # Shapes
    ///
    /// - means and deviations: `[K, D]`, constants: `[K]`
    pub(super) fn of<B: Backend>(
        means: &Tensor<B, 2>,
        deviations: &Tensor<B, 2>,
        constants: Tensor<B, 1>,
    ) -> Self {
        Self {
            features: means.dims()[1],
            means: transfer::download(means.clone()),
            deviations: transfer::download(deviations.clone()),
            constants: transfer::download(constants),
        }
    }

    fn of_component(&self, k: usize) -> (&[f64], &[f64]) {
        let part = k * self.features..(k + 1) * self.features;
        (&self.means[part.clone()], &self.deviations[part])
    }

    /// `s_k − s_c` at a point.
    fn depth(&self, c: usize, k: usize, point: &[f64]) -> f64 {
        let log_density = |k: usize| {
            let (means, deviations) = self.of_component(k);
            let z = point.iter().zip(means).zip(deviations).map(|((x, m), s)| (x - m) / s);
            self.constants[k] - 0.5 * z.map(|z| z * z).sum::<f64>()
        };
        log_density(k) - log_density(c)
    }

    /// A point of component k that is k's, if its only competitor is c.
    fn seat(&self, c: usize, k: usize) -> Seat {
        let (means, deviations) = self.of_component(k);
        if self.depth(c, k, means) > 0.0 {
            return Seat::Mean;
        }
        let (other_means, other_deviations) = self.of_component(c);
        let best = means.iter().zip(deviations).zip(other_means).zip(other_deviations).map(
            |(((&mean, &deviation), &other), &other_deviation)| {
                let gain = |x: f64| {
                    ((x - other) / other_deviation).powi(2) - ((x - mean) / deviation).powi(2)
                };
                let (own, away) = (deviation.powi(-2), other_deviation.powi(-2));
                // Where the gain has its largest value, if it has one.
                let top = (mean * own - other * away) / (own - away);
                let ends = [mean - deviation, mean + deviation];
                let inside = own > away && (ends[0]..=ends[1]).contains(&top);
                let candidates = ends.into_iter().chain(inside.then_some(top));
                candidates.max_by(|a, b| gain(*a).total_cmp(&gain(*b))).unwrap_or(mean)
            },
        );
        let best: Vec<f64> = best.collect();
        if self.depth(c, k, &best) > 0.0 { Seat::Beside(best) } else { Seat::Nowhere }
    }

    /// Whether every component has a point of its own, whatever its only competitor is.
    pub(super) fn are_complete(&self) -> bool {
        let clusters = 0..self.constants.len();
        let has_seat = |c: usize, k: usize| !matches!(self.seat(c, k), Seat::Nowhere);
        clusters.clone().all(|c| clusters.clone().all(|k| c == k || has_seat(c, k)))
    }
}

impl<B: Backend> ComponentSecants<B> {
    pub(super) fn new(
        means: Tensor<B, 2>,
        deviations: Tensor<B, 2>,
        components: Components,
    ) -> Self {
        Self { means, deviations, components }
    }

    pub(super) fn are_complete(&self) -> bool {
        self.components.are_complete()
    }

    /// What made the contrasts of a pair of components.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`
    pub(super) fn of_pair(&self, x: &Tensor<B, 2>, root: Root, pair: &PairRows<B>) -> Secants<B> {
        let (c, k) = (pair.c, pair.k);
        let x = pair.of(x);
        let shape @ [rows, features] = x.dims();
        let (device, dtype) = (x.device(), x.dtype());
        let row = |table: &Tensor<B, 2>, k: usize| table.clone().narrow(0, k, 1).expand(shape);
        let [(own, own_deviation), (other, other_deviation)] =
            [c, k].map(|k| (row(&self.means, k), row(&self.deviations, k)));
        // A point of either component beside the other, and whether it is its own.
        let seat = |c: usize, k: usize| match self.components.seat(c, k) {
            Seat::Beside(point) => {
                let point = transfer::upload::<B, 2>(point, [1, features], &device, dtype);
                (point.expand(shape), true)
            }
            Seat::Mean => (row(&self.means, k), true),
            Seat::Nowhere => (row(&self.means, k), false),
        };
        let ((to_other, has_other), (to_own, has_own)) = (seat(c, k), seat(k, c));

        // The contrast at a + τ d is first + τ (slope + τ bend).
        let lambda = root.lambda();
        let start = if lambda == 1.0 {
            x.clone()
        } else {
            to_own.clone() + (x.clone() - to_own.clone()) * lambda
        };
        let seen = |points: &Tensor<B, 2>| {
            let own = quotient(points.clone() - own.clone(), own_deviation.clone());
            let other = quotient(points.clone() - other.clone(), other_deviation.clone());
            [own, other]
        };
        let constant = self.components.constants[c] - self.components.constants[k];
        let [z_own, z_other] = seen(&start);
        let sum = |table: Tensor<B, 2>| table.sum_dim(1);
        // Half the difference of squares, which keeps its digits where both are large.
        let first = sum((z_other.clone() - z_own.clone()) * (z_other.clone() + z_own.clone()))
            * 0.5
            + constant;
        let outside = first.clone().lower_elem(0.0);
        let end = to_other.mask_where(outside.clone().expand(shape), to_own);
        let way = end - start.clone();
        let d_own = quotient(way.clone(), own_deviation.clone());
        let d_other = quotient(way.clone(), other_deviation.clone());
        let slope = sum(d_other.clone() * z_other - d_own.clone() * z_own);
        let bend = sum((d_other.clone() - d_own.clone()) * (d_other + d_own)) * 0.5;
        let last = first.clone() + slope.clone() + bend.clone();

        // Seen from the side of the start, the contrast falls through 0.
        let signed = |h: Tensor<B, 2>| h.clone().mask_where(outside.clone(), h.neg());
        let [first, slope, bend, last] = [first, slope, bend, last].map(signed);
        let touching = first.clone().equal_elem(0.0);
        let [inside, beyond] = [has_other, has_own]
            .map(|has| first.clone().abs().greater_elem(if has { -1.0 } else { f64::INFINITY }));
        let rooted = inside.mask_where(outside, beyond);
        // Rounding may leave the end of the line on the side of its start.
        let short = last.greater_elem(0.0);
        let root = (slope.clone().square() - bend.clone() * first.clone() * 4.0).clamp_min(0.0);
        let flat = root.clone().equal_elem(0.0);
        let root = root.mask_fill(flat.clone(), 1.0).sqrt().mask_fill(flat, 0.0);
        let rising = slope.clone().greater_elem(0.0);
        let above = (first * 2.0).mask_where(rising.clone(), slope.clone() + root.clone());
        let below = (root - slope).mask_where(rising, bend * -2.0);
        let none = below.clone().equal_elem(0.0).bool_or(touching.clone());
        let place = quotient(above, below.mask_fill(none, 1.0)).clamp(0.0, 1.0);
        let place = place.mask_fill(short, 1.0).mask_fill(touching, 0.0);

        let root = start + way * place.expand([rows, features]);
        let moved = x.clone() - root.clone();
        let [z_own, z_other] = seen(&x);
        let [root_own, root_other] = seen(&root);
        let other_part = quotient(moved.clone(), other_deviation) * (z_other + root_other);
        let own_part = quotient(moved, own_deviation) * (z_own + root_own);
        Secants { relevance: (other_part - own_part) * 0.5, rooted }
    }
}
