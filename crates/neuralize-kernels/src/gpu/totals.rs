//! Weighted sums of the rows of every cluster.

use burn::tensor::DType;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::bridge;
use super::order::Order;

/// Minimum rows of a segment and maximum number of segments.
const SEGMENT_ROWS: usize = 32;
const MAX_SEGMENTS: usize = 4096;
/// Maximum elements of all partial sums, 64 MiB.
const MAX_PARTIALS: usize = 1 << 24;

/// Weighted sums of the rows of every cluster, and sums of their weights.
///
/// The rows, listed by cluster, are cut into segments of equal length whatever
/// the clusters' sizes. A unit adds up one feature of one segment and stores a
/// partial sum whenever the cluster changes; then a unit per cluster and feature
/// adds up the partial sums in order. Along the list, the segment s and the cluster
/// k of a row never decrease, so s + k is a unique index of a pair's partial sum.
///
/// Global memory for S ≤ 4096 segments: `4 N D + 12 N` bytes read (the second
/// term again for every 256 features), `8 (S + K) (D + 1)` for the partial sums at
/// most, and `4 K (D + 1)` written.
///
/// # Shapes
///
/// - x: `[N, D]`, center, subtracted from it: `[1, D]`, weights: `[N]`, labels: `[N]`
/// - output: `[K, D]` and `[K]`
pub(super) fn launch<R: CubeRuntime>(
    x: CubeTensor<R>,
    center: CubeTensor<R>,
    weights: CubeTensor<R>,
    labels: &CubeTensor<R>,
    order: Order<R>,
    clusters: usize,
) -> (CubeTensor<R>, CubeTensor<R>) {
    let [rows, features] = [x.meta.shape()[0], x.meta.shape()[1]];
    // The last column is the weight.
    let columns = features + 1;
    let max_segments = (MAX_PARTIALS / columns).clamp(1, MAX_SEGMENTS);
    let segment = rows.div_ceil(max_segments).max(SEGMENT_ROWS);
    let segments = rows.div_ceil(segment);

    let client = x.client.clone();
    let partials = bridge::empty_like(&x, [segments + clusters, columns], DType::F32);
    let sums = bridge::empty_like(&x, [clusters, features], DType::F32);
    let totals = bridge::empty_like(&x, [clusters], DType::F32);
    segment_kernel::launch::<R>(
        &client,
        bridge::groups_of_units(segments * columns),
        bridge::units(),
        x.into_tensor_arg(),
        into_contiguous(center).into_array_arg(),
        weights.into_tensor_arg(),
        labels.clone().into_array_arg(),
        order.rows.into_array_arg(),
        partials.clone().into_tensor_arg(),
        segment as u32,
    );
    cluster_kernel::launch::<R>(
        &client,
        bridge::groups_of_units(clusters * columns),
        bridge::units(),
        partials.into_tensor_arg(),
        order.starts.into_array_arg(),
        sums.clone().into_array_arg(),
        totals.clone().into_array_arg(),
        segment as u32,
    );
    (sums, totals)
}

#[cube(launch)]
fn segment_kernel(
    x: &Tensor<f32>,
    center: &Array<f32>,
    weights: &Tensor<f32>,
    labels: &Array<i32>,
    order: &Array<u32>,
    partials: &mut Tensor<f32>,
    segment: u32,
) {
    let columns = partials.shape(1);
    let own = ABSOLUTE_POS / columns;
    let column = ABSOLUTE_POS % columns;
    let first = own * segment as usize;
    if first < order.len() {
        let mut cluster = labels[order[first] as usize] as usize;
        let mut sum = 0.0f32;
        for place in first..min(first + segment as usize, order.len()) {
            let row = order[place] as usize;
            let next = labels[row] as usize;
            if next != cluster {
                partials[(own + cluster) * columns + column] = sum;
                cluster = next;
                sum = 0.0f32;
            }
            let mut value = weights[row * weights.stride(0)];
            if column + 1 < columns {
                value *= x[row * x.stride(0) + column * x.stride(1)] - center[column];
            }
            sum += value;
        }
        partials[(own + cluster) * columns + column] = sum;
    }
}

#[cube(launch)]
fn cluster_kernel(
    partials: &Tensor<f32>,
    starts: &Array<u32>,
    sums: &mut Array<f32>,
    totals: &mut Array<f32>,
    segment: u32,
) {
    let columns = partials.shape(1);
    let cluster = ABSOLUTE_POS / columns;
    let column = ABSOLUTE_POS % columns;
    if cluster < totals.len() {
        let start = starts[cluster];
        let end = starts[cluster + 1];
        let mut sum = 0.0f32;
        if start < end {
            let first = (start / segment) as usize;
            let last = ((end - 1) / segment) as usize;
            for own in first..last + 1 {
                sum += partials[(own + cluster) * columns + column];
            }
        }
        if column + 1 < columns {
            sums[cluster * (columns - 1) + column] = sum;
        } else {
            totals[cluster] = sum;
        }
    }
}
