//! Tests of baselines and measures, written once and run on every backend. They compare
//! with loops written from the definitions, with properties, or with reference values of
//! independent packages (`tests/reference/baselines/make.py`).

pub mod baselines;
pub mod deep;
pub mod figures;
pub mod measures;
pub mod shapley;
pub mod subjects;

/// Instantiates every test of baselines and measures for one backend and precision.
#[macro_export]
macro_rules! evaluate_on {
    ($name:ident, $backend:ty, $dtype:expr, $ready:expr) => {
        mod $name {
            use super::evaluate::*;
            use super::suite::*;
            use super::*;

            fn setup() -> Setup<$backend> {
                Setup::new($dtype)
            }

            $crate::suite_on!(@tests $ready;
                deep::a_deep_network_is_its_model,
                deep::slopes_through_an_encoder,
                deep::an_encoder_that_does_nothing,
                subjects::slopes_are_central_differences,
                baselines::gradients,
                baselines::integrated_gradients,
                baselines::occlusion,
                baselines::smoothgrad_of_two_clusters,
                baselines::smoothgrad_of_three_clusters,
                baselines::noise_is_shared_and_seeded,
                baselines::surrogate_of_a_linear_function,
                baselines::tree_of_planted_clusters,
                baselines::tree_of_a_grid,
                baselines::tree_of_wine,
                baselines::neon_is_the_networks_pass,
                baselines::gradient_from_the_boundary,
                baselines::boundary_of_a_kernel,
                baselines::distances_to_the_own_centroid,
                baselines::random_relevances,
                baselines::baselines_at_the_edges,
                baselines::baselines_that_are_refused,
                shapley::exact_values_are_those_of_shap,
                shapley::a_pair_is_that_of_shap,
                shapley::a_pair_in_three_ways,
                shapley::exact_values_are_means_over_orders,
                shapley::sampled_values_are_near,
                shapley::two_clusters_are_additive,
                shapley::edges_of_shapley_values,
                shapley::blocks_of_rows_make_no_difference,
                subjects::slopes_of_every_kind,
                subjects::slopes_of_formulas,
                subjects::moved_data_and_moved_clusterers,
                subjects::shuffled_columns_hold_the_same_values,
                subjects::pinned_questions_stay,
                subjects::contrasts_and_no_rows,
                subjects::backgrounds_are_counted_by_loops,
                subjects::samples_are_members_of_the_competitor,
                measures::curves_of_another_program,
                measures::agreement_of_another_program,
                measures::the_best_order_gains_most,
                measures::samples_are_the_same_for_all,
                measures::conservation_tells,
                measures::continuity_tells,
                measures::infidelity_tells,
                measures::invariance_tells,
                measures::randomisation_tells,
                measures::agreement_tells,
                measures::measures_at_the_edges,
                measures::evaluations,
            );
        }
    };
}
