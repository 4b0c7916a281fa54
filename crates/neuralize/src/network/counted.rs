//! The competitors that count in a pass that treats each of them by itself.

use burn::tensor::backend::Backend;

use crate::kernel::COUNTS;
use crate::network::pass::PoolingPass;
use crate::transfer;

/// A competitor of one row that counts.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    /// The row.
    pub(crate) row: usize,
    /// The explained cluster.
    pub(crate) c: usize,
    /// The competitor.
    pub(crate) k: usize,
    /// Its part of the logit over the contrast h_ck.
    pub(crate) ratio: f64,
}

/// The competitors that count, row by row.
pub(crate) fn counted<B: Backend>(pass: &PoolingPass<B>) -> Vec<Counted> {
    let [_, width] = pass.competitors.shares.dims();
    let shares = transfer::download(pass.competitors.shares.clone());
    let ratios = transfer::download(pass.competitors.ratios.clone());
    let clusters = transfer::download_indices(pass.cluster.clone());
    let mut found = Vec::new();
    for (row, c) in clusters.into_iter().enumerate() {
        let part = row * width..(row + 1) * width;
        let (shares, ratios) = (&shares[part.clone()], &ratios[part]);
        let least = COUNTS * shares.iter().copied().fold(0.0, f64::max);
        let counts = |share: f64| share > 0.0 && share >= least;
        let total: f64 = shares.iter().filter(|share| counts(**share)).sum();
        for k in (0..width).filter(|k| counts(shares[*k]) && ratios[*k] != 0.0 && *k != c) {
            found.push(Counted { row, c, k, ratio: ratios[k] / total });
        }
    }
    found
}
