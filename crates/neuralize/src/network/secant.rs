//! The secant pass of networks that have a pass for every pair of clusters.

use std::collections::BTreeMap;

use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor, backend::Backend};

use crate::explain::{Absorbed, Explanation, Target};
use crate::gradient::quotient;
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
    let [rows, clusters] = pass.competitors.shares.dims();
    let (device, dtype) = (pass.competitors.shares.device(), pass.competitors.shares.dtype());
    let mut pairs = BTreeMap::<_, Vec<usize>>::new();
    let mut counts = vec![0.0; rows * clusters];
    for one in counted(&pass) {
        pairs.entry((one.c, one.k)).or_default().push(one.row);
        counts[one.row * clusters + one.k] = 1.0;
    }
    // What the competitors that count have in place of all.
    let counts = transfer::upload::<B, 2>(counts, [rows, clusters], &device, dtype);
    let counted = (pass.competitors.shares.clone() * counts).sum_dim(1);
    let none = counted.clone().equal_elem(0.0);
    let counted = counted.mask_fill(none, 1.0).expand([rows, clusters]);
    let ratios = quotient(pass.competitors.ratios.clone(), counted.clone());
    let parts = quotient(pass.relevance(), counted);

    let mut relevance = transfer::zeros::<B, 2>([rows, features], &device, dtype);
    let mut absorbed = transfer::zeros::<B, 2>([rows, 1], &device, dtype);
    for ((c, k), numbers) in pairs {
        let count = numbers.len();
        let pair = PairRows { c, k, rows: transfer::upload_indices(&numbers, &device) };
        let found = secants(&pair);
        let ratio = pair.of(&ratios).narrow(1, k, 1).expand([count, features]);
        let mut part = found.relevance * ratio;
        if absorbs {
            let lost = found.rooted.clone().bool_not().expand([count, features]);
            part = part.mask_fill(lost, 0.0);
        }
        relevance = relevance.select_assign(0, pair.rows.clone(), part, IndexingUpdateOp::Add);
        if absorbs {
            let kept = pair.of(&parts).narrow(1, k, 1).mask_fill(found.rooted, 0.0);
            absorbed = absorbed.select_assign(0, pair.rows, kept, IndexingUpdateOp::Add);
        }
    }
    let mut explanation = pass.explanation(relevance, target, beta);
    if absorbs {
        explanation.absorbed.push(Absorbed { name: ROOT, amount: absorbed.squeeze_dim(1) });
    }
    explanation
}
