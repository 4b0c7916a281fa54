//! The secant pass of networks that have a pass for every pair of clusters.

use std::collections::BTreeMap;

use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor, backend::Backend};

use crate::explain::{Absorbed, Explanation, Target};
use crate::network::counted::counted;
use crate::network::pass::PoolingPass;
use crate::transfer;

/// What absorbs the part of the logit of pairs without a root.
pub(super) const ROOT: &str = "root";

/// The rows of a block that are explained for cluster c, and for which k counts.
pub(super) struct PairRows<B: Backend> {
    pub(super) c: usize,
    pub(super) k: usize,
    /// Their numbers, `[r]`.
    pub(super) rows: Tensor<B, 1, Int>,
}

impl<B: Backend> PairRows<B> {
    /// These rows of a table `[n, ..]`.
    pub(super) fn of(&self, table: &Tensor<B, 2>) -> Tensor<B, 2> {
        table.clone().select(0, self.rows.clone())
    }
}

/// What made the contrasts of a pair.
pub(super) struct Secants<B: Backend> {
    /// For every feature, `[r, D]`; a row sums to its contrast.
    pub(super) relevance: Tensor<B, 2>,
    /// Whether a row has a root, `[r, 1]`; if not, its relevances mean nothing.
    pub(super) rooted: Tensor<B, 2, Bool>,
}

/// The explanation of a block of rows by the secants of its pairs. What pairs without a root would
/// get is absorbed, if `absorbs` says that there may be any.
pub(super) fn explanation<B: Backend>(
    pass: PoolingPass<B>,
    (target, beta): (Target, f64),
    features: usize,
    absorbs: bool,
    mut secants: impl FnMut(&PairRows<B>) -> Secants<B>,
) -> Explanation<B> {
    let [rows, _] = pass.competitors.shares.dims();
    let (device, dtype) = (pass.competitors.shares.device(), pass.competitors.shares.dtype());
    let mut pairs = BTreeMap::<_, (Vec<usize>, Vec<f64>, Vec<f64>)>::new();
    for one in counted(&pass) {
        let pair = pairs.entry((one.c, one.k)).or_default();
        pair.0.push(one.row);
        pair.1.push(one.ratio);
        pair.2.push(one.relevance);
    }
    let mut relevance = transfer::zeros::<B, 2>([rows, features], &device, dtype);
    let mut absorbed = transfer::zeros::<B, 2>([rows, 1], &device, dtype);
    for ((c, k), (numbers, ratios, relevances)) in pairs {
        let shape = [numbers.len(), 1];
        let pair = PairRows { c, k, rows: transfer::upload_indices(&numbers, &device) };
        let found = secants(&pair);
        let ratios = transfer::upload::<B, 2>(ratios, shape, &device, dtype);
        let lost = found.rooted.clone().bool_not();
        let part = (found.relevance * ratios).mask_fill(lost.expand([shape[0], features]), 0.0);
        relevance = relevance.select_assign(0, pair.rows.clone(), part, IndexingUpdateOp::Add);
        if absorbs {
            let kept = transfer::upload::<B, 2>(relevances, shape, &device, dtype);
            let kept = kept.mask_fill(found.rooted, 0.0);
            absorbed = absorbed.select_assign(0, pair.rows, kept, IndexingUpdateOp::Add);
        }
    }
    let mut explanation = pass.explanation(relevance, target, beta);
    if absorbs {
        explanation.absorbed.push(Absorbed { name: ROOT, amount: absorbed.squeeze_dim(1) });
    }
    explanation
}
