//! The secant pass of a pair of clusters of supports.

use burn::tensor::{Bool, Tensor, backend::Backend};

use crate::cluster::SupportScorer;
use crate::cluster::segments::{Segments, lowest};
use crate::explain::Root;
use crate::kernel::{PARTS, STEPS, exp_minus_one, steepness};
use crate::network::seats::Seats;
use crate::network::secant::{PairRows, Secants};
use crate::{gradient, transfer};

/// The secant pass of a block of rows through clusters of supports.
///
/// The contrast `h_ck = s_c − s_k` is 0 at the root x₀, on a line from a to b. There the scores
/// `t_j = 2 x·u_j − ‖u_j‖²` are linear, so the search takes no products. With the shares
/// `p_j = softmax(γ t_j)` in a cluster, at x and at x₀, the weights `w_j ∝ L(p_j, p⁰_j)`, logarithmic
/// means scaled to sum to 1, give `Σ w_j Δt_j = Δs` exactly, because `Σ L Δ ln p = Σ Δp = 0` (Sato
/// 1976, Vartia 1976). Hence the relevances
/// `R = 2 (Σ_{i∈c} w_i u_i − Σ_{j∈k} w_j u_j) ∘ (x − x₀)` sum to h_ck(x).
pub(super) struct SupportSecants<'a, B: Backend> {
    pub(super) scorer: &'a SupportScorer<B>,
    pub(super) seats: &'a Seats,
    /// The places of the clusters, `[K, D]`, around the centre like all points here.
    pub(super) places: Tensor<B, 2>,
    /// `[M, D]`
    pub(super) supports: Tensor<B, 2>,
    /// Rows, `[n, D]`.
    pub(super) x: Tensor<B, 2>,
    /// Their scores for the supports, `[n, M]`.
    pub(super) t: Tensor<B, 2>,
    /// The supports that they leave out, `[n, M]`.
    pub(super) left_out: Option<Tensor<B, 2, Bool>>,
    pub(super) root: Root,
}

/// The scores of points for the supports of one cluster.
struct Cluster<B: Backend> {
    /// The cluster alone.
    segments: Segments,
    /// The supports that the rows leave out, `[r, n_k]`.
    left_out: Option<Tensor<B, 2, Bool>>,
    /// `2 U` and `−‖u‖²`: `[D, n_k]` and `[1, n_k]`.
    weight: Tensor<B, 2>,
    bias: Tensor<B, 2>,
    gamma: f64,
}

/// A point on the line in terms of a cluster: scores of its supports, and their distance from the
/// largest.
struct At<B: Backend> {
    /// `t_j − max t`, `[r, n_k]`
    below: Tensor<B, 2>,
    /// `s − max t`, `[r, 1]`
    excess: Tensor<B, 2>,
    /// `s`, `[r, 1]`
    score: Tensor<B, 2>,
}

impl<B: Backend> Cluster<B> {
    fn apply(&self, points: Tensor<B, 2>) -> Tensor<B, 2> {
        points.matmul(self.weight.clone()) + self.bias.clone()
    }

    fn at(&self, t: Tensor<B, 2>) -> At<B> {
        let shape = t.dims();
        let t = match &self.left_out {
            Some(left) => {
                let lowest = lowest(t.dtype());
                t.mask_fill(left.clone(), lowest)
            }
            None => t,
        };
        let largest = t.clone().max_dim(1);
        let below = t - largest.clone().expand(shape);
        let excess = self.segments.pool(&below, self.left_out.as_ref());
        At { below, score: largest + excess.clone(), excess }
    }

    /// The slope of the score if scores change by `delta`, `[r, 1]`.
    fn slope(&self, at: &At<B>, delta: &Tensor<B, 2>) -> Tensor<B, 2> {
        (self.segments.shares(&at.below, self.left_out.as_ref()) * delta.clone()).sum_dim(1)
    }

    /// The weights w between two points, `[r, n_k]`.
    fn weights(&self, x: &At<B>, root: &At<B>) -> Tensor<B, 2> {
        let shape = x.below.dims();
        let dtype = x.below.dtype();
        // log p and log p⁰ over γ, up to what all supports have.
        let log = |at: &At<B>| at.below.clone() - at.excess.clone().expand(shape);
        let (at_x, at_root) = (log(x), log(root));
        let apart = (at_x.clone() - at_root.clone()).abs();
        let weights = match steepness(self.gamma, dtype) {
            Some(gamma) => {
                let larger = at_x.max_pair(at_root);
                // The largest support at either end is among these.
                let minor = larger.clone().lower_elem(0.0);
                let unit = nearest(&apart, minor)
                    .clamp_min((1.0 / gamma).min(transfer::largest(dtype)))
                    .expand(shape);
                let delta = apart.clone() * gamma;
                // (1 − e^−δ) / δ, in units of what the major supports have.
                let lost = exp_minus_one(delta.clone().clamp_max(1e3).neg()).neg();
                let far = delta.clone().greater_elem(1.0);
                let none = delta.clone().equal_elem(0.0);
                let q = (unit.clone() * gamma).clamp_max(transfer::largest(dtype).sqrt());
                let small = gradient::quotient(lost.clone(), delta.mask_fill(none.clone(), 1.0));
                let small = small.mask_fill(none, 1.0) * q;
                let large =
                    lost * gradient::quotient(unit, apart.mask_fill(far.clone().bool_not(), 1.0));
                (larger * gamma).exp() * small.mask_where(far, large)
            }
            None => {
                let shares = |at: &At<B>| self.segments.shares(&at.below, self.left_out.as_ref());
                let (p, p0) = (shares(x), shares(root));
                let both = p.clone().min_pair(p0.clone()).greater_elem(0.0);
                let either = (p.clone() + p0.clone()).greater_elem(0.0);
                let unit = nearest(&apart, either.bool_not()).expand(shape);
                let none = apart.clone().equal_elem(0.0);
                let parts = (p - p0).abs() * gradient::quotient(unit, apart.mask_fill(none, 1.0));
                let whole = both.clone().float().cast(dtype);
                let any = whole.clone().max_dim(1).greater_elem(0.0).expand(shape);
                parts.mask_where(any, whole)
            }
        };
        let weights = match &self.left_out {
            Some(left) => weights.mask_fill(left.clone(), 0.0),
            None => weights,
        };
        let total = weights.clone().sum_dim(1);
        let none = total.clone().equal_elem(0.0);
        gradient::quotient(weights, total.mask_fill(none, 1.0).expand(shape))
    }
}

/// The smallest value of a row that is not masked, `[r, 1]`.
fn nearest<B: Backend>(values: &Tensor<B, 2>, masked: Tensor<B, 2, Bool>) -> Tensor<B, 2> {
    let largest = transfer::largest(values.dtype());
    values.clone().mask_fill(masked, largest).min_dim(1)
}

/// A line between points, and the scores of two clusters on it.
struct Line<'a, B: Backend> {
    own: &'a Cluster<B>,
    other: &'a Cluster<B>,
    /// Scores of the supports of either cluster at the start, `[r, n]`.
    start: [Tensor<B, 2>; 2],
    /// How they change to the end, `[r, n]`.
    change: [Tensor<B, 2>; 2],
}

impl<B: Backend> Line<'_, B> {
    fn at(&self, place: &Tensor<B, 2>) -> [At<B>; 2] {
        let point = |start: &Tensor<B, 2>, change: &Tensor<B, 2>| {
            start.clone() + change.clone() * place.clone().expand(change.dims())
        };
        [
            self.own.at(point(&self.start[0], &self.change[0])),
            self.other.at(point(&self.start[1], &self.change[1])),
        ]
    }

    fn contrast([own, other]: &[At<B>; 2]) -> Tensor<B, 2> {
        own.score.clone() - other.score.clone()
    }

    /// Where the contrast is 0, `[r, 1]` from 0 to 1, and whether it is 0 anywhere. The contrast at
    /// the start is `first`.
    fn root(&self, first: &Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 2, Bool>) {
        let dtype = first.dtype();
        let ones = first.ones_like();
        let last = Self::contrast(&self.at(&ones));
        let negative = first.clone().lower_elem(0.0);
        let signed = |h: Tensor<B, 2>| h.clone().mask_where(negative.clone(), h.neg());
        let (from, to) = (signed(first.clone()), signed(last));
        let touching = from.clone().equal_elem(0.0);
        let wide = |a: &Tensor<B, 2>| a.clone().abs().max_dim(1);
        // Not that of the contrasts, which are huge for a cluster without supports.
        let size = wide(&self.start[0]) + wide(&self.start[1]);
        let tolerance = size * (4.0 * transfer::epsilon(dtype));
        let rooted = to.clone().lower_equal(tolerance.clone()).bool_or(touching.clone());

        // Both ends of the first part that leads to the other side, and the contrasts there.
        let (mut low, mut high) = (first.zeros_like(), ones.clone());
        let (mut least, mut beyond) = (from, to);
        for part in (1..PARTS).rev() {
            let place = ones.clone() * (part as f64 / PARTS as f64);
            let value = signed(Self::contrast(&self.at(&place)));
            let across = value.clone().lower_equal(tolerance.clone());
            // Later parts came first: what is across here is nearer.
            high = high.mask_where(across.clone(), place);
            beyond = beyond.mask_where(across, value);
        }
        for part in 1..PARTS {
            let place = ones.clone() * (part as f64 / PARTS as f64);
            let value = signed(Self::contrast(&self.at(&place)));
            let before = place.clone().lower(high.clone());
            low = low.mask_where(before.clone(), place);
            least = least.mask_where(before, value);
        }
        let fall = least.clone() - beyond;
        let none = fall.clone().equal_elem(0.0);
        let share = gradient::quotient(least.clone(), fall.mask_fill(none, 1.0)).clamp(0.0, 1.0);
        let mut place = low.clone() + (high.clone() - low.clone()) * share;
        let mut best = low.clone();
        for step in 1..=STEPS {
            let at = self.at(&place);
            let value = signed(Self::contrast(&at));
            let size = value.clone().abs();
            let better = size.clone().lower(least.clone());
            best = best.mask_where(better.clone(), place.clone());
            least = least.mask_where(better, size);
            let found = least.clone().lower_equal(tolerance.clone());
            if step % 4 == 3 && transfer::all_true(found.bool_or(rooted.clone().bool_not())) {
                break;
            }
            let slope =
                self.own.slope(&at[0], &self.change[0]) - self.other.slope(&at[1], &self.change[1]);
            let slope = signed(slope);
            let above = value.clone().greater_elem(0.0);
            low = low.mask_where(above.clone(), place.clone());
            high = high.mask_where(above.bool_not(), place.clone());
            let middle = (low.clone() + high.clone()) * 0.5;
            place = if step % 4 == 0 {
                middle
            } else {
                let flat = slope.clone().equal_elem(0.0);
                let newton = place - gradient::quotient(value, slope.mask_fill(flat.clone(), 1.0));
                let inside = newton.clone().greater(low.clone());
                let inside = inside.bool_and(newton.clone().lower(high.clone()));
                middle.mask_where(inside.bool_and(flat.bool_not()), newton)
            };
        }
        (best.mask_fill(touching, 0.0), rooted)
    }
}

impl<B: Backend> SupportSecants<'_, B> {
    /// What made the contrasts of a pair of clusters.
    pub(super) fn of_pair(&self, pair: &PairRows<B>) -> Secants<B> {
        let (c, k) = (pair.c, pair.k);
        let x = pair.of(&self.x);
        let [own, other] = [c, k].map(|cluster| self.cluster(cluster, pair));
        let t = pair.of(&self.t);
        // A row that is left out is no end of its own line.
        let seen = match &self.left_out {
            Some(left) => {
                let left = left.clone().select(0, pair.rows.clone());
                t.clone().mask_fill(left, lowest(t.dtype()))
            }
            None => t.clone(),
        };
        let [seen_own, seen_other] = [c, k].map(|cluster| self.part(&seen, cluster));
        let [t_own, t_other] = [c, k].map(|cluster| self.part(&t, cluster));

        let lambda = self.root.lambda();
        let shape = x.dims();
        let (start, t_start) = if lambda == 1.0 {
            (x.clone(), [t_own.clone(), t_other.clone()])
        } else {
            let place = self.place(k, c, &seen_own, shape);
            let start = place.clone() + (x.clone() - place) * lambda;
            (start.clone(), [own.apply(start.clone()), other.apply(start)])
        };
        let first = own.at(t_start[0].clone()).score - other.at(t_start[1].clone()).score;
        // The line leads to the other side, whichever this one is.
        let outside = first.clone().lower_elem(0.0).expand(shape);
        let end = self.place(c, k, &seen_other, shape);
        let end = end.mask_where(outside.clone(), self.place(k, c, &seen_own, shape));
        let change = [
            own.apply(end.clone()) - t_start[0].clone(),
            other.apply(end.clone()) - t_start[1].clone(),
        ];
        let line = Line { own: &own, other: &other, start: t_start, change };
        let (place, rooted) = line.root(&first);
        let [own_root, other_root] = line.at(&place);

        let weighted = |cluster: &Cluster<B>, t, root: &At<B>| {
            cluster.weights(&cluster.at(t), root).matmul(cluster.weight.clone().transpose())
        };
        let slope = weighted(&own, t_own, &own_root) - weighted(&other, t_other, &other_root);
        let way = x - start.clone() - (end - start) * place.expand(shape);
        // Where no row leaves any support out, the ends say whether there is a root.
        let rooted = match &self.left_out {
            Some(_) => rooted,
            None => {
                let sides = [(c, k), (k, c)].map(|(c, k)| self.seats.has_any(c, k));
                let [inside, outside_too] = sides.map(|has| {
                    first.clone().abs().greater_elem(if has { -1.0 } else { f64::INFINITY })
                });
                inside.mask_where(first.lower_elem(0.0), outside_too)
            }
        };
        Secants { relevance: slope * way, rooted }
    }

    fn cluster(&self, cluster: usize, pair: &PairRows<B>) -> Cluster<B> {
        let segments = self.scorer.segments();
        let range = &segments.ranges()[cluster];
        let left_out = self.left_out.as_ref().map(|left| {
            left.clone().select(0, pair.rows.clone()).narrow(1, range.start, range.len())
        });
        let supports = self.supports.clone().narrow(0, range.start, range.len());
        Cluster {
            segments: Segments::new(&[range.len()], segments.gamma()),
            left_out,
            bias: supports.clone().square().sum_dim(1).neg().transpose(),
            weight: supports.transpose() * 2.0,
            gamma: segments.gamma(),
        }
    }

    fn part(&self, t: &Tensor<B, 2>, cluster: usize) -> Tensor<B, 2> {
        let range = &self.scorer.segments().ranges()[cluster];
        t.clone().narrow(1, range.start, range.len())
    }

    /// A point for cluster k that lies in k, if its only competitor is c, `[r, D]`, given the scores
    /// of the rows for the supports of k. If there is none, the place.
    fn place(
        &self,
        c: usize,
        k: usize,
        t: &Tensor<B, 2>,
        [rows, features]: [usize; 2],
    ) -> Tensor<B, 2> {
        let range = &self.scorer.segments().ranges()[k];
        let supports = self.supports.clone().narrow(0, range.start, range.len());
        let near = self.root == Root::Near;
        let deepest = self.seats.deepest(c, k);
        match deepest {
            Some(deepest) if near || !self.seats.serves(c, k) => {
                if self.root.lambda() == 0.0 {
                    return supports.narrow(0, deepest, 1).expand([rows, features]);
                }
                let outside: Vec<f64> = self
                    .seats
                    .depths(c, k)
                    .iter()
                    .map(|depth| f64::from(u8::from(*depth <= 0.0)))
                    .collect();
                let width = outside.len();
                let (device, dtype) = (t.device(), t.dtype());
                let outside = transfer::upload::<B, 2>(outside, [1, width], &device, dtype);
                let outside = outside.greater_elem(0.5).expand([rows, width]);
                let t = t.clone().mask_fill(outside, lowest(dtype));
                supports.select(0, t.argmax(1).squeeze_dim(1))
            }
            _ => self.places.clone().narrow(0, k, 1).expand([rows, features]),
        }
    }
}
