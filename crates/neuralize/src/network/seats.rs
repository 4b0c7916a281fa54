//! Where clusters of supports lie, as ends of the lines that roots are sought on.

use std::sync::Arc;

use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::SupportScorer;
use crate::explain::Root;
use crate::kernel::{self, End, Ends};
use crate::transfer;

/// A place serves where at least one of this many supports lies shallower.
const SHALLOW: usize = 4;

/// So many supports of a cluster, at most, tell how deep its supports lie.
const SAMPLE: usize = 256;

/// The supports that lie in their cluster, pair by pair.
struct Inside<'a> {
    clusters: usize,
    depths: &'a [Option<Arc<Vec<f64>>>],
    /// The first support of every cluster.
    starts: Vec<usize>,
}

impl Inside<'_> {
    fn of(&self, c: usize, k: usize) -> End {
        let Some(depths) = self.depths[k].as_ref().filter(|_| c != k) else { return End::Nowhere };
        let depths = depths.iter().skip(c).step_by(self.clusters).enumerate();
        let inside = depths.filter(|(_, depth)| **depth > 0.0);
        let supports: Vec<u32> = inside.map(|(j, _)| (self.starts[k] + j) as u32).collect();
        if supports.is_empty() { End::Nowhere } else { End::Nearest(supports) }
    }
}

/// The places of clusters of supports, and the supports that stand in for a place that lies outside of
/// its cluster.
#[derive(Clone)]
pub(super) struct Seats {
    clusters: usize,
    /// Whether the place of k stands for k if its only competitor is c, at `c K + k`: it lies in k,
    /// and deeper than a quarter of the supports of k. Where clusters reach into one another, a mean
    /// that lies barely inside leads the wrong way.
    serves: Vec<bool>,
    /// By how much its score for k exceeds that for every other cluster, for each support of k:
    /// `[n_k, K]`. Only of clusters for which it may be asked.
    depths: Vec<Option<Arc<Vec<f64>>>>,
    /// Where the lines of `Root::Toward` end.
    toward: Ends,
    /// Where the lines of `Root::Near` end, if all depths are known.
    near: Option<Ends>,
    is_complete: bool,
}

impl Seats {
    /// With the depths of the supports of those clusters whose place lies outside, or of all.
    ///
    /// # Shapes
    ///
    /// - places: `[K, D]` around the centre
    pub(super) fn of<B: Backend>(
        scorer: &SupportScorer<B>,
        places: &Tensor<B, 2>,
        of_all: bool,
    ) -> Self {
        let clusters = places.dims()[0];
        let at_places = transfer::download(scorer.whole_scores(places.clone()));
        let supports = scorer.centred_supports();
        let [_, features] = supports.dims();
        let mut is_inside = vec![false; clusters * clusters];
        let mut serves = vec![false; clusters * clusters];
        for (k, range) in scorer.segments().ranges().iter().enumerate() {
            let place = &at_places[k * clusters..][..clusters];
            let stride = range.len().div_ceil(SAMPLE).max(1);
            let some: Vec<usize> = range.clone().step_by(stride).collect();
            let some = transfer::upload_indices::<B>(&some, &supports.device());
            let some = scorer.whole_scores(supports.clone().select(0, some));
            let some = transfer::download(some);
            for c in 0..clusters {
                let depth = place[k] - place[c];
                is_inside[c * clusters + k] = depth > 0.0;
                let shallower =
                    some.chunks_exact(clusters).filter(|scores| scores[k] - scores[c] <= depth);
                let is_deep = shallower.count() * SHALLOW >= some.len() / clusters;
                serves[c * clusters + k] = depth > 0.0 && is_deep;
            }
        }
        let depths = scorer.segments().ranges().iter().enumerate().map(|(k, range)| {
            let outside = (0..clusters).any(|c| c != k && !serves[c * clusters + k]);
            (outside || of_all).then(|| {
                let block = kernel::block_rows(supports.dims()[0] + features);
                let parts = kernel::blocks(range.len(), block).flat_map(|part| {
                    let from = range.start + part.start;
                    let some = supports.clone().narrow(0, from, part.len());
                    transfer::download(scorer.whole_scores(some))
                });
                let mut depths: Vec<f64> = parts.collect();
                for scores in depths.chunks_exact_mut(clusters) {
                    let own = scores[k];
                    scores.iter_mut().for_each(|score| *score = own - *score);
                }
                Arc::new(depths)
            })
        });
        let depths: Vec<_> = depths.collect();
        let starts = scorer.segments().ranges().iter().map(|range| range.start).collect();
        let inside = Inside { clusters, depths: &depths, starts };
        let toward = Ends::new(clusters, |c, k| {
            if c == k || serves[c * clusters + k] { End::Place } else { inside.of(c, k) }
        });
        let near = of_all.then(|| {
            Ends::new(clusters, |c, k| match inside.of(c, k) {
                End::Nowhere if is_inside[c * clusters + k] => End::Place,
                end => end,
            })
        });
        let is_complete = (0..clusters * clusters).all(|at| {
            let (c, k) = (at / clusters, at % clusters);
            c == k || !matches!(toward.of(c, k), End::Nowhere)
        });
        Self { clusters, serves, depths, toward, near, is_complete }
    }

    /// Where lines from a point end; `None` for other roots than `Toward` and `Near`.
    pub(super) fn ends(&self, root: Root) -> Option<&Ends> {
        match root {
            Root::Near => self.near.as_ref(),
            root if root.lambda() == 1.0 => Some(&self.toward),
            _ => None,
        }
    }

    /// Whether depths are known for all clusters.
    pub(super) fn of_all(&self) -> bool {
        self.depths.iter().all(Option::is_some)
    }

    /// Whether the place of k stands for k, if its only competitor is c.
    pub(super) fn serves(&self, c: usize, k: usize) -> bool {
        self.serves[c * self.clusters + k]
    }

    /// By how much every support of k lies in k, if its only competitor is c.
    pub(super) fn depths(&self, c: usize, k: usize) -> Vec<f64> {
        match &self.depths[k] {
            Some(depths) => depths.iter().skip(c).step_by(self.clusters).copied().collect(),
            None => Vec::new(),
        }
    }

    /// The support of k, counted within k, that lies deepest in k, if its only competitor is c.
    pub(super) fn deepest(&self, c: usize, k: usize) -> Option<usize> {
        let depths = self.depths(c, k);
        let at = (0..depths.len()).max_by(|a, b| depths[*a].total_cmp(&depths[*b]))?;
        (depths[at] > 0.0).then_some(at)
    }

    /// Whether there is a point in k if its only competitor is c.
    pub(super) fn has_any(&self, c: usize, k: usize) -> bool {
        !matches!(self.toward.of(c, k), End::Nowhere)
    }

    /// Whether every cluster has a point in itself, whatever its only competitor is.
    pub(super) fn are_complete(&self) -> bool {
        self.is_complete
    }
}
