use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::bridge::{self, UNITS};
use crate::kernel::Question;

/// Where the answers of all rows are collected.
pub(super) struct Answers<R: CubeRuntime> {
    /// `[N]`
    pub(super) logit: CubeTensor<R>,
    /// `[N]` in I32
    pub(super) cluster: CubeTensor<R>,
    /// `[N, K]`
    pub(super) shares: CubeTensor<R>,
}

/// From products `x·w_k` of a block of rows, which begins at row `first`, to the
/// coefficients `a` of the midpoint rule, in place; logit, cluster and shares of
/// these rows are filled in.
///
/// The rule is that of [`MinPool`](crate::network::MinPool): min-take-most, with
/// the hard minimum outside of the cluster and for an infinite β. A group of
/// units has a row; maxima and sums are taken through shared memory.
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
    answers: &Answers<R>,
    first: usize,
    question: Question,
) {
    let [rows, clusters] = [products.meta.shape()[0], products.meta.shape()[1]];
    // About four clusters a unit.
    let width = clusters.div_ceil(4).next_power_of_two().min(UNITS);
    let Question { cluster, versus, beta } = question;
    let soft = beta <= f64::from(f32::MAX);
    min_take_most_kernel::launch::<R>(
        &products.client,
        bridge::groups(rows.div_ceil(UNITS / width)),
        bridge::units(),
        products.clone().into_tensor_arg(),
        into_contiguous(bias.clone()).into_array_arg(),
        answers.logit.clone().into_array_arg(),
        answers.cluster.clone().into_array_arg(),
        answers.shares.clone().into_array_arg(),
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
fn min_take_most_kernel(
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
    let row = CUBE_POS * comptime!(UNITS / width) + unit / width;
    let in_block = row < scores.shape(0);
    // Units without a row have no clusters either, and only keep in step.
    let clusters = select(in_block, scores.shape(1), 0usize);
    let start = row * scores.stride(0);
    let step = scores.stride(1);

    // The largest score, its cluster, and the second largest. A given cluster
    // is left out, so that the largest is that of its best competitor.
    let mut best = f32::MIN.runtime();
    let mut second = f32::MIN.runtime();
    let mut index = lane as u32;
    let mut k = lane;
    while k < clusters {
        let score = scores[start + k * step] + bias[k];
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
    let mut bests = SharedMemory::<f32>::new(UNITS);
    let mut seconds = SharedMemory::<f32>::new(UNITS);
    let mut indices = SharedMemory::<u32>::new(UNITS);
    bests[unit] = best;
    seconds[unit] = second;
    indices[unit] = index;
    sync_cube();
    #[unroll]
    for level in 0..comptime!(width.ilog2()) {
        let distance = comptime!(width >> (level + 1));
        if lane < distance {
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

    let mut own = cluster as usize;
    let mut competitor = bests[leader];
    if comptime!(assigned) {
        own = indices[leader] as usize;
        competitor = seconds[leader];
    }
    let rival = versus as usize;
    let own_score = scores[start + own * step] + bias[own];
    if comptime!(contrast) {
        competitor = scores[start + rival * step] + bias[rival];
    }
    let logit = own_score - competitor;
    // All that others still read has been read.
    sync_cube();

    if lane == 0 && in_block {
        logits[first as usize + row] = logit;
        explained[first as usize + row] = own as i32;
    }
    let out = (first as usize + row) * scores.shape(1);

    if comptime!(contrast) {
        let mut k = lane;
        while k < clusters {
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
            shares[out + k] = share;
            scores[start + k * step] = coefficient;
            k += width;
        }
    } else {
        let mut sum = 0.0f32;
        let mut weighted = 0.0f32;
        let mut k = lane;
        while k < clusters {
            if k != own {
                let h = own_score - (scores[start + k * step] + bias[k]);
                let weight = weight_of(h, logit, beta, soft);
                sum += weight;
                weighted += weight * quotient_of(h, logit);
            }
            k += width;
        }
        bests[unit] = sum;
        seconds[unit] = weighted;
        sync_cube();
        #[unroll]
        for level in 0..comptime!(width.ilog2()) {
            let distance = comptime!(width >> (level + 1));
            if lane < distance {
                bests[unit] += bests[unit + distance];
                seconds[unit] += seconds[unit + distance];
            }
            sync_cube();
        }
        let total = bests[leader];
        let against = seconds[leader] / total;

        let mut k = lane;
        while k < clusters {
            let mut share = 0.0f32;
            let mut coefficient = -against;
            if k != own {
                let h = own_score - (scores[start + k * step] + bias[k]);
                share = weight_of(h, logit, beta, soft) / total;
                coefficient = share * quotient_of(h, logit);
            }
            shares[out + k] = share;
            scores[start + k * step] = coefficient;
            k += width;
        }
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

/// f_c / h_ck: in (0, 1] inside the cluster, 0 on its boundary. Outside, all of
/// f_c goes to a competitor whose h it is.
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
