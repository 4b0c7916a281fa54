//! Root points of a deep k-means: inputs on the boundaries between its clusters.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Int, Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Relevance, Tape};

use crate::cluster::KMeans;
use crate::deep::codes::encoded;
use crate::error::Result;
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
    /// the order (0, 1), (0, 2), .. (1, 2), .., `[K (K − 1) / 2, L]`. `None` if the table would be
    /// too large, or if there is only one cluster.
    midway: Option<Param<Tensor<B, 2>>>,
    /// The inputs in every cluster, `[K]`; an empty one has no place.
    sizes: HostParam<B>,
    /// The shape of an input.
    sample: HostParam<B>,
}

/// Elements of a table of midway roots that is kept; of more, roots are found when they are needed.
const KEPT_ELEMENTS: usize = 1 << 26;

/// The place of a pair c < k in the order of pairs.
pub(super) fn pair_index(c: usize, k: usize, clusters: usize) -> usize {
    let (low, high) = (c.min(k), c.max(k));
    low * clusters - low * (low + 1) / 2 + high - low - 1
}

fn pair_count(clusters: usize) -> usize {
    clusters * clusters.saturating_sub(1) / 2
}

fn kept<B: Backend>(table: Tensor<B, 2>) -> Param<Tensor<B, 2>> {
    Param::initialized(ParamId::new(), table)
}

impl<B: Backend> Roots<B> {
    /// The roots between places, of all pairs, if they are kept.
    pub(super) fn midway(&self) -> Option<Tensor<B, 2>> {
        self.midway.as_ref().map(Param::val)
    }

    fn n_clusters(&self) -> usize {
        self.places.dims()[0]
    }

    /// Whether both clusters have inputs.
    pub(super) fn has(&self, c: usize, k: usize) -> bool {
        let holds = |cluster: usize| self.sizes.values().get(cluster).is_some_and(|n| *n > 0.0);
        holds(c) && holds(k)
    }

    /// The shape of an input. A recorder of half precision rounds it.
    pub(super) fn is_of(&self, sample: &[usize]) -> bool {
        let kept = self.sample.values();
        let near =
            |(kept, found): (&f64, &usize)| (kept - *found as f64).abs() <= 1e-3 * *found as f64;
        let width: usize = sample.iter().product();
        width == self.places.dims()[1]
            && kept.len() == sample.len()
            && kept.iter().zip(sample).all(near)
    }

    /// The shape of an input, for messages.
    pub(super) fn sample(&self) -> Vec<usize> {
        self.sample.values().iter().map(|size| *size as usize).collect()
    }

    /// Blank roots of a model to load a record into.
    pub(super) fn unloaded(clusters: usize, sample: &[usize], device: &B::Device) -> Self {
        let width = sample.iter().product();
        let mut shapes: Vec<(&str, Vec<usize>)> = vec![
            ("places", vec![clusters, width]),
            ("medoids", vec![clusters, width]),
            ("sizes", vec![clusters]),
            ("sample", vec![sample.len()]),
        ];
        if is_kept(clusters, width) {
            shapes.push(("midway", vec![pair_count(clusters), width]));
        }
        let shapes: Vec<(&str, &[usize])> =
            shapes.iter().map(|(name, dims)| (*name, dims.as_slice())).collect();
        load::blank(&shapes, device)
    }

    /// Checks roots that were loaded for so many clusters. What belongs to empty clusters is NaN.
    pub(super) fn check(&self, clusters: usize) -> Result<(), String> {
        let width = self.places.dims()[1];
        load::agree("roots.sizes", self.sizes.lazy_shape().dims(), "clusters", clusters)?;
        let mut tables = vec![
            ("roots.places", self.places.val(), clusters),
            ("roots.medoids", self.medoids.val(), clusters),
        ];
        if let Some(midway) = &self.midway {
            tables.push(("roots.midway", midway.val(), pair_count(clusters)));
        }
        for (name, table, rows) in &tables {
            let found = table.dims();
            if found != [*rows, width] || width == 0 {
                return Err(format!(
                    "its tensor `{name}` has shape {found:?}, expected [{rows}, {width}]"
                ));
            }
        }
        load::finite_numbers("roots.sizes", self.sizes.values())?;
        load::finite_numbers("roots.sample", self.sample.values())?;
        let held: Vec<usize> = (0..clusters).filter(|c| self.has(*c, *c)).collect();
        let pairs: Vec<usize> =
            self.pairs().iter().map(|pair| pair_index(pair.c, pair.k, clusters)).collect();
        for ((name, table, _), rows) in tables.into_iter().zip([&held, &held, &pairs]) {
            if !rows.is_empty() {
                let device = table.device();
                load::finite(name, table.select(0, indices(rows, &device)))?;
            }
        }
        Ok(())
    }

    /// The pairs c < k of clusters that have inputs.
    fn pairs(&self) -> Vec<Pair> {
        let clusters = self.n_clusters();
        let all = (0..clusters).flat_map(|c| (c + 1..clusters).map(move |k| Pair { c, k }));
        all.filter(|pair| self.has(pair.c, pair.k)).collect()
    }
}

/// Whether a table of midway roots is kept.
fn is_kept(clusters: usize, width: usize) -> bool {
    let elements = pair_count(clusters).saturating_mul(width);
    (1..=KEPT_ELEMENTS).contains(&elements)
}

impl<B: Backend> Load<B> for Roots<B> {
    const NAME: &'static str = "table of roots";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let midway = shapes.has("midway").then(|| shapes.param("midway", device, dtype));
        Ok(Self {
            places: shapes.param("places", device, dtype)?,
            medoids: shapes.param("medoids", device, dtype)?,
            midway: midway.transpose()?,
            sizes: HostParam::of(shapes.blank("sizes", device, dtype)?),
            sample: HostParam::of(shapes.blank("sample", device, dtype)?),
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

/// A column of numbers.
fn column<B: Backend>(values: Vec<f64>, like: &Tensor<B, 2>) -> Tensor<B, 2> {
    let shape = [values.len(), 1];
    transfer::upload(values, shape, &like.device(), like.dtype())
}

/// Sums and medoids of clusters, over inputs that come in batches.
pub(super) struct Collector<B: Backend> {
    /// The shape of an input, known from the first batch.
    sample: Option<Vec<usize>>,
    /// Whether there can be no roots: between token ids is nothing, nor between inputs of
    /// different shapes.
    hopeless: bool,
    sums: Option<Tensor<B, 2>>,
    sizes: Vec<usize>,
    /// The least distance in every cluster, and the input that has it, `[1, L]`.
    medoids: Vec<Option<(f64, Tensor<B, 2>)>>,
}

impl<B: Backend> Collector<B> {
    pub(super) fn new(clusters: usize) -> Self {
        Self {
            sample: None,
            hopeless: false,
            sums: None,
            sizes: vec![0; clusters],
            medoids: vec![None; clusters],
        }
    }

    /// Whether codes of an input are wanted; there are no roots otherwise.
    pub(super) fn wants(&mut self, x: &AnyTensor<B>, encoder: &impl Relevance<B>) -> Result<bool> {
        let dims = x.dims();
        let sample = dims.get(1..).unwrap_or_default();
        match &self.sample {
            Some(known) => self.hopeless |= known != sample,
            None => {
                let one = x.samples(0..1)?;
                let output = encoder.trace(Tape::new().input("input", one))?;
                self.hopeless = output.has_discrete_input();
                self.sample = Some(sample.to_vec());
            }
        }
        Ok(!self.hopeless)
    }

    /// Adds inputs with their codes.
    pub(super) fn add(
        &mut self,
        x: &AnyTensor<B>,
        codes: &Tensor<B, 2>,
        head: &KMeans<B>,
    ) -> Result<()> {
        let labels = transfer::download_indices(head.predict(codes)?);
        let rows = transfer::untracked(x.rows());
        let device = rows.device();
        let centroids = head.centroids().select(0, indices(&labels, &device));
        let away = transfer::download((codes.clone() - centroids).square().sum_dim(1));
        let clusters = self.sizes.len();
        let mut nearest: Vec<Option<usize>> = vec![None; clusters];
        let mut marks = vec![0.0; clusters * labels.len()];
        for (row, label) in labels.iter().enumerate() {
            marks[label * labels.len() + row] = 1.0;
            self.sizes[*label] += 1;
            if nearest[*label].is_none_or(|best| away[row] < away[best]) {
                nearest[*label] = Some(row);
            }
        }
        for (medoid, row) in self.medoids.iter_mut().zip(nearest) {
            let Some(row) = row else { continue };
            if medoid.as_ref().is_none_or(|(least, _)| away[row] < *least) {
                // A copy, so that the batch is not kept.
                *medoid = Some((away[row], rows.clone().select(0, indices(&[row], &device))));
            }
        }
        let marks =
            transfer::upload::<B, 2>(marks, [clusters, labels.len()], &device, rows.dtype());
        let sums = marks.matmul(rows);
        self.sums = Some(match self.sums.take() {
            Some(before) => before + sums,
            None => sums,
        });
        Ok(())
    }

    /// The roots, if there are any.
    pub(super) fn finish(
        self,
        encoder: &impl Relevance<B>,
        head: &KMeans<B>,
        batch_size: usize,
    ) -> Result<Option<Roots<B>>> {
        let (Some(sums), Some(sample), false) = (self.sums, self.sample, self.hopeless) else {
            return Ok(None);
        };
        let (device, dtype) = (sums.device(), sums.dtype());
        let [clusters, width] = sums.dims();
        let nothing = || Tensor::<B, 2>::full([1, width], f64::NAN, (&device, dtype));
        let medoids = self.medoids.into_iter();
        let medoids = medoids.map(|found| found.map_or_else(nothing, |(_, row)| row)).collect();
        let medoids: Tensor<B, 2> = Tensor::cat(medoids, 0);
        let sizes: Vec<f64> = self.sizes.iter().map(|size| *size as f64).collect();
        // The mean of images is no image, and often in none of their clusters.
        let places = if sample.len() > 1 {
            medoids.clone()
        } else {
            let sizes = column(sizes.clone(), &sums);
            let empty = sizes.clone().equal_elem(0.0);
            sums / sizes.mask_fill(empty, f64::NAN)
        };
        let mut roots = Roots {
            midway: None,
            places: kept(places),
            medoids: kept(medoids),
            sizes: HostParam::new(sizes, &device, dtype),
            sample: HostParam::new(
                sample.iter().map(|size| *size as f64).collect(),
                &device,
                dtype,
            ),
        };
        if is_kept(clusters, width) {
            let search = Search::new(encoder, head, &sample, batch_size)?;
            roots.midway = Some(kept(search.all_midway(&roots)?));
        }
        Ok(Some(roots))
    }
}

/// A pair of clusters whose contrast is 0 at a root.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) c: usize,
    pub(super) k: usize,
}

/// How near to the boundary a root is, in parts of the contrast of the sample.
const CLOSE: f64 = 1e-6;
/// Pairs whose roots are sought together.
const PAIRS: usize = 64;

/// The search for inputs at which the contrast of two clusters is 0.
pub(super) struct Search<'a, B: Backend, E> {
    encoder: &'a E,
    network: NeuralizedKMeans<B>,
    sample: &'a [usize],
    batch_size: usize,
}

/// Places and medoids of all clusters, and their scores.
pub(super) struct Places<B: Backend> {
    /// The places, then the medoids, `[2 K, L]`.
    table: Tensor<B, 2>,
    /// Their scores, `[2 K, K]`.
    scores: Vec<f64>,
    clusters: usize,
}

impl<B: Backend> Places<B> {
    /// `h_ck` at a row of the table.
    fn contrast(&self, row: usize, pair: Pair) -> f64 {
        let scores = &self.scores[row * self.clusters..(row + 1) * self.clusters];
        scores[pair.c] - scores[pair.k]
    }

    /// The rows of c and of k: their places if these lie on either side of the boundary, else their
    /// medoids, which do.
    fn ends(&self, pair: Pair) -> [usize; 2] {
        let Pair { c, k } = pair;
        let straddle = self.contrast(c, pair) > 0.0 && self.contrast(k, pair) < 0.0;
        if straddle { [c, k] } else { [self.clusters + c, self.clusters + k] }
    }

    /// The row of a cluster of the pair that lies on its own side of the boundary.
    fn inside(&self, cluster: usize, pair: Pair) -> usize {
        let own_side = (self.contrast(cluster, pair) > 0.0) == (cluster == pair.c);
        if own_side { cluster } else { self.clusters + cluster }
    }

    fn rows(&self, rows: &[usize]) -> Tensor<B, 2> {
        self.table.clone().select(0, indices(rows, &self.table.device()))
    }
}

impl<'a, B: Backend, E: Relevance<B>> Search<'a, B, E> {
    pub(super) fn new(
        encoder: &'a E,
        head: &KMeans<B>,
        sample: &'a [usize],
        batch_size: usize,
    ) -> Result<Self> {
        Ok(Self { encoder, network: head.neuralize()?, sample, batch_size })
    }

    pub(super) fn places(&self, roots: &Roots<B>) -> Result<Places<B>> {
        let table = Tensor::cat(vec![roots.places.val(), roots.medoids.val()], 0);
        // Those of empty clusters are NaN and never asked for.
        let nothing = transfer::is_nan(table.clone());
        let table = table.mask_fill(nothing, 0.0);
        let scores = transfer::download(self.scores(&table)?);
        Ok(Places { table, scores, clusters: roots.n_clusters() })
    }

    fn scores(&self, rows: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        let inputs = AnyTensor::from(rows).reshape(&[&[rows.dims()[0]], self.sample].concat())?;
        let codes = encoded(self.encoder, &inputs, self.batch_size)?;
        Ok(Network::scores(&self.network, codes))
    }

    /// `h_ck` of every row for its pair.
    fn contrasts(&self, rows: &Tensor<B, 2>, pairs: &[Pair]) -> Result<Vec<f64>> {
        let scores = self.scores(rows)?;
        let of = |cluster: fn(&Pair) -> usize| {
            let clusters: Vec<usize> = pairs.iter().map(cluster).collect();
            let clusters = indices(&clusters, &scores.device()).unsqueeze_dim::<2>(1);
            scores.clone().gather(1, clusters)
        };
        Ok(transfer::download(of(|pair| pair.c) - of(|pair| pair.k)))
    }

    /// The roots of all pairs; NaN for those with an empty cluster.
    fn all_midway(&self, roots: &Roots<B>) -> Result<Tensor<B, 2>> {
        let pairs = roots.pairs();
        let [clusters, width] = roots.places.dims();
        let device = roots.places.device();
        let mut found = Vec::new();
        if !pairs.is_empty() {
            let places = self.places(roots)?;
            for pairs in pairs.chunks(PAIRS) {
                found.push(self.midway(&places, pairs)?);
            }
        }
        found.push(Tensor::full([1, width], f64::NAN, (&device, roots.places.val().dtype())));
        // Into the order of all pairs.
        let mut order = vec![pairs.len(); pair_count(clusters)];
        for (at, pair) in pairs.iter().enumerate() {
            order[pair_index(pair.c, pair.k, clusters)] = at;
        }
        Ok(Tensor::cat(found, 0).select(0, indices(&order, &device)))
    }

    /// The roots between the places of pairs.
    pub(super) fn midway(&self, places: &Places<B>, pairs: &[Pair]) -> Result<Tensor<B, 2>> {
        let ends: Vec<[usize; 2]> = pairs.iter().map(|pair| places.ends(*pair)).collect();
        let of = |end: usize| -> Vec<usize> { ends.iter().map(|ends| ends[end]).collect() };
        let lines = ends.iter().zip(pairs).map(|(ends, pair)| {
            Line::new(ends.map(|row| places.contrast(row, *pair)), 0.0, self.rounding())
        });
        self.crossings([places.rows(&of(0)), places.rows(&of(1))], lines.collect(), pairs)
    }

    /// The roots on the lines from between the place of c and a sample, whose contrast is known.
    pub(super) fn towards(
        &self,
        places: &Places<B>,
        lambda: f64,
        samples: &Tensor<B, 2>,
        contrasts: &[f64],
        pairs: &[Pair],
    ) -> Result<Tensor<B, 2>> {
        let (from, starts) = if lambda == 1.0 {
            (samples.clone(), contrasts.to_vec())
        } else {
            let own: Vec<usize> = pairs.iter().map(|pair| places.ends(*pair)[0]).collect();
            let from = places.rows(&own) * (1.0 - lambda) + samples.clone() * lambda;
            let starts = self.contrasts(&from, pairs)?;
            (from, starts)
        };
        // Away from the cluster that the start is in: towards c from outside of it.
        let ends: Vec<usize> = pairs
            .iter()
            .zip(&starts)
            .map(|(pair, start)| places.inside(if *start < 0.0 { pair.c } else { pair.k }, *pair))
            .collect();
        let lines = ends.iter().zip(pairs).zip(starts.iter().zip(contrasts)).map(
            |((row, pair), (start, contrast))| {
                let values = [*start, places.contrast(*row, *pair)];
                Line::new(values, CLOSE * contrast.abs(), self.rounding())
            },
        );
        self.crossings([from, places.rows(&ends)], lines.collect(), pairs)
    }

    /// What rounding leaves of a contrast, in parts of those at the ends of a line.
    fn rounding(&self) -> f64 {
        16.0 * transfer::epsilon(Network::dtype(&self.network))
    }

    /// The place of every line at which its contrast is 0.
    fn crossings(
        &self,
        [from, to]: [Tensor<B, 2>; 2],
        mut lines: Vec<Line>,
        pairs: &[Pair],
    ) -> Result<Tensor<B, 2>> {
        const STEPS: usize = 60;
        let way = to - from.clone();
        for _ in 0..STEPS {
            let open: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].done).collect();
            if open.is_empty() {
                break;
            }
            let at: Vec<f64> = open.iter().map(|line| lines[*line].next()).collect();
            let rows = indices(&open, &from.device());
            let place = from.clone().select(0, rows.clone())
                + way.clone().select(0, rows) * column(at.clone(), &from);
            let open_pairs: Vec<Pair> = open.iter().map(|line| pairs[*line]).collect();
            let values = self.contrasts(&place, &open_pairs)?;
            for ((line, t), value) in open.iter().zip(at).zip(values) {
                lines[*line].found(t, value);
            }
        }
        let best = lines.iter().map(|line| line.best[0]).collect();
        Ok(from.clone() + way * column(best, &from))
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
    /// A line with these values at its ends. The search is done where the value is at most
    /// `enough`, or `rounding` times the larger one at the ends.
    fn new([start, end]: [f64; 2], enough: f64, rounding: f64) -> Self {
        let best = if start.abs() <= end.abs() { [0.0, start] } else { [1.0, end] };
        let enough = enough.max(rounding * start.abs().max(end.abs()));
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
        type Function = fn(f64) -> f64;
        let functions: [(Function, f64); 4] = [
            (|t| t - 0.3, 0.3),
            (|t| 0.2 - t.powi(9), 0.2_f64.powf(1.0 / 9.0)),
            (|t| (t - 0.7).max(0.0) * 5.0 - 0.01, 0.702),
            (|t| -1.0 + (30.0 * (t - 0.5)).tanh() * 1.5, 0.5 + (2.0_f64 / 3.0).atanh() / 30.0),
        ];
        for (f, expected) in functions {
            let mut line = Line::new([f(0.0), f(1.0)], 0.0, 1e-14);
            let mut steps = 0;
            while !line.done && steps < 60 {
                let at = line.next();
                line.found(at, f(at));
                steps += 1;
            }
            assert!((line.best[0] - expected).abs() < 1e-9, "{:?} for {expected}", line.best);
        }
        // Both ends on one side: the nearer one.
        let line = Line::new([3.0, 1.0], 0.0, 1e-9);
        assert!(line.done && line.best == [1.0, 1.0]);
        assert!(Line::new([f64::NAN, 1.0], 0.0, 1e-9).done);
    }
}
