//! The labels of rows from one Lloyd step to the next, with bounds on distances: what cannot have
//! changed is not computed again.
//!
//! Every row keeps an upper bound of the distance to its own centroid, and for every panel of
//! centroids a lower bound of the distance to the nearest of them but its own. Centroids that move
//! loosen the bounds by their way (Elkan 2003; one bound for a group of centroids: Ding et al.
//! 2015). A panel whose bound is above the row's own distance, with room for the rounding of
//! scores, holds no centroid that the full product would choose: labels are those of
//! [`nearest`](super::nearest()), to the last one.

use core::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::nearest::PackedScorer;
use super::panel::tile;
use super::real::{MAX_LANES, Real, lanes};
use super::rows::{CenteredRows, task_rows};

/// Bytes of a block of rows.
const BLOCK: usize = 1 << 17;

/// A row that has another label than before.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) row: usize,
    pub(super) from: i32,
    pub(super) to: i32,
}

/// Bounds of all rows. Distances are f32 whatever the data are: rounded away from what they bound.
pub(super) struct Bounds {
    panels: usize,
    /// ‖x‖, `[N]`.
    norms: Vec<f32>,
    /// Of the distance to the own centroid, less the way of that centroid so far, `[N]`.
    upper: Vec<f32>,
    /// Of the distance to the nearest centroid of every panel but the own one, with the way of the panel so
    /// far, `[N, panels]`.
    lower: Vec<f32>,
    /// How far every centroid came, `[K]`, and the farthest one of every panel in every step.
    ways: Vec<f64>,
    panel_ways: Vec<f64>,
}

impl Bounds {
    /// Bytes for so many rows.
    pub(super) fn bytes<T: Real>(rows: usize, scorer: &PackedScorer<T>) -> usize {
        rows * (2 + scorer.weight.count()) * size_of::<f32>()
    }

    /// Bounds of which nothing is known yet.
    pub(super) fn new<T: Real>(rows: CenteredRows<'_, T>, scorer: &PackedScorer<T>) -> Self {
        let (n, panels) = (rows.len(), scorer.weight.count());
        let mut norms = vec![0.0; n];
        norms.par_chunks_mut(1 << 12).enumerate().for_each(|(at, norms)| {
            let mut buffer = Vec::new();
            let block = rows.block(at << 12, norms.len(), &mut buffer);
            pulp::Arch::new().dispatch(Norms { block, features: rows.features, norms });
        });
        Self {
            panels,
            norms,
            upper: vec![f32::INFINITY; n],
            lower: vec![f32::NEG_INFINITY; n * panels],
            ways: vec![0.0; scorer.clusters()],
            panel_ways: vec![0.0; panels],
        }
    }

    /// Every centroid has moved so far, `[K]`.
    pub(super) fn moved<T: Real>(&mut self, ways: &[f64], scorer: &PackedScorer<T>) {
        for (sum, way) in self.ways.iter_mut().zip(ways) {
            *sum += way;
        }
        for (p, sum) in self.panel_ways.iter_mut().enumerate() {
            let first = scorer.weight.first_column(p);
            let end = ways.len().min(first + scorer.weight.width(p) * scorer.weight.lanes());
            *sum += ways[first..end].iter().fold(0.0, |most: f64, way| most.max(*way));
        }
    }

    /// Brings the labels up to date; returns the rows whose label changed, in rising order, and how many
    /// panels were computed.
    pub(super) fn update<T: Real>(
        &mut self,
        rows: CenteredRows<'_, T>,
        scorer: &PackedScorer<T>,
        labels: &mut [i32],
    ) -> (Vec<Change>, usize) {
        let block = (BLOCK / (rows.features * size_of::<T>())).clamp(16, 256).next_multiple_of(8);
        let task = task_rows(rows.len(), block);
        let geometry = Geometry::new(scorer, &self.ways, &self.panel_ways);
        let parts = labels
            .par_chunks_mut(task)
            .zip(self.norms.par_chunks(task))
            .zip(self.upper.par_chunks_mut(task))
            .zip(self.lower.par_chunks_mut(task * self.panels));
        let found: Vec<(Vec<Change>, usize)> = parts
            .enumerate()
            .map(|(at, (((labels, norms), upper), lower))| {
                let mut work = Work::new(self.panels);
                let first = at * task;
                for start in (0..labels.len()).step_by(block) {
                    let range = start..labels.len().min(start + block);
                    pulp::Arch::new().dispatch(Block {
                        rows,
                        geometry: &geometry,
                        first: first + start,
                        labels: &mut labels[range.clone()],
                        norms: &norms[range.clone()],
                        upper: &mut upper[range.clone()],
                        lower: &mut lower[scaled(&range, self.panels)],
                        work: &mut work,
                    });
                }
                (work.changes, work.computed)
            })
            .collect();
        let mut all = (Vec::new(), 0);
        for (changes, computed) in found {
            all.0.extend(changes);
            all.1 += computed;
        }
        all
    }
}

fn scaled(range: &Range<usize>, factor: usize) -> Range<usize> {
    range.start * factor..range.end * factor
}

/// Not below the number.
#[inline(always)]
fn up(value: f64) -> f32 {
    const ABOVE: f64 = 1.0 / (1 << 22) as f64;
    (value + value.abs() * ABOVE) as f32
}

/// Not above the number, and finite.
#[inline(always)]
fn down(value: f64) -> f32 {
    const LARGEST: f64 = 3.4e38;
    -up(-value.min(LARGEST))
}

struct Norms<'a, T> {
    block: &'a [T],
    features: usize,
    norms: &'a mut [f32],
}

impl<T: Real> WithSimd for Norms<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (norm, row) in self.norms.iter_mut().zip(self.block.chunks_exact(self.features)) {
            let square = row.iter().fold(0.0, |sum, &value| {
                let value: f64 = value.into();
                sum + value * value
            });
            *norm = square.sqrt() as f32;
        }
    }
}

/// The centroids, what rounding does to their scores, and how far they came.
struct Geometry<'a, T> {
    scorer: &'a PackedScorer<T>,
    /// The rounding error of a score is at most `slope ‖x‖ + offset`.
    slope: f64,
    offset: f64,
    ways: &'a [f64],
    panel_ways: Vec<f32>,
}

impl<'a, T: Real> Geometry<'a, T> {
    fn new(scorer: &'a PackedScorer<T>, ways: &'a [f64], panel_ways: &[f64]) -> Self {
        let (clusters, features) = (scorer.clusters(), scorer.features());
        let mut squares = vec![0.0; clusters];
        for p in 0..scorer.weight.count() {
            let first = scorer.weight.first_column(p);
            let width = scorer.weight.width(p) * scorer.weight.lanes();
            for row in scorer.weight.panel(p).chunks_exact(width) {
                for (square, &value) in squares[first..].iter_mut().zip(row) {
                    let value: f64 = value.into();
                    *square += value * value;
                }
            }
        }
        let largest = squares.iter().fold(0.0, |most: f64, square| most.max(*square));
        let bias = scorer.bias[..clusters].iter().fold(largest / 4.0, |most: f64, &bias| {
            let bias: f64 = bias.into();
            most.max(bias.abs())
        });
        // One rounding a term, in the score and in the bias; and those of the norm. Numbers below the
        // smallest normal one have an error that does not shrink with them.
        let unit = T::EPSILON * (features + 4) as f64;
        Self {
            scorer,
            slope: unit * largest.sqrt() * 1.001,
            offset: unit * (2.0 * bias + T::SMALLEST) * 1.001,
            ways,
            panel_ways: panel_ways.iter().map(|way| up(*way)).collect(),
        }
    }

    /// Of a row of this norm.
    #[inline(always)]
    fn error(&self, norm: f32) -> f64 {
        self.slope * f64::from(norm) + self.offset
    }

    /// The score of a centroid that is farther than this is certainly below one whose distance is at most
    /// `own`, even as computed.
    #[inline(always)]
    fn threshold(&self, own: f32, error: f64) -> f32 {
        const ABOVE: f64 = 1.0 + 1e-6;
        /// Smaller numbers are not rounded well in f32.
        const SMALLEST: f64 = 1e-30;
        let own = f64::from(own);
        let threshold = (own * own + 2.0 * error).sqrt() * ABOVE;
        if threshold > SMALLEST { threshold as f32 } else { f32::INFINITY }
    }

    /// What a row of this norm adds to its scores for squared distances.
    #[inline(always)]
    fn square(&self, norm: f32) -> Square {
        /// The relative error of the square of a norm that is rounded to f32.
        const ROUNDED: f64 = 1.5e-7;
        let error = self.error(norm);
        let square = f64::from(norm) * f64::from(norm);
        Square { least: square * (1.0 - ROUNDED) - error, most: square * (1.0 + ROUNDED) + error }
    }
}

/// Bounds of `‖x‖²`, with room for the rounding of a score.
#[derive(Clone, Copy, Default)]
struct Square {
    least: f64,
    most: f64,
}

impl Square {
    /// The smallest and the largest distance that belong to a score.
    #[inline(always)]
    fn nearest(self, score: f64) -> f64 {
        (self.least - score).max(0.0).sqrt()
    }

    #[inline(always)]
    fn farthest(self, score: f64) -> f64 {
        (self.most - score).max(0.0).sqrt()
    }
}

/// What is computed again of a block, reused from block to block.
struct Work<T> {
    changes: Vec<Change>,
    computed: usize,
    /// The rows of the block whose bounds do not hold, `[m]`; around the centre, `[m, D]`.
    picked: Vec<usize>,
    values: Vec<T>,
    /// Of their norms, `[m]`.
    squares: Vec<Square>,
    /// The best score so far and its centroid, `[m]`.
    best: Vec<T>,
    label: Vec<i32>,
    /// The score of the own centroid, `[m]`.
    own: Vec<T>,
    /// The largest other score in the panel of `label`, if it is not the old label, `[m]`.
    second: Vec<T>,
    /// Places in `picked` whose bound fails, for every panel.
    lists: Vec<Vec<usize>>,
}

impl<T: Real> Work<T> {
    fn new(panels: usize) -> Self {
        Self {
            changes: Vec::new(),
            computed: 0,
            picked: Vec::new(),
            values: Vec::new(),
            squares: Vec::new(),
            best: Vec::new(),
            label: Vec::new(),
            own: Vec::new(),
            second: Vec::new(),
            lists: vec![Vec::new(); panels],
        }
    }
}

struct Block<'a, T> {
    rows: CenteredRows<'a, T>,
    geometry: &'a Geometry<'a, T>,
    /// Of the block.
    first: usize,
    labels: &'a mut [i32],
    norms: &'a [f32],
    upper: &'a mut [f32],
    lower: &'a mut [f32],
    work: &'a mut Work<T>,
}

impl<T: Real> WithSimd for Block<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.pick();
        if self.work.picked.is_empty() {
            return;
        }
        self.gather();
        let all = self.work.lists.len() == 1;
        if !all {
            self.own_scores::<S>(simd);
        }
        self.list(all);
        for p in 0..self.work.lists.len() {
            if self.work.lists[p].is_empty() {
                continue;
            }
            let width = self.geometry.scorer.weight.width(p);
            match (S::REGISTER_COUNT >= 32, width) {
                (true, 1) => self.panel::<S, 8, 1>(simd, p),
                (true, 2) => self.panel::<S, 8, 2>(simd, p),
                (true, _) => self.panel::<S, 8, 3>(simd, p),
                (false, 1) => self.panel::<S, 4, 1>(simd, p),
                (false, 2) => self.panel::<S, 4, 2>(simd, p),
                (false, _) => self.panel::<S, 4, 3>(simd, p),
            }
        }
        self.settle();
    }
}

impl<T: Real> Block<'_, T> {
    /// The rows with a bound that does not hold any more.
    #[inline(always)]
    fn pick(&mut self) {
        let Geometry { ways, panel_ways, .. } = self.geometry;
        self.work.picked.clear();
        let lower = self.lower.chunks_exact(panel_ways.len());
        for (row, (lower, &label)) in lower.zip(&*self.labels).enumerate() {
            let own = up(f64::from(self.upper[row]) + ways[label as usize]);
            let threshold = self.geometry.threshold(own, self.geometry.error(self.norms[row]));
            // A bound that is no number does not hold.
            let holds = lower
                .iter()
                .zip(panel_ways)
                .fold(true, |holds, (lower, way)| holds & (lower - way > threshold));
            if !holds {
                self.work.picked.push(row);
            }
        }
    }

    #[inline(always)]
    fn gather(&mut self) {
        let CenteredRows { x, center, features } = self.rows;
        let Work { picked, values, squares, best, label, own, second, .. } = &mut *self.work;
        squares.clear();
        squares.extend(picked.iter().map(|row| self.geometry.square(self.norms[*row])));
        values.clear();
        for row in &*picked {
            let row = (self.first + row) * features;
            values.extend_from_slice(&x[row..row + features]);
        }
        if let Some(center) = center {
            for row in values.chunks_exact_mut(features) {
                for (value, &center) in row.iter_mut().zip(center) {
                    *value = *value - center;
                }
            }
        }
        for scores in [&mut *best, own, second] {
            scores.clear();
            scores.resize(picked.len(), T::LOWEST);
        }
        label.clear();
        label.extend(picked.iter().map(|row| self.labels[*row]));
    }

    /// The scores of the own centroids, as the full product computes them.
    #[inline(always)]
    fn own_scores<S: Simd>(&mut self, simd: S) {
        const ROWS: usize = 4;
        let (lanes, scorer) = (lanes::<T, S>(), self.geometry.scorer);
        let features = self.rows.features;
        let Work { values, label, own, best, .. } = &mut *self.work;
        let last = label.len() - 1;
        for start in (0..label.len()).step_by(ROWS) {
            let places: [usize; ROWS] = core::array::from_fn(|r| last.min(start + r));
            let columns = places.map(|place| label[place] as usize);
            let rows = places.map(|place| &values[place * features..(place + 1) * features]);
            // The register of the centroid in its panel, and the registers of a row of the panel.
            let registers = columns.map(|column| {
                let panel = scorer.weight.panel_of(column);
                let weight = T::vectors::<S>(scorer.weight.panel(panel));
                let register = (column - scorer.weight.first_column(panel)) / lanes;
                (&weight[register..], scorer.weight.width(panel))
            });
            let bias = T::vectors::<S>(&scorer.bias);
            let mut sums: [T::Vector<S>; ROWS] = core::array::from_fn(|r| bias[columns[r] / lanes]);
            for i in 0..features {
                for r in 0..ROWS {
                    let (weight, width) = registers[r];
                    let value = T::splat(simd, rows[r][i]);
                    sums[r] = T::mul_add(simd, value, weight[i * width], sums[r]);
                }
            }
            // A loop of constant length keeps the sums in registers.
            for r in 0..ROWS {
                if start + r <= last {
                    let score = T::elements::<S>(&[sums[r]])[columns[r] % lanes];
                    own[start + r] = score;
                    best[start + r] = score;
                }
            }
        }
    }

    /// The panels that are computed again; `all` if there is just one, which has the own centroid.
    #[inline(always)]
    fn list(&mut self, all: bool) {
        let Work { picked, squares, own, lists, computed, .. } = &mut *self.work;
        let (geometry, panels) = (self.geometry, lists.len());
        for list in &mut *lists {
            list.clear();
        }
        if all {
            lists[0].extend(0..picked.len());
            *computed += picked.len();
            return;
        }
        for (place, &row) in picked.iter().enumerate() {
            let farthest = squares[place].farthest(own[place].into());
            self.upper[row] = up(farthest - geometry.ways[self.labels[row] as usize]);
            let threshold = geometry.threshold(up(farthest), geometry.error(self.norms[row]));
            let lower = &self.lower[row * panels..(row + 1) * panels];
            for (p, (lower, way)) in lower.iter().zip(&geometry.panel_ways).enumerate() {
                // A bound that is no number does not hold.
                let holds = lower - way > threshold;
                if !holds {
                    lists[p].push(place);
                    *computed += 1;
                }
            }
        }
    }

    /// The scores of a panel, for the rows of its list.
    #[inline(always)]
    fn panel<S: Simd, const ROWS: usize, const W: usize>(&mut self, simd: S, p: usize) {
        let (geometry, features) = (self.geometry, self.rows.features);
        let (scorer, panels) = (geometry.scorer, geometry.panel_ways.len());
        let lanes = lanes::<T, S>();
        let weight = T::vectors::<S>(scorer.weight.panel(p));
        let first = scorer.weight.first_column(p);
        let end = first + W * lanes;
        let bias: &[T::Vector<S>] = &T::vectors::<S>(&scorer.bias[first..])[..W];
        let start: [T::Vector<S>; W] = core::array::from_fn(|v| bias[v]);
        let mut numbers = [T::default(); 3 * MAX_LANES];
        for (column, number) in numbers.iter_mut().enumerate() {
            *number = T::of((first + column) as f64);
        }
        let columns: [T::Vector<S>; W] = core::array::from_fn(|v| T::vectors::<S>(&numbers)[v]);
        let lowest = T::splat(simd, T::LOWEST);
        let way = geometry.panel_ways[p];

        let Work { picked, values, squares, best, label, own, second, lists, .. } = &mut *self.work;
        let list = &lists[p];
        let last = list.len() - 1;
        for at in (0..list.len()).step_by(ROWS) {
            let mut rows = [&values[..0]; ROWS];
            let mut of_rows = [Square::default(); ROWS];
            for r in 0..ROWS {
                let place = list[if at + r < last { at + r } else { last }];
                rows[r] = &values[place * features..(place + 1) * features];
                of_rows[r] = squares[place];
            }
            let mut scores = tile::<T, S, ROWS, W>(simd, rows, weight, start);
            let mut highest = [T::LOWEST; ROWS];
            // A loop of constant length keeps the scores in registers.
            for r in 0..ROWS {
                if at + r > last {
                    break;
                }
                let place = list[at + r];
                let row = picked[place];
                let old = self.labels[row] as usize;
                if (first..end).contains(&old) {
                    let number = T::splat(simd, T::of(old as f64));
                    let mut its = lowest;
                    for (score, &column) in scores[r].iter_mut().zip(&columns) {
                        let before = T::greater(simd, number, column);
                        let after = T::greater(simd, column, number);
                        let others = T::select(simd, before, *score, lowest);
                        let others = T::select(simd, after, *score, others);
                        // The own score where the others are masked, and the lowest elsewhere.
                        let rest = T::select(simd, before, lowest, *score);
                        its = T::max(simd, its, T::select(simd, after, lowest, rest));
                        *score = others;
                    }
                    let score = T::largest_lane(simd, its);
                    own[place] = score;
                    // A tie with a centroid of an earlier panel goes to the first.
                    let is_better =
                        score > best[place] || score == best[place] && (old as i32) < label[place];
                    if is_better || label[place] == old as i32 {
                        best[place] = score;
                        label[place] = old as i32;
                    }
                }
                let mut most = scores[r][0];
                for score in &scores[r][1..] {
                    most = T::max(simd, most, *score);
                }
                let score = T::largest_lane(simd, most);
                highest[r] = score;
                if score > best[place] || score == best[place] && (first as i32) < label[place] {
                    let elements = T::elements::<S>(&scores[r]);
                    let found = elements.iter().position(|&other| other == score);
                    let column = (first + found.unwrap_or(0)) as i32;
                    if score > best[place] || column < label[place] {
                        let others = elements.iter().enumerate();
                        let others = others.filter(|(at, _)| Some(*at) != found);
                        second[place] =
                            others.fold(
                                T::LOWEST,
                                |most, (_, &other)| {
                                    if other > most { other } else { most }
                                },
                            );
                        best[place] = score;
                        label[place] = column;
                    }
                }
            }
            let mut nearest = [0.0; ROWS];
            for r in 0..ROWS {
                nearest[r] = of_rows[r].nearest(highest[r].into());
            }
            for r in 0..ROWS {
                if at + r <= last {
                    let row = picked[list[at + r]];
                    self.lower[row * panels + p] = down(nearest[r] + f64::from(way));
                }
            }
        }
    }

    /// Writes down new labels, and the bounds that belong to them.
    #[inline(always)]
    fn settle(&mut self) {
        let (geometry, panels) = (self.geometry, self.geometry.panel_ways.len());
        let Work { changes, picked, squares, best, label, own, second, .. } = &mut *self.work;
        for (place, &row) in picked.iter().enumerate() {
            let (from, to) = (self.labels[row], label[place]);
            let square = squares[place];
            if panels == 1 || from != to {
                let farthest = square.farthest(best[place].into());
                self.upper[row] = up(farthest - geometry.ways[to as usize]);
            }
            if from == to {
                continue;
            }
            self.labels[row] = to;
            changes.push(Change { row: self.first + row, from, to });
            let lower = &mut self.lower[row * panels..(row + 1) * panels];
            let [there, here] = [to, from].map(|k| geometry.scorer.weight.panel_of(k as usize));
            let bound = |p: usize, score: T| {
                down(square.nearest(score.into()) + f64::from(geometry.panel_ways[p]))
            };
            // The panel that it goes to bounds the other centroids there; the one that it leaves
            // has one more.
            lower[there] = bound(there, second[place]);
            lower[here] = lower[here].min(bound(here, own[place]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::SplitMix;
    use super::*;

    /// Distances from scores, as computed in T, are bounded, and what the threshold admits is certain.
    fn check<T: Real>(far: f64, near: f64) {
        let (features, clusters) = (7, 5);
        let mut stream = SplitMix::new(3);
        let offset: Vec<f64> = (0..features).map(|_| far * stream.normal()).collect();
        let around = |stream: &mut SplitMix| -> Vec<T> {
            offset.iter().map(|offset| T::of(offset + near * stream.normal())).collect()
        };
        for _ in 0..500 {
            let row = around(&mut stream);
            let centroids: Vec<Vec<T>> = (0..clusters).map(|_| around(&mut stream)).collect();
            let weight: Vec<T> = (0..features * clusters)
                .map(|i| {
                    centroids[i % clusters][i / clusters] + centroids[i % clusters][i / clusters]
                })
                .collect();
            let bias: Vec<T> = centroids
                .iter()
                .map(|centroid| centroid.iter().fold(T::default(), |sum, &v| sum - v * v))
                .collect();
            let scorer = PackedScorer::new(&weight, &bias);
            let geometry = Geometry::new(&scorer, &[0.0; 5], &[0.0]);
            let square = row.iter().fold(0.0, |sum, &v| sum + v.into() * v.into());
            let (norm, mut found) = (square.sqrt() as f32, Vec::new());
            for (k, centroid) in centroids.iter().enumerate() {
                let products = row.iter().zip(centroid);
                let score = products.fold(bias[k], |sum, (&x, &c)| sum + x * (c + c));
                let apart = row.iter().zip(centroid).map(|(&x, &c)| (x.into() - c.into()).powi(2));
                let exact: f64 = apart.sum::<f64>().sqrt();
                let square = geometry.square(norm);
                let (least, most) = (square.nearest(score.into()), square.farthest(score.into()));
                assert!(
                    least <= exact * (1.0 + 1e-12) && exact <= most * (1.0 + 1e-12),
                    "{far}, {near}: {least} {exact} {most}"
                );
                found.push((exact, score));
            }
            for (own, score) in &found {
                let threshold = geometry.threshold(up(*own), geometry.error(norm));
                for (other, of_other) in &found {
                    assert!(
                        other <= &f64::from(threshold) || score > of_other,
                        "{far}, {near}: {own} {other} {threshold}"
                    );
                }
            }
        }
    }

    #[test]
    fn distances_are_bounded() {
        for near in [1.0, 1e-2, 1e-3, 1e-4, 1e-6] {
            for far in [0.0, 1.0, 1e2, 1e4] {
                check::<f32>(far, near);
                check::<f64>(far, near);
            }
        }
        for scale in [1e-18, 1e-20, 1e-22, 1e-24] {
            check::<f32>(0.0, scale);
        }
    }

    #[test]
    fn bounds_are_rounded_away() {
        let mut stream = SplitMix::new(4);
        for _ in 0..10_000 {
            let value = stream.normal() * 10f64.powi(stream.below(60) as i32 - 30);
            assert!(f64::from(up(value)) >= value && f64::from(down(value)) <= value, "{value}");
        }
        assert!(f64::from(down(4e38)) <= 4e38 && f64::from(down(-4e38)) <= -4e38);
        assert!(f64::from(up(4e38)) >= 4e38);
        assert_eq!(up(0.0), 0.0);
    }
}
