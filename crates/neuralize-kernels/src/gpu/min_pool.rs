//! The relevance rule of min-pooling: shares of competitors, and coefficients.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::bridge::{self, UNITS};
use crate::answer::{Answer, Question};

/// The answers of all rows, clusters in I32.
pub(super) type CubeAnswer<R> = Answer<CubeTensor<R>, CubeTensor<R>, CubeTensor<R>>;

/// From products `x·w_k` of a block of rows, which begins at row `first`, to the
/// coefficients `a` of the midpoint rule, in place; logit, cluster and shares of
/// these rows are filled in.
///
/// The rule is that of min-pooling: shares by softmin(β h), with the hard minimum
/// outside of the cluster and for an infinite β. A group of units has a row; maxima
/// and sums are taken through shared memory.
///
/// Global memory for n rows: `4 n K` bytes read (three times, the second and
/// third mostly from the cache), `8 n K + 8 n` written.
///
/// # Shapes
///
/// - products: `[n, K]`, a on return; bias: `[K]`; K at least 2
pub(super) fn launch<R: CubeRuntime>(
    products: &CubeTensor<R>,
    bias: &CubeTensor<R>,
    answer: &CubeAnswer<R>,
    first: usize,
    question: Question,
) {
    let [rows, clusters] = [products.meta.shape()[0], products.meta.shape()[1]];
    // About four clusters a unit.
    let width = clusters.div_ceil(4).next_power_of_two().min(UNITS);
    let Question { cluster, versus, beta } = question;
    let soft = beta <= f64::from(f32::MAX);
    min_pool_kernel::launch::<R>(
        &products.client,
        bridge::groups(rows.div_ceil(UNITS / width)),
        bridge::units(),
        products.clone().into_tensor_arg(),
        into_contiguous(bias.clone()).into_array_arg(),
        answer.logit.clone().into_array_arg(),
        answer.cluster.clone().into_array_arg(),
        answer.shares.clone().into_array_arg(),
        first as u32,
        cluster.unwrap_or(0) as u32,
        versus.unwrap_or(0) as u32,
        if soft { beta as f32 } else { 0.0 },
        width,
        cluster.is_none(),
        versus.is_some(),
        soft,
    );
}

#[cube(launch)]
fn min_pool_kernel(
    scores: &mut Tensor<f32>,
    bias: &Array<f32>,
    logits: &mut Array<f32>,
    explained: &mut Array<i32>,
    shares: &mut Array<f32>,
    first: u32,
    cluster: u32,
    versus: u32,
    beta: f32,
    #[comptime] width: usize,
    #[comptime] assigned: bool,
    #[comptime] contrast: bool,
    #[comptime] soft: bool,
) {
    let unit = UNIT_POS as usize;
    let lane = unit % width;
    let leader = unit - lane;
    let index = CUBE_POS * comptime!(UNITS / width) + unit / width;
    let in_block = index < scores.shape(0);
    let row = Row {
        scores: index * scores.stride(0),
        shares: (first as usize + index) * scores.shape(1),
        // Units without a row have no clusters either, and only keep in step.
        clusters: select(in_block, scores.shape(1), 0usize),
        lane,
    };

    let mut bests = SharedMemory::<f32>::new(UNITS);
    let mut seconds = SharedMemory::<f32>::new(UNITS);
    let mut indices = SharedMemory::<u32>::new(UNITS);
    largest_of_lane(
        &mut bests,
        &mut seconds,
        &mut indices,
        scores,
        bias,
        &row,
        cluster,
        width,
        assigned,
    );
    largest_of_row(&mut bests, &mut seconds, &mut indices, &row, width);

    let mut own = cluster as usize;
    let mut competitor = bests[leader];
    if comptime!(assigned) {
        own = indices[leader] as usize;
        competitor = seconds[leader];
    }
    let rival = versus as usize;
    let own_score = score_of(scores, bias, &row, own);
    if comptime!(contrast) {
        competitor = score_of(scores, bias, &row, rival);
    }
    let logit = own_score - competitor;
    // From here on scores and shared memory are overwritten.
    sync_cube();

    if lane == 0 && in_block {
        logits[first as usize + index] = logit;
        explained[first as usize + index] = own as i32;
    }
    if comptime!(contrast) {
        contrast_row(scores, shares, &row, own, rival, width);
    } else {
        let own = OwnCluster { index: own, score: own_score, logit };
        pool_row(scores, shares, bias, &mut bests, &mut seconds, &row, &own, beta, width, soft);
    }
}

/// The row of a group of units.
#[derive(CubeType)]
struct Row {
    /// Where its scores start.
    scores: usize,
    /// Where its shares start.
    shares: usize,
    /// K, or 0 beyond the last row.
    clusters: usize,
    /// The place of this unit in the group.
    lane: usize,
}

/// The explained cluster of a row.
#[derive(CubeType)]
struct OwnCluster {
    index: usize,
    score: f32,
    logit: f32,
}

#[cube]
fn score_of(scores: &Tensor<f32>, bias: &Array<f32>, row: &Row, k: usize) -> f32 {
    scores[row.scores + k * scores.stride(1)] + bias[k]
}

/// The largest score of this unit's clusters, the cluster, and the second
/// largest. A given cluster is left out, so that the largest is that of its best
/// competitor.
#[cube]
fn largest_of_lane(
    bests: &mut SharedMemory<f32>,
    seconds: &mut SharedMemory<f32>,
    indices: &mut SharedMemory<u32>,
    scores: &Tensor<f32>,
    bias: &Array<f32>,
    row: &Row,
    cluster: u32,
    #[comptime] width: usize,
    #[comptime] assigned: bool,
) {
    let unit = UNIT_POS as usize;
    let mut best = f32::MIN.runtime();
    let mut second = f32::MIN.runtime();
    let mut index = row.lane as u32;
    let mut k = row.lane;
    while k < row.clusters {
        let score = score_of(scores, bias, row, k);
        if comptime!(assigned) || k as u32 != cluster {
            if score > best {
                second = best;
                best = score;
                index = k as u32;
            } else if score > second {
                second = score;
            }
        }
        k += width;
    }
    bests[unit] = best;
    seconds[unit] = second;
    indices[unit] = index;
    sync_cube();
}

/// The same of all clusters of a row, at its first unit.
#[cube]
fn largest_of_row(
    bests: &mut SharedMemory<f32>,
    seconds: &mut SharedMemory<f32>,
    indices: &mut SharedMemory<u32>,
    row: &Row,
    #[comptime] width: usize,
) {
    let unit = UNIT_POS as usize;
    #[unroll]
    for level in 0..comptime!(width.ilog2()) {
        let distance = comptime!(width >> (level + 1));
        if row.lane < distance {
            let other = unit + distance;
            let ahead = bests[other] > bests[unit]
                || (bests[other] == bests[unit] && indices[other] < indices[unit]);
            if ahead {
                seconds[unit] = max(bests[unit], seconds[other]);
                bests[unit] = bests[other];
                indices[unit] = indices[other];
            } else {
                seconds[unit] = max(seconds[unit], bests[other]);
            }
        }
        sync_cube();
    }
}

/// Shares and coefficients of a row against one competitor.
#[cube]
fn contrast_row(
    scores: &mut Tensor<f32>,
    shares: &mut Array<f32>,
    row: &Row,
    own: usize,
    rival: usize,
    #[comptime] width: usize,
) {
    let mut k = row.lane;
    while k < row.clusters {
        let mut share = 0.0f32;
        let mut coefficient = 0.0f32;
        if own != rival {
            if k == rival {
                share = 1.0f32;
                coefficient = 1.0f32;
            } else if k == own {
                coefficient = -1.0f32;
            }
        }
        shares[row.shares + k] = share;
        scores[row.scores + k * scores.stride(1)] = coefficient;
        k += width;
    }
}

/// Shares and coefficients of a row against all competitors. Sums go through
/// shared memory.
#[cube]
fn pool_row(
    scores: &mut Tensor<f32>,
    shares: &mut Array<f32>,
    bias: &Array<f32>,
    sums: &mut SharedMemory<f32>,
    weighted_sums: &mut SharedMemory<f32>,
    row: &Row,
    own: &OwnCluster,
    beta: f32,
    #[comptime] width: usize,
    #[comptime] soft: bool,
) {
    let unit = UNIT_POS as usize;
    let leader = unit - row.lane;
    let mut sum = 0.0f32;
    let mut weighted = 0.0f32;
    let mut k = row.lane;
    while k < row.clusters {
        if k != own.index {
            let h = own.score - score_of(scores, bias, row, k);
            let weight = weight_of(h, own.logit, beta, soft);
            sum += weight;
            weighted += weight * quotient_of(h, own.logit);
        }
        k += width;
    }
    sums[unit] = sum;
    weighted_sums[unit] = weighted;
    sync_cube();
    sums_of_row(sums, weighted_sums, row, width);
    let total = sums[leader];
    let against = weighted_sums[leader] / total;

    let mut k = row.lane;
    while k < row.clusters {
        let mut share = 0.0f32;
        let mut coefficient = -against;
        if k != own.index {
            let h = own.score - score_of(scores, bias, row, k);
            share = weight_of(h, own.logit, beta, soft) / total;
            coefficient = share * quotient_of(h, own.logit);
        }
        shares[row.shares + k] = share;
        scores[row.scores + k * scores.stride(1)] = coefficient;
        k += width;
    }
}

/// Adds up the sums of all units of a row, at its first unit.
#[cube]
fn sums_of_row(
    sums: &mut SharedMemory<f32>,
    weighted_sums: &mut SharedMemory<f32>,
    row: &Row,
    #[comptime] width: usize,
) {
    let unit = UNIT_POS as usize;
    #[unroll]
    for level in 0..comptime!(width.ilog2()) {
        let distance = comptime!(width >> (level + 1));
        if row.lane < distance {
            sums[unit] += sums[unit + distance];
            weighted_sums[unit] += weighted_sums[unit + distance];
        }
        sync_cube();
    }
}

/// A competitor's share before it is divided by the sum of all.
#[cube]
fn weight_of(h: f32, logit: f32, beta: f32, #[comptime] soft: bool) -> f32 {
    let mut weight = select(h <= logit, 1.0f32, 0.0f32);
    if comptime!(soft) {
        weight = select(logit >= 0.0f32, f32::exp((logit - h) * beta), weight);
    }
    weight
}

/// f_c / h_ck: in (0, 1] inside the cluster, 0 on its boundary; 1 outside, where
/// only competitors with h_ck = f_c have a share.
#[cube]
fn quotient_of(h: f32, logit: f32) -> f32 {
    let mut quotient = 1.0f32;
    if logit >= 0.0f32 {
        quotient = 0.0f32;
        if h > 0.0f32 {
            quotient = logit / h;
        }
    }
    quotient
}
