//! What must hold, written once and run on every backend.
//!
//! Every check compares with something independent of the library: loops
//! written from the definitions ([`naive`]), properties, or reference figures.

pub mod cases;
pub mod edges;
pub mod gradients;
#[allow(dead_code, reason = "these are for backends in host memory")]
pub mod kernels;
pub mod kmeans;
pub mod naive;
pub mod neon;
pub mod network;
pub mod parts;
pub mod records;
pub mod tables;
pub mod training;
pub mod wine;

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor, TensorData};
use neuralize::cluster::KMeans;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A backend to test, in one precision.
pub struct Setup<B: Backend> {
    pub device: B::Device,
    pub dtype: DType,
    /// Relative tolerance against the naive loops: 2e-5 in f32, 1e-11 in f64.
    pub tolerance: f64,
}

impl<B: Backend> Setup<B> {
    pub fn new(dtype: DType) -> Self {
        crate::settle_precision();
        let tolerance = if dtype == DType::F64 { 1e-11 } else { 2e-5 };
        Self { device: B::Device::default(), dtype, tolerance }
    }

    pub fn tensor(&self, table: &Rows) -> Tensor<B, 2> {
        let (n, d) = (table.len(), table.first().map_or(1, Vec::len));
        let data = TensorData::new(table.concat(), [n, d]).convert_dtype(self.dtype);
        Tensor::from_data(data, (&self.device, self.dtype))
    }

    pub fn column(&self, values: &[f64]) -> Tensor<B, 1> {
        let data = TensorData::new(values.to_vec(), [values.len()]).convert_dtype(self.dtype);
        Tensor::from_data(data, (&self.device, self.dtype))
    }

    /// The table as this precision holds it, so that the naive loops see the
    /// same numbers.
    pub fn rounded(&self, table: &Rows) -> Rows {
        let round = |value: &f64| match self.dtype {
            DType::F64 => *value,
            _ => f64::from(*value as f32),
        };
        table.iter().map(|row| row.iter().map(round).collect()).collect()
    }

    pub fn kmeans(&self, centroids: &Rows) -> KMeans<B> {
        KMeans::from_centroids(self.tensor(centroids)).expect("valid centroids")
    }
}

pub type Rows = Vec<Vec<f64>>;

pub fn rows<B: Backend>(tensor: Tensor<B, 2>) -> Rows {
    let [_, d] = tensor.dims();
    values(tensor).chunks(d).map(<[f64]>::to_vec).collect()
}

pub fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

pub fn indices<B: Backend>(tensor: Tensor<B, 1, Int>) -> Vec<usize> {
    tensor.into_data().iter::<i64>().map(|i| i as usize).collect()
}

/// Normal numbers around `mean`, from a seed.
pub fn random_rows(n: usize, d: usize, mean: f64, seed: u64) -> Rows {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = move || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let mut normal = move || {
        let (a, b) = (1.0 - uniform(), uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    };
    (0..n).map(|_| (0..d).map(|_| mean + normal()).collect()).collect()
}

/// The largest number; NaN if any is.
pub fn largest(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(0.0, |a, b| if a.is_nan() || a >= b { a } else { b })
}

/// Fails unless every row of `found` is within `tolerance · Σ|expected|` of its twin.
pub fn assert_rows_close(found: &Rows, expected: &Rows, tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: number of rows");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let size: f64 = expected.iter().map(|value| value.abs()).sum();
        for (j, (a, b)) in found.iter().zip(expected).enumerate() {
            assert!(
                (a - b).abs() <= tolerance * size.max(1e-300),
                "{what}: row {i}, column {j}: {a} against {b} (Σ|.| = {size})"
            );
        }
    }
}

/// Fails unless `|found − expected| ≤ tolerance`, element by element.
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what}: element {i}: {a} against {b}");
    }
}

/// Instantiates every test of the suite for one backend and precision; the
/// gradients by themselves, since they put an autodiff backend around it.
#[macro_export]
macro_rules! suite_on {
    ($name:ident, $backend:ty, $dtype:expr, $ready:expr) => {
        mod $name {
            use super::*;
            use super::suite::*;

            type B = $backend;

            fn setup() -> Setup<B> {
                Setup::new($dtype)
            }

            $crate::suite_on!(@tests $ready;
                network::forward_is_the_margin_for_every_cluster,
                network::dense_form_has_the_same_outputs,
                network::linear_layer_holds_the_centroids,
                network::probabilities,
                neon::equals_the_definition,
                neon::roots_of_kmeans,
                neon::conserves,
                neon::small_and_large_beta,
                neon::two_clusters_do_not_depend_on_beta,
                neon::shifts_change_nothing,
                neon::permutations,
                neon::scaling_with_heuristic_beta,
                neon::continuous_where_the_competitor_changes,
                neon::blocks_make_no_difference,
                neon::shares,
                neon::summaries,
                neon::far_from_the_origin,
                neon::one_far_cluster,
                wine::relevances,
                wine::nine_points,
                wine::default_fit,
                kmeans::predict_transform_score,
                kmeans::fit_is_a_fixed_point,
                kmeans::fit_from_given_centroids,
                kmeans::result_belongs_to_the_best_restart,
                kmeans::weights_count_rows,
                kmeans::empty_clusters_are_relocated,
                kmeans::same_seed_same_result,
                kmeans::greedy_seeding_beats_random_rows,
                kmeans::heuristic_beta,
                kmeans::scalers,
                parts::parts_are_the_whole,
                parts::parts_beyond_the_sample,
                parts::bad_parts,
                parts::weighted_parts_are_the_whole,
                parts::an_observer_ends_a_fit,
                parts::rows_without_weight_do_not_count,
                parts::mini_batches,
                parts::bad_batches,
                parts::scalers_of_parts,
                parts::initial_centroids_decide,
                records::recorders,
                records::what_half_precision_loses,
                records::too_large_for_f32,
                records::records_loaded_by_burn_are_checked,
                records::stores,
                records::networks_and_scalers,
                records::explanations_survive_to_the_last_bit,
                records::model_folder,
                records::damaged_files,
                cases::cases_hold_what_was_explained,
                cases::scaling_and_back,
                cases::a_tally_of_parts,
                cases::a_tally_of_many,
                cases::planes,
                tables::mixed_tables_are_explained_by_definition,
                tables::scales_by_definition,
                tables::columns_are_what_they_seem,
                edges::one_cluster,
                edges::duplicate_centroids,
                edges::point_on_a_boundary,
                edges::point_on_a_centroid,
                edges::huge_beta,
                edges::constant_features,
                edges::no_rows_one_row_one_feature,
                edges::not_finite_or_too_large,
                edges::wrong_shapes_and_names,
                edges::too_few_points,
                edges::sums_that_overflow,
                edges::bad_settings,
            );
        }
    };
    (@gradients $name:ident, $backend:ty, $dtype:expr, $ready:expr) => {
        mod $name {
            use super::suite::*;
            use super::*;

            fn setup() -> Setup<$backend> {
                Setup::new($dtype)
            }

            $crate::suite_on!(@tests $ready;
                gradients::neon_is_the_gradient_from_the_boundary,
                gradients::gradient_is_the_slope,
                gradients::gradient_times_input_is_not_neon,
                gradients::the_network_is_unchanged,
                gradients::a_fit_is_not_differentiated,
                training::gradients_are_differences,
                training::gradients_of_other_networks,
                training::a_trained_clusterer_is_exact,
                training::what_is_trained,
                training::losses_by_hand,
            );
        }
    };
    (@kernels $name:ident, $backend:ty, $dtype:expr, $ready:expr) => {
        mod $name {
            use super::suite::*;
            use super::*;

            fn setup() -> Setup<$backend> {
                Setup::new($dtype)
            }

            $crate::suite_on!(@tests $ready;
                kernels::odd_sizes,
                kernels::one_lloyd_step,
                kernels::a_transposed_view,
                #[ignore = "long: --include-ignored runs it"]
                kernels::threads_make_no_difference,
                #[ignore = "long: --include-ignored runs it"]
                kernels::seeds_from_a_sample_find_planted_clouds,
                kernels::rare_rows_get_clusters,
                kernels::rows_without_weight_are_no_seeds,
                kernels::rows_beyond_single_precision,
            );
        }
    };
    (@tests $ready:expr; $($(#[$attribute:meta])* $module:ident :: $test:ident),+ $(,)?) => {
        $(
            #[test]
            $(#[$attribute])*
            fn $test() {
                if $ready {
                    $module::$test(&setup());
                }
            }
        )+
    };
}
