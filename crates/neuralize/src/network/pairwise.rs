//! The pairwise rule for pairs of supports, that of the literature.

use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::segments::Segments;
use crate::network::pass::PoolingPass;
use crate::network::summed::without_supports;
use crate::network::support_coefficients::SupportCoefficients;
use crate::{kernel, transfer};

/// What absorbs the relevance of pairs that are equally near.
pub(super) const TIES: &str = "ties";

/// Elements of a block of pairs.
const PAIRS: usize = 1 << 20;

/// The pairwise rule of the literature: every pair of a support i of the explained cluster and a
/// support j of a competitor gets `R_k p_i p_j` and passes it to the features divided by
/// `h_ijk = t_i − t_j`. Pairs with `h_ijk = 0` keep it.
///
/// Rows are grouped by explained cluster and cut into blocks, so that no table of pairs has more
/// than [`PAIRS`] numbers.
///
/// # Shapes
///
/// - t, shares: `[n, M]`, scores: `[n, K]`
pub(super) fn pairwise<B: Backend>(
    segments: &Segments,
    t: &Tensor<B, 2>,
    shares: &Tensor<B, 2>,
    scores: &Tensor<B, 2>,
    pass: &PoolingPass<B>,
) -> SupportCoefficients<B> {
    let [rows, clusters] = scores.dims();
    let device = t.device();
    let relevance = pass.relevance();
    let explained = transfer::download_indices(pass.cluster.clone());

    let (mut order, mut coefficients, mut ties) = (Vec::new(), Vec::new(), Vec::new());
    for cluster in 0..clusters {
        let members: Vec<usize> = (0..rows).filter(|row| explained[*row] == cluster).collect();
        let longest = segments.ranges().iter().map(|range| range.len()).max().unwrap_or(1);
        let step = (PAIRS / (longest * segments.ranges()[cluster].len())).max(1);
        for part in members.chunks(step) {
            let chosen = transfer::upload_indices(part, &device);
            let of = |table: &Tensor<B, 2>| table.clone().select(0, chosen.clone());
            let (v, tied) = group(segments, cluster, &of(t), &of(shares), &of(&relevance));
            order.extend_from_slice(part);
            coefficients.push(v);
            ties.push(tied);
        }
    }
    let mut place = vec![0; rows];
    order.iter().enumerate().for_each(|(position, row)| place[*row] = position);
    let place = transfer::upload_indices(&place, &device);
    let ties: Tensor<B, 2> = Tensor::cat(ties, 0).select(0, place.clone());

    // Relevance to or from a cluster without supports reaches no pair.
    let lost = relevance.mask_fill(without_supports(scores, pass).bool_not(), 0.0);
    let coefficients = Tensor::cat(coefficients, 0).select(0, place);
    SupportCoefficients::of(TIES, coefficients, ties + lost.sum_dim(1))
}

/// Coefficients `[r, M]` and what ties keep `[r, 1]`, for rows with the same explained cluster.
fn group<B: Backend>(
    segments: &Segments,
    cluster: usize,
    t: &Tensor<B, 2>,
    shares: &Tensor<B, 2>,
    relevance: &Tensor<B, 2>,
) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let rows = t.dims()[0];
    let (device, dtype) = (t.device(), t.dtype());
    let run = |table: &Tensor<B, 2>, k: usize| {
        let range = &segments.ranges()[k];
        table.clone().narrow(1, range.start, range.len())
    };
    let zeros = |columns| transfer::zeros::<B, 2>([rows, columns], &device, dtype);
    let own_supports = segments.ranges()[cluster].len();
    let (own_t, own_shares) = (run(t, cluster), run(shares, cluster));
    let mut own = zeros(own_supports);
    let mut ties = zeros(1);
    let mut parts: Vec<Tensor<B, 2>> = Vec::new();
    for (k, range) in segments.ranges().iter().enumerate() {
        if k == cluster {
            // Known only when all competitors have been seen.
            parts.push(zeros(own_supports));
            continue;
        }
        let competitors = range.len();
        let weight = run(shares, k) * relevance.clone().narrow(1, k, 1).expand([rows, competitors]);
        let other_t = run(t, k);
        let mut theirs = zeros(competitors);
        let mut ours = Vec::new();
        let step = (PAIRS / (rows * competitors)).max(1);
        for chunk in kernel::blocks(own_supports, step) {
            let pairs = [rows, chunk.len(), competitors];
            let left = |table: &Tensor<B, 2>| {
                table
                    .clone()
                    .narrow(1, chunk.start, chunk.len())
                    .unsqueeze_dim::<3>(2)
                    .expand(pairs)
            };
            let right = |table: &Tensor<B, 2>| table.clone().unsqueeze_dim::<3>(1).expand(pairs);
            let h = left(&own_t) - right(&other_t);
            let passed = left(&own_shares) * right(&weight);
            let tied = h.clone().equal_elem(0.0);
            let kept = passed.clone().mask_fill(tied.clone().bool_not(), 0.0);
            ties = ties + kept.sum_dim(2).sum_dim(1).squeeze_dim::<2>(2);
            let ratio = (passed / h.mask_fill(tied.clone(), 1.0)).mask_fill(tied, 0.0);
            theirs = theirs + ratio.clone().sum_dim(1).squeeze_dim::<2>(1);
            ours.push(ratio.sum_dim(2).squeeze_dim::<2>(2));
        }
        own = own - Tensor::cat(ours, 1);
        parts.push(theirs);
    }
    parts[cluster] = own;
    (Tensor::cat(parts, 1), ties)
}
