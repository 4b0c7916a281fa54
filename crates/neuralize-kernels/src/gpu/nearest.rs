//! The nearest centroid of every row, and its lead.

use burn::tensor::DType;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::bridge::{self, UNITS};

/// A workgroup is a square of SIDE × SIDE units.
const SIDE: usize = 16;
/// Every unit has two vectors of 4 rows, 128 rows in a workgroup.
const ROW_VECTOR: usize = 4;
const ROW_VECTORS: usize = 2;
const ROWS_PER_UNIT: usize = ROW_VECTORS * ROW_VECTOR;
const ROWS: usize = SIDE * ROWS_PER_UNIT;
/// Stride of features in a staged tile of x, in vectors: one more than needed, so
/// that the units that store a row hit different banks.
const X_PITCH: usize = SIDE * ROW_VECTORS + 1;

/// Labels and margins by a tiled product whose scores stay in registers.
///
/// A workgroup takes 128 rows past all clusters, up to 128 of them at a time:
/// slices of both factors are staged in shared memory, every unit multiplies
/// its 8 rows with up to 8 clusters and keeps the largest score, its index and
/// the second largest of each row. At the end the 16 units that share a row
/// compare theirs. The tiles hold vectors, because shared memory is what limits
/// such a product.
///
/// Global memory: `4 N D ⌈K / 128⌉ + 4 D K ⌈N / 128⌉` bytes read (the second
/// term mostly from the cache) and `8 N` written; the N K scores are never
/// stored. Shared memory: at most 15.3 KiB.
///
/// # Shapes
///
/// - x: `[N, D]` in any layout, center: `[1, D]`, weight: `[D, K]`, bias: `[K]`
/// - output: labels `[N]` in I32, margins `[N]`
pub(super) fn launch<R: CubeRuntime>(
    x: CubeTensor<R>,
    center: CubeTensor<R>,
    weight: CubeTensor<R>,
    bias: CubeTensor<R>,
) -> (CubeTensor<R>, CubeTensor<R>) {
    let rows = x.meta.shape()[0];
    let clusters = weight.meta.shape()[1];
    let strides = x.meta.strides();
    let by_feature = strides[0] < strides[1];
    // Few clusters need few columns; many leave less room for the depth.
    let column_vector = clusters.div_ceil(SIDE).next_power_of_two().min(4);
    let (column_vectors, depth) = if clusters > 4 * SIDE { (2, 8) } else { (1, 16) };

    let labels = bridge::empty_like(&x, [rows], DType::I32);
    let margin = bridge::empty_like(&x, [rows], DType::F32);
    let client = x.client.clone();
    nearest_kernel::launch::<R>(
        &client,
        bridge::groups(rows.div_ceil(ROWS)),
        bridge::units(),
        column_vector,
        x.into_tensor_arg(),
        into_contiguous(center).into_array_arg(),
        into_contiguous(weight).into_tensor_arg(),
        into_contiguous(bias).into_array_arg(),
        labels.clone().into_array_arg(),
        margin.clone().into_array_arg(),
        column_vectors,
        depth,
        by_feature,
    );
    (labels, margin)
}

#[cube(launch)]
fn nearest_kernel<C: Size>(
    x: &Tensor<f32>,
    center: &Array<f32>,
    weight: &Tensor<f32>,
    bias: &Array<f32>,
    labels: &mut Array<i32>,
    margin: &mut Array<f32>,
    #[comptime] column_vectors: usize,
    #[comptime] depth: usize,
    #[comptime] by_feature: bool,
) {
    let column_vector = C::value();
    let across = UNIT_POS as usize % SIDE;
    let features = x.shape(1);
    let clusters = weight.shape(1);
    let first_row = CUBE_POS * ROWS;

    let mut x_tile = SharedMemory::<Vector<f32, Const<4>>>::new(comptime!(depth * X_PITCH));
    let mut weight_tile =
        SharedMemory::<Vector<f32, C>>::new(comptime!(depth * SIDE * column_vectors));
    let mut product = Array::<Vector<f32, C>>::new(comptime!(ROWS_PER_UNIT * column_vectors));
    let mut best = Array::<f32>::new(ROWS_PER_UNIT);
    let mut second = Array::<f32>::new(ROWS_PER_UNIT);
    let mut label = Array::<u32>::new(ROWS_PER_UNIT);
    #[unroll]
    for i in 0..ROWS_PER_UNIT {
        best[i] = f32::MIN;
        second[i] = f32::MIN;
        label[i] = (across * column_vector) as u32;
    }

    let mut first_cluster = 0usize;
    while first_cluster < clusters {
        #[unroll]
        for e in 0..comptime!(ROWS_PER_UNIT * column_vectors) {
            product[e] = Vector::new(0.0f32);
        }
        let mut first_feature = 0usize;
        while first_feature < features {
            stage_rows(&mut x_tile, x, center, first_row, first_feature, depth, by_feature);
            stage_weights(
                &mut weight_tile,
                weight,
                first_feature,
                first_cluster,
                column_vectors,
                depth,
            );
            sync_cube();
            add_products(&mut product, &x_tile, &weight_tile, column_vectors, depth);
            sync_cube();
            first_feature += depth;
        }
        keep_largest(
            &mut best,
            &mut second,
            &mut label,
            &product,
            bias,
            first_cluster,
            clusters,
            column_vectors,
        );
        first_cluster += comptime!(SIDE * column_vectors) * column_vector;
    }
    compare_units(labels, margin, &best, &second, &label, first_row, x.shape(0), clusters);
}

/// Stages a slice of the workgroup's rows around the centre, `[depth, 128]`, with
/// zeros beyond the last row and feature.
#[cube]
fn stage_rows(
    tile: &mut SharedMemory<Vector<f32, Const<4>>>,
    x: &Tensor<f32>,
    center: &Array<f32>,
    first_row: usize,
    first_feature: usize,
    #[comptime] depth: usize,
    #[comptime] by_feature: bool,
) {
    let down_vectors = comptime!(SIDE * ROW_VECTORS);
    let rows = x.shape(0);
    let features = x.shape(1);
    #[unroll]
    for i in 0..comptime!(SIDE * ROW_VECTORS * depth / UNITS) {
        let place = UNIT_POS as usize + i * UNITS;
        // Neighbouring units read neighbouring memory.
        let mut r = place / depth;
        let mut d = place % depth;
        if comptime!(by_feature) {
            r = place % down_vectors;
            d = place / down_vectors;
        }
        let feature = first_feature + d;
        let mut values = Vector::<f32, Const<4>>::new(0.0f32);
        #[unroll]
        for v in 0..ROW_VECTOR {
            let row = first_row + r * ROW_VECTOR + v;
            if row < rows && feature < features {
                values[v] = x[row * x.stride(0) + feature * x.stride(1)] - center[feature];
            }
        }
        tile[d * X_PITCH + r] = values;
    }
}

/// Stages a slice of the weight, `[depth, clusters at a time]`, with zeros beyond
/// the last feature and cluster.
#[cube]
fn stage_weights<C: Size>(
    tile: &mut SharedMemory<Vector<f32, C>>,
    weight: &Tensor<f32>,
    first_feature: usize,
    first_cluster: usize,
    #[comptime] column_vectors: usize,
    #[comptime] depth: usize,
) {
    let column_vector = C::value();
    let across_vectors = comptime!(SIDE * column_vectors);
    let features = weight.shape(0);
    let clusters = weight.shape(1);
    #[unroll]
    for i in 0..comptime!(SIDE * column_vectors * depth / UNITS) {
        let place = UNIT_POS as usize + i * UNITS;
        let feature = first_feature + place / across_vectors;
        let cluster = first_cluster + place % across_vectors * column_vector;
        let mut values = Vector::<f32, C>::new(0.0f32);
        #[unroll]
        for v in 0..column_vector {
            if feature < features && cluster + v < clusters {
                values[v] = weight[feature * clusters + cluster + v];
            }
        }
        tile[place] = values;
    }
}

/// Adds the products of the staged slices for this unit's rows and clusters.
#[cube]
fn add_products<C: Size>(
    product: &mut Array<Vector<f32, C>>,
    x_tile: &SharedMemory<Vector<f32, Const<4>>>,
    weight_tile: &SharedMemory<Vector<f32, C>>,
    #[comptime] column_vectors: usize,
    #[comptime] depth: usize,
) {
    let across_vectors = comptime!(SIDE * column_vectors);
    let unit = UNIT_POS as usize;
    let (down, across) = (unit / SIDE, unit % SIDE);
    for d in 0..depth {
        #[unroll]
        for g in 0..ROW_VECTORS {
            let values = x_tile[d * X_PITCH + down + g * SIDE];
            #[unroll]
            for j in 0..column_vectors {
                let weights = weight_tile[d * across_vectors + across + j * SIDE];
                #[unroll]
                for v in 0..ROW_VECTOR {
                    product[(g * ROW_VECTOR + v) * column_vectors + j] +=
                        Vector::new(values[v]) * weights;
                }
            }
        }
    }
}

/// Compares the scores of this unit's rows and clusters with the largest so far.
#[cube]
fn keep_largest<C: Size>(
    best: &mut Array<f32>,
    second: &mut Array<f32>,
    label: &mut Array<u32>,
    product: &Array<Vector<f32, C>>,
    bias: &Array<f32>,
    first_cluster: usize,
    clusters: usize,
    #[comptime] column_vectors: usize,
) {
    let column_vector = C::value();
    let across = UNIT_POS as usize % SIDE;
    #[unroll]
    for j in 0..column_vectors {
        #[unroll]
        for v in 0..column_vector {
            let cluster = first_cluster + (across + j * SIDE) * column_vector + v;
            if cluster < clusters {
                let b = bias[cluster];
                #[unroll]
                for i in 0..ROWS_PER_UNIT {
                    let scores = product[i * column_vectors + j];
                    let score = scores[v] + b;
                    // Clusters come in ascending order: of equal ones the first stays.
                    if score > best[i] {
                        second[i] = best[i];
                        best[i] = score;
                        label[i] = cluster as u32;
                    } else if score > second[i] {
                        second[i] = score;
                    }
                }
            }
        }
    }
}

/// Labels and margins from the largest scores of the 16 units that share a row.
#[cube]
fn compare_units(
    labels: &mut Array<i32>,
    margin: &mut Array<f32>,
    best: &Array<f32>,
    second: &Array<f32>,
    label: &Array<u32>,
    first_row: usize,
    rows: usize,
    clusters: usize,
) {
    let unit = UNIT_POS as usize;
    let (down, across) = (unit / SIDE, unit % SIDE);
    let mut bests = SharedMemory::<f32>::new(UNITS);
    let mut seconds = SharedMemory::<f32>::new(UNITS);
    let mut owners = SharedMemory::<u32>::new(UNITS);
    #[unroll]
    for i in 0..ROWS_PER_UNIT {
        bests[unit] = best[i];
        seconds[unit] = second[i];
        owners[unit] = label[i];
        sync_cube();
        let row = first_row
            + (down + comptime!(i / ROW_VECTOR * SIDE)) * ROW_VECTOR
            + comptime!(i % ROW_VECTOR);
        if across == 0 && row < rows {
            let mut first = bests[unit];
            let mut next = seconds[unit];
            let mut owner = owners[unit];
            for other in 1..SIDE {
                let score = bests[unit + other];
                let index = owners[unit + other];
                if score > first || (score == first && index < owner) {
                    next = max(first, seconds[unit + other]);
                    first = score;
                    owner = index;
                } else {
                    next = max(next, score);
                }
            }
            labels[row] = owner as i32;
            margin[row] = select(clusters > 1, first - next, 0.0f32);
        }
        sync_cube();
    }
}
