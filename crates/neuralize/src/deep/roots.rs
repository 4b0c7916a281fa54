//! Root points of a deep k-means: inputs on the boundaries between its clusters.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Int, Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Relevance, Tape};

use crate::cluster::KMeans;
use crate::deep::codes::encoded;
use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::load::{self, Load, Shapes};
use crate::network::{Network, NeuralizedKMeans};
use crate::transfer;

/// Where the clusters of a deep k-means lie in the input, and the points midway between them, from
/// which the [secant pass](crate::deep::Pass::Secant) measures.
///
/// Inputs are kept as rows of L numbers.
#[derive(Module, Debug)]
pub(crate) struct Roots<B: Backend> {
    /// The place of every cluster, `[K, L]`: the mean of its inputs if these are rows of a table,
    /// else the medoid.
    places: Param<Tensor<B, 2>>,
    /// The input of every cluster whose code is nearest to the centroid, `[K, L]`.
    medoids: Param<Tensor<B, 2>>,
    /// For every pair c < k, the input between their places at which both are equally near, in
    /// the order (0, 1), (0, 2), .. (1, 2), .., `[K (K − 1) / 2, L]`.
    midway: Param<Tensor<B, 2>>,
    /// The inputs in every cluster, `[K]`; an empty one has no place.
    sizes: HostParam<B>,
}

/// The place of a pair c < k in the order of pairs.
pub(super) fn pair_index(c: usize, k: usize, clusters: usize) -> usize {
    let (low, high) = (c.min(k), c.max(k));
    low * clusters - low * (low + 1) / 2 + high - low - 1
}

fn pair_count(clusters: usize) -> usize {
    clusters * clusters.saturating_sub(1) / 2
}

impl<B: Backend> Roots<B> {
    pub(super) fn places(&self) -> Tensor<B, 2> {
        self.places.val()
    }

    pub(super) fn medoids(&self) -> Tensor<B, 2> {
        self.medoids.val()
    }

    pub(super) fn midway(&self) -> Tensor<B, 2> {
        self.midway.val()
    }

    /// Whether both clusters have inputs.
    pub(super) fn has(&self, c: usize, k: usize) -> bool {
        let holds = |cluster: usize| self.sizes.values().get(cluster).is_some_and(|n| *n > 0.0);
        holds(c) && holds(k)
    }

    /// The numbers of an input, L.
    pub(super) fn width(&self) -> usize {
        self.places.dims()[1]
    }

    /// Blank roots of a model to load a record into.
    pub(super) fn unloaded(clusters: usize, width: usize, device: &B::Device) -> Self {
        let shapes: &[(&str, &[usize])] = &[
            ("places", &[clusters, width]),
            ("medoids", &[clusters, width]),
            ("midway", &[pair_count(clusters), width]),
            ("sizes", &[clusters]),
        ];
        load::blank(shapes, device)
    }

    /// Checks roots that were loaded for so many clusters. What belongs to empty clusters is NaN.
    pub(super) fn check(&self, clusters: usize) -> Result<(), String> {
        let width = self.width();
        load::agree("roots.sizes", self.sizes.lazy_shape().dims(), "clusters", clusters)?;
        for (name, found, rows) in [
            ("roots.places", self.places.dims(), clusters),
            ("roots.medoids", self.medoids.dims(), clusters),
            ("roots.midway", self.midway.dims(), pair_count(clusters)),
        ] {
            if found != [rows, width] || width == 0 {
                return Err(format!(
                    "its tensor `{name}` has shape {found:?}, expected [{rows}, {width}]"
                ));
            }
        }
        load::finite_numbers("roots.sizes", self.sizes.values())?;
        let all: Vec<usize> = (0..clusters).collect();
        let held: Vec<usize> = all.iter().copied().filter(|c| self.has(*c, *c)).collect();
        let pairs = all.iter().flat_map(|c| all[c + 1..].iter().map(move |k| (*c, *k)));
        let pairs = pairs.filter(|(c, k)| self.has(*c, *k));
        let pairs: Vec<usize> = pairs.map(|(c, k)| pair_index(c, k, clusters)).collect();
        for (name, table, rows) in [
            ("roots.places", self.places.val(), &held),
            ("roots.medoids", self.medoids.val(), &held),
            ("roots.midway", self.midway.val(), &pairs),
        ] {
            if !rows.is_empty() {
                let device = table.device();
                load::finite(name, table.select(0, indices(rows, &device)))?;
            }
        }
        Ok(())
    }
}

impl<B: Backend> Load<B> for Roots<B> {
    const NAME: &'static str = "table of roots";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        Ok(Self {
            places: shapes.param("places", device, dtype)?,
            medoids: shapes.param("medoids", device, dtype)?,
            midway: shapes.param("midway", device, dtype)?,
            sizes: HostParam::of(shapes.blank("sizes", device, dtype)?),
        })
    }

    fn checked(self) -> Result<Self, String> {
        self.check(self.sizes.values().len())?;
        Ok(self)
    }
}

pub(super) fn indices<B: Backend>(rows: &[usize], device: &B::Device) -> Tensor<B, 1, Int> {
    transfer::upload_indices(rows, device)
}

/// Sums and medoids of clusters, over inputs that come in batches.
pub(super) struct Collector<B: Backend> {
    clusters: usize,
    /// The shape of a sample, known from the first batch.
    sample: Vec<usize>,
    sums: Option<Tensor<B, 2>>,
    sizes: Vec<usize>,
    /// The least distance in every cluster, and the input that has it, `[1, L]`.
    medoids: Vec<Option<(f64, Tensor<B, 2>)>>,
}

impl<B: Backend> Collector<B> {
    pub(super) fn new(clusters: usize) -> Self {
        let (sums, sizes) = (None, vec![0; clusters]);
        Self { clusters, sample: Vec::new(), sums, sizes, medoids: vec![None; clusters] }
    }

    /// Adds inputs with their codes.
    pub(super) fn add(
        &mut self,
        x: &AnyTensor<B>,
        codes: &Tensor<B, 2>,
        head: &KMeans<B>,
    ) -> Result<()> {
        let dims = x.dims();
        let sample = dims.get(1..).unwrap_or_default();
        if self.sample.is_empty() {
            self.sample = sample.to_vec();
        } else if self.sample != sample {
            let expected = format!("[n, ..] with inputs of {:?}", self.sample);
            return Err(Error::shape("a batch", expected, &dims));
        }
        let labels = transfer::download_indices(head.predict(codes)?);
        let rows = transfer::untracked(x.rows());
        let centroids = head.centroids().select(0, indices(&labels, &rows.device()));
        let away = (codes.clone() - centroids).square().sum_dim(1);
        let mut marks = vec![0.0; self.clusters * labels.len()];
        for (row, (label, away)) in labels.iter().zip(transfer::download(away)).enumerate() {
            marks[label * labels.len() + row] = 1.0;
            self.sizes[*label] += 1;
            if self.medoids[*label].as_ref().is_none_or(|(least, _)| away < *least) {
                self.medoids[*label] = Some((away, rows.clone().narrow(0, row, 1)));
            }
        }
        let shape = [self.clusters, labels.len()];
        let marks = transfer::upload::<B, 2>(marks, shape, &rows.device(), rows.dtype());
        let sums = marks.matmul(rows);
        self.sums = Some(match self.sums.take() {
            Some(before) => before + sums,
            None => sums,
        });
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sums.is_none()
    }

    /// The roots; `None` if there were no inputs, or inputs are token ids.
    pub(super) fn finish(
        self,
        encoder: &impl Relevance<B>,
        head: &KMeans<B>,
        batch_size: usize,
    ) -> Result<Option<Roots<B>>> {
        let Some(sums) = self.sums else { return Ok(None) };
        let (device, dtype) = (sums.device(), sums.dtype());
        let [clusters, width] = sums.dims();
        let nothing = || transfer::zeros::<B, 2>([1, width], &device, dtype) + f64::NAN;
        let medoids = self.medoids.into_iter();
        let medoids = medoids.map(|found| found.map_or_else(nothing, |(_, row)| row)).collect();
        let medoids: Tensor<B, 2> = Tensor::cat(medoids, 0);
        let one = first_finite(&medoids, &self.sizes, &self.sample)?;
        if encoder.trace(Tape::new().input("input", one))?.has_discrete_input() {
            return Ok(None);
        }
        let sizes: Vec<f64> = self.sizes.iter().map(|size| *size as f64).collect();
        // Means of images are no images, and often in none of their clusters.
        let places = if self.sample.len() > 1 {
            medoids.clone()
        } else {
            let sizes = transfer::upload::<B, 2>(sizes.clone(), [clusters, 1], &device, dtype);
            let empty = sizes.clone().equal_elem(0.0);
            sums / sizes.mask_fill(empty, f64::NAN)
        };
        let kept = |table: Tensor<B, 2>| Param::initialized(ParamId::new(), table);
        let mut roots = Roots {
            midway: kept(transfer::zeros([pair_count(clusters), width], &device, dtype) + f64::NAN),
            places: kept(places),
            medoids: kept(medoids),
            sizes: HostParam::new(sizes, &device, dtype),
        };
        if clusters > 1 {
            let contrasts = Contrasts::new(encoder, head, &self.sample, batch_size)?;
            roots.midway = kept(contrasts.midway(&roots)?);
        }
        Ok(Some(roots))
    }
}

/// The first of the medoids that is there, as an input.
fn first_finite<B: Backend>(
    medoids: &Tensor<B, 2>,
    sizes: &[usize],
    sample: &[usize],
) -> Result<AnyTensor<B>> {
    let first = sizes.iter().position(|size| *size > 0).unwrap_or(0);
    let row = AnyTensor::from(medoids.clone().narrow(0, first, 1));
    Ok(row.reshape(&[&[1], sample].concat())?)
}

/// The contrasts of pairs of clusters at inputs, and where they are 0.
pub(super) struct Contrasts<'a, B: Backend, E> {
    encoder: &'a E,
    network: NeuralizedKMeans<B>,
    sample: &'a [usize],
    batch_size: usize,
}

/// A line between two inputs, and the pair of clusters whose contrast is sought on it.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) c: usize,
    pub(super) k: usize,
}

/// How near to the boundary a root is, in relation to the contrast at the ends.
pub(super) const CLOSE: f64 = 1e-6;

impl<'a, B: Backend, E: Relevance<B>> Contrasts<'a, B, E> {
    pub(super) fn new(
        encoder: &'a E,
        head: &KMeans<B>,
        sample: &'a [usize],
        batch_size: usize,
    ) -> Result<Self> {
        Ok(Self { encoder, network: head.neuralize()?, sample, batch_size })
    }

    /// Rows of numbers as inputs of the encoder.
    pub(super) fn inputs(&self, rows: &Tensor<B, 2>) -> Result<AnyTensor<B>> {
        let dims = [&[rows.dims()[0]], self.sample].concat();
        Ok(AnyTensor::from(rows).reshape(&dims)?)
    }

    /// `h_ck` of every row for its pair.
    pub(super) fn at(&self, rows: &Tensor<B, 2>, pairs: &[Pair]) -> Result<Vec<f64>> {
        let codes = encoded(self.encoder, &self.inputs(rows)?, self.batch_size)?;
        let scores = transfer::download(Network::scores(&self.network, codes));
        let clusters = Network::n_clusters(&self.network);
        let of = |(row, pair): (&[f64], &Pair)| row[pair.c] - row[pair.k];
        Ok(scores.chunks_exact(clusters).zip(pairs).map(of).collect())
    }

    /// The inputs between places, and between medoids where the places do not straddle; NaN for a
    /// pair with an empty cluster.
    fn midway(&self, roots: &Roots<B>) -> Result<Tensor<B, 2>> {
        let clusters = roots.places.dims()[0];
        let all = (0..clusters).flat_map(|c| (c + 1..clusters).map(move |k| Pair { c, k }));
        let pairs: Vec<Pair> = all.filter(|pair| roots.has(pair.c, pair.k)).collect();
        let nothing = roots.midway();
        if pairs.is_empty() {
            return Ok(nothing);
        }
        let ends = |table: &Tensor<B, 2>, of: fn(&Pair) -> usize| {
            let rows: Vec<usize> = pairs.iter().map(of).collect();
            table.clone().select(0, indices(&rows, &table.device()))
        };
        let [places, medoids] = [roots.places(), roots.medoids()]
            .map(|table| [ends(&table, |pair| pair.c), ends(&table, |pair| pair.k)]);
        let tolerance = 16.0 * transfer::epsilon(nothing.dtype());
        let found = self.between(places, medoids, &pairs, tolerance)?;
        // Into the order of all pairs.
        let device = nothing.device();
        let mut order = vec![pairs.len(); pair_count(clusters)];
        for (at, pair) in pairs.iter().enumerate() {
            order[pair_index(pair.c, pair.k, clusters)] = at;
        }
        let table = Tensor::cat(vec![found, nothing.narrow(0, 0, 1)], 0);
        Ok(table.select(0, indices(&order, &device)))
    }

    /// For every pair, an input on the line between two ends at which its contrast is 0; on that
    /// between two other ends where the first are on one side of the boundary.
    pub(super) fn between(
        &self,
        ends: [Tensor<B, 2>; 2],
        others: [Tensor<B, 2>; 2],
        pairs: &[Pair],
        tolerance: f64,
    ) -> Result<Tensor<B, 2>> {
        let [from, to] = &ends;
        let values = [self.at(from, pairs)?, self.at(to, pairs)?];
        let one_side: Vec<usize> =
            (0..pairs.len()).filter(|at| values[0][*at] * values[1][*at] > 0.0).collect();
        if one_side.is_empty() {
            return self.crossings(ends, values, pairs, tolerance);
        }
        let marks = (0..pairs.len()).map(|at| f64::from(u8::from(one_side.contains(&at))));
        let (device, dtype) = (from.device(), from.dtype());
        let marks = transfer::upload::<B, 2>(marks.collect(), [pairs.len(), 1], &device, dtype);
        let replaced = marks.greater_elem(0.5).expand(from.dims());
        let [other_from, other_to] = others;
        let ends = [
            from.clone().mask_where(replaced.clone(), other_from),
            to.clone().mask_where(replaced, other_to),
        ];
        let values = [self.at(&ends[0], pairs)?, self.at(&ends[1], pairs)?];
        self.crossings(ends, values, pairs, tolerance)
    }

    /// The place of every line at which its contrast is 0, by the Illinois method; the end that is
    /// nearer to 0 where both are on one side.
    fn crossings(
        &self,
        [from, to]: [Tensor<B, 2>; 2],
        values: [Vec<f64>; 2],
        pairs: &[Pair],
        tolerance: f64,
    ) -> Result<Tensor<B, 2>> {
        const STEPS: usize = 60;
        let mut lines: Vec<Line> =
            (0..pairs.len()).map(|at| Line::new(values[0][at], values[1][at], tolerance)).collect();
        let way = to - from.clone();
        let (device, dtype) = (from.device(), from.dtype());
        for _ in 0..STEPS {
            let open: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].done).collect();
            if open.is_empty() {
                break;
            }
            let at: Vec<f64> = open.iter().map(|line| lines[*line].next()).collect();
            let rows = indices(&open, &device);
            let t = transfer::upload::<B, 2>(at.clone(), [open.len(), 1], &device, dtype);
            let place = from.clone().select(0, rows.clone()) + way.clone().select(0, rows) * t;
            let open_pairs: Vec<Pair> = open.iter().map(|line| pairs[*line]).collect();
            let values = self.at(&place, &open_pairs)?;
            for ((line, t), value) in open.iter().zip(at).zip(values) {
                lines[*line].found(t, value);
            }
        }
        let best = lines.iter().map(|line| line.best[0]).collect();
        let best = transfer::upload::<B, 2>(best, [lines.len(), 1], &device, dtype);
        Ok(from + way * best)
    }
}

/// The search for a zero between 0 and 1 by the Illinois method (Dowell and Jarratt 1971).
struct Line {
    /// Place and value of either end of the bracket.
    ends: [[f64; 2]; 2],
    /// Which end was replaced last.
    last: Option<usize>,
    /// Place and value that is nearest to 0.
    best: [f64; 2],
    enough: f64,
    done: bool,
}

impl Line {
    fn new(start: f64, end: f64, tolerance: f64) -> Self {
        let best = if start.abs() <= end.abs() { [0.0, start] } else { [1.0, end] };
        let enough = tolerance * start.abs().max(end.abs());
        let done = start * end > 0.0 || best[1].abs() <= enough || !(start * end).is_finite();
        Self { ends: [[0.0, start], [1.0, end]], last: None, best, enough, done }
    }

    fn next(&self) -> f64 {
        let [[a, f], [b, g]] = self.ends;
        let at = a - f * (b - a) / (g - f);
        if at > a && at < b { at } else { 0.5 * (a + b) }
    }

    fn found(&mut self, at: f64, value: f64) {
        if value.abs() < self.best[1].abs() {
            self.best = [at, value];
        }
        let side = usize::from(value * self.ends[0][1] < 0.0);
        self.ends[side] = [at, value];
        if self.last == Some(side) {
            // The other end stays: half of its value moves the next place towards it.
            self.ends[1 - side][1] *= 0.5;
        }
        self.last = Some(side);
        let width = self.ends[1][0] - self.ends[0][0];
        self.done = value.abs() <= self.enough || width <= f64::EPSILON || !value.is_finite();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_in_their_order() {
        for clusters in 2..7 {
            let pairs = (0..clusters).flat_map(|c| (c + 1..clusters).map(move |k| (c, k)));
            for (at, (c, k)) in pairs.enumerate() {
                assert_eq!(pair_index(c, k, clusters), at);
                assert_eq!(pair_index(k, c, clusters), at);
            }
        }
    }

    #[test]
    fn zeros_are_found() {
        let functions: [(fn(f64) -> f64, f64); 4] = [
            (|t| t - 0.3, 0.3),
            (|t| 0.2 - t.powi(9), 0.2_f64.powf(1.0 / 9.0)),
            (|t| (t - 0.7).max(0.0) * 5.0 - 0.01, 0.702),
            (|t| -1.0 + (30.0 * (t - 0.5)).tanh() * 1.5, 0.5 + (2.0_f64 / 3.0).atanh() / 30.0),
        ];
        for (f, expected) in functions {
            let mut line = Line::new(f(0.0), f(1.0), 1e-14);
            let mut steps = 0;
            while !line.done && steps < 60 {
                let at = line.next();
                line.found(at, f(at));
                steps += 1;
            }
            assert!((line.best[0] - expected).abs() < 1e-9, "{:?} for {expected}", line.best);
        }
        // Both ends on one side: the nearer one.
        let line = Line::new(3.0, 1.0, 1e-9);
        assert!(line.done && line.best == [1.0, 1.0]);
        assert!(Line::new(f64::NAN, 1.0, 1e-9).done);
    }
}
