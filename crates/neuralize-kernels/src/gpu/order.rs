//! Rows listed cluster by cluster, by a counting sort without atomic operations.

use burn::tensor::DType;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::bridge::{self, UNITS};

/// Minimum rows of a chunk and maximum number of chunks; a unit has one chunk.
const CHUNK_ROWS: usize = 64;
const MAX_CHUNKS: usize = 4096;
/// Maximum number of counters, 16 MiB.
const MAX_COUNTERS: usize = 1 << 22;

/// Rows listed cluster by cluster.
pub(super) struct Order<R: CubeRuntime> {
    /// The rows of cluster 0 in ascending order, then those of cluster 1, …, `[N]`.
    pub(super) rows: CubeTensor<R>,
    /// Where a cluster's rows start, and N at the end, `[K + 1]`.
    pub(super) starts: CubeTensor<R>,
}

/// A stable counting sort. Every unit counts the labels of its own chunk of
/// rows in its own counters, the counters become positions by prefix sums, and
/// every unit places its rows: units share no memory, so no operation is atomic.
///
/// Global memory for G ≤ 4096 chunks, G K ≤ 2²² (or one chunk): labels twice,
/// starts and row numbers, `16 N` bytes; counters, `16 N` by the rows and
/// another `12 G K`.
///
/// # Shapes
///
/// - labels: `[N]` in I32, all below `clusters`
pub(super) fn by_label<R: CubeRuntime>(labels: &CubeTensor<R>, clusters: usize) -> Order<R> {
    let rows = labels.meta.shape()[0];
    let chunks = (rows / CHUNK_ROWS).min(MAX_CHUNKS).min(MAX_COUNTERS / clusters).max(1);
    let chunk = rows.div_ceil(chunks);
    let chunks = rows.div_ceil(chunk);

    let client = labels.client.clone();
    let counts = bridge::empty_like(labels, [clusters, chunks], DType::U32);
    let starts = bridge::empty_like(labels, [clusters + 1], DType::U32);
    let order = bridge::empty_like(labels, [rows], DType::U32);
    count_kernel::launch::<R>(
        &client,
        bridge::groups_of_units(chunks),
        bridge::units(),
        labels.clone().into_array_arg(),
        counts.clone().into_tensor_arg(),
        chunk as u32,
    );
    prefix_kernel::launch::<R>(
        &client,
        bridge::groups(clusters),
        bridge::units(),
        counts.clone().into_tensor_arg(),
        starts.clone().into_array_arg(),
    );
    starts_kernel::launch::<R>(
        &client,
        bridge::groups(1),
        bridge::units(),
        starts.clone().into_array_arg(),
    );
    place_kernel::launch::<R>(
        &client,
        bridge::groups_of_units(chunks),
        bridge::units(),
        labels.clone().into_array_arg(),
        counts.into_tensor_arg(),
        starts.clone().into_array_arg(),
        order.clone().into_array_arg(),
        chunk as u32,
    );
    Order { rows: order, starts }
}

/// How often every label occurs in every chunk, `[K, G]`.
#[cube(launch)]
fn count_kernel(labels: &Array<i32>, counts: &mut Tensor<u32>, chunk: u32) {
    let chunks = counts.shape(1);
    let own = ABSOLUTE_POS;
    if own < chunks {
        for cluster in 0..counts.shape(0) {
            counts[cluster * chunks + own] = 0;
        }
        let first = own * chunk as usize;
        for row in first..min(first + chunk as usize, labels.len()) {
            let cluster = labels[row] as usize;
            counts[cluster * chunks + own] += 1;
        }
    }
}

/// Turns counts of a cluster into the number of its rows in earlier chunks; a
/// workgroup has one cluster. Sums go to `totals`.
#[cube(launch)]
fn prefix_kernel(counts: &mut Tensor<u32>, totals: &mut Array<u32>) {
    let cluster = CUBE_POS;
    let chunks = counts.shape(1);
    // Workgroups beyond the last cluster, if the launch is folded, add up nothing.
    let length = select(cluster < counts.shape(0), chunks, 0usize);
    let mut sums = SharedMemory::<u32>::new(UNITS);
    let mut before = 0u32;
    let mut first = 0usize;
    while first < length {
        let place = first + UNIT_POS as usize;
        let mut count = 0u32;
        if place < length {
            count = counts[cluster * chunks + place];
        }
        let sum = inclusive_sum(&mut sums, count);
        if place < length {
            counts[cluster * chunks + place] = before + sum - count;
        }
        before += sums[UNITS - 1];
        sync_cube();
        first += UNITS;
    }
    if UNIT_POS == 0 && cluster < counts.shape(0) {
        totals[cluster] = before;
    }
}

/// Turns totals of the clusters into starts, in one workgroup.
#[cube(launch)]
fn starts_kernel(starts: &mut Array<u32>) {
    let clusters = starts.len() - 1;
    let mut sums = SharedMemory::<u32>::new(UNITS);
    let mut before = 0u32;
    let mut first = 0usize;
    while first < clusters {
        let place = first + UNIT_POS as usize;
        let mut count = 0u32;
        if place < clusters {
            count = starts[place];
        }
        let sum = inclusive_sum(&mut sums, count);
        if place < clusters {
            starts[place] = before + sum - count;
        }
        before += sums[UNITS - 1];
        sync_cube();
        first += UNITS;
    }
    if UNIT_POS == 0 {
        starts[clusters] = before;
    }
}

/// The sum of the values of this unit and those before it; also in shared memory.
#[cube]
fn inclusive_sum(sums: &mut SharedMemory<u32>, value: u32) -> u32 {
    let unit = UNIT_POS as usize;
    sums[unit] = value;
    sync_cube();
    #[unroll]
    for level in 0..comptime!(UNITS.ilog2()) {
        let distance = comptime!(1usize << level);
        let mut earlier = 0u32;
        if unit >= distance {
            earlier = sums[unit - distance];
        }
        sync_cube();
        sums[unit] += earlier;
        sync_cube();
    }
    sums[unit]
}

/// Puts row numbers in their places, and advances a counter with every row.
#[cube(launch)]
fn place_kernel(
    labels: &Array<i32>,
    counts: &mut Tensor<u32>,
    starts: &Array<u32>,
    order: &mut Array<u32>,
    chunk: u32,
) {
    let chunks = counts.shape(1);
    let own = ABSOLUTE_POS;
    if own < chunks {
        let first = own * chunk as usize;
        for row in first..min(first + chunk as usize, labels.len()) {
            let cluster = labels[row] as usize;
            let earlier = counts[cluster * chunks + own];
            let place = starts[cluster] + earlier;
            order[place as usize] = row as u32;
            counts[cluster * chunks + own] = earlier + 1;
        }
    }
}
