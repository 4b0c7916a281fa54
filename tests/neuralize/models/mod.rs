//! What must hold of the models beyond k-means, written once and run on every
//! backend. Every check compares with loops written from the definitions, with
//! properties, or with reference figures.

pub mod deep;
pub mod folders;
pub mod kernel;
pub mod layers;
pub mod mixture;
pub mod modules;
pub mod outliers;
pub mod reference;
pub mod rooted;
pub mod secants;
pub mod separable;
#[cfg(feature = "pytorch")]
pub mod weights;

/// Instantiates every test of these models for one backend and precision.
#[macro_export]
macro_rules! models_on {
    ($name:ident, $backend:ty, $dtype:expr, $ready:expr) => {
        mod $name {
            use super::suite::*;
            use super::models::*;
            use super::*;

            fn setup() -> Setup<$backend> {
                Setup::new($dtype)
            }

            $crate::suite_on!(@tests $ready;
                deep::input_relevance_by_hand,
                deep::nothing_is_absorbed_without_biases,
                deep::deep_blocks_make_no_difference,
                deep::deep_edges,
                deep::deep_fits,
                deep::deep_records,
                deep::weights_from_elsewhere,
                deep::weights_of_normalisations,
                deep::joint_training,
                deep::images_as_input,
                deep::tokens_as_input,
                secants::secants_by_hand,
                secants::a_linear_encoder_gives_neon,
                secants::a_constant_in_the_code,
                secants::roots_of_the_caller,
                secants::secant_blocks,
                secants::roots_in_records,
                secants::roots_of_a_fit,
                secants::secants_of_images,
                secants::secants_of_tokens,
                secants::many_clusters,
                secants::batches_of_a_fit,
                secants::secants_near_a_boundary,
                secants::secants_beside_rules,
                modules::parts_of_a_module,
                modules::a_model_moves,
                modules::blank_modules,
                modules::quantised_modules,
                modules::a_beta_beyond_the_precision,
                modules::deep_twins,
                modules::mini_batches_resume_and_merge,
                modules::awaited_answers,
                modules::half_precision_is_refused,
                layers::neon_layer_by_layer,
                layers::min_pool_is_linear_in_relevance,
                layers::soft_pools_as_layers,
                folders::every_kind_of_model,
                reference::moons_by_hand,
                reference::wine_by_hand,
                reference::a_mixture_of_wines,
                reference::outlying_moons,
                kernel::scores_are_soft_distances,
                kernel::dense_layers,
                kernel::tensor_operations_give_the_same,
                kernel::nearest_neighbour_rule,
                kernel::relevance_equals_the_definition,
                kernel::vanishing_denominator,
                kernel::leaving_out,
                kernel::blocks_and_permutations,
                kernel::two_moons,
                kernel::inertia_falls,
                kernel::bandwidths,
                kernel::a_larger_fit,
                kernel::labelled_rings,
                kernel::labelled_oddities,
                kernel::kernel_edges,
                kernel::far_away,
                kernel::kernel_records,
                rooted::supports_by_definition,
                rooted::supports_left_out,
                rooted::supports_of_any_stiffness,
                rooted::rings_have_roots,
                rooted::pairs_without_a_root,
                rooted::means_without_supports,
                rooted::blocks_of_supports,
                rooted::components_by_definition,
                rooted::equal_components_from_roots,
                separable::distances_are_the_definitions,
                separable::the_network_is_the_definition,
                separable::a_bregman_divergence_is_a_linear_layer,
                separable::relevances_are_the_definition,
                separable::relevances_sum_to_the_logit,
                separable::the_squared_distance_is_k_means,
                separable::mahalanobis_standardises,
                separable::means_minimise,
                separable::no_iteration_raises_the_objective,
                separable::strong_smoothing_raises_nothing,
                separable::heuristic_beta_is_one_over_the_mean_logit,
                separable::medians_ignore_an_outlier,
                separable::values_outside_the_domain_are_named,
                separable::zero_counts,
                separable::constant_features_say_nothing,
                separable::few_rows_and_none,
                separable::empty_clusters_are_relocated,
                separable::planted_clouds_are_found,
                separable::features_may_be_permuted,
                separable::blocks_make_no_difference,
                separable::common_parts_cost_no_digits,
                separable::records,
                separable::damaged_records,
                separable::names_and_settings,
                mixture::log_joint_and_decisions,
                mixture::mixture_equals_the_definition,
                mixture::mixture_conserves,
                mixture::equal_components_are_kmeans,
                mixture::mixture_far_from_the_origin,
                mixture::narrow_and_far,
                mixture::mixture_blocks_make_no_difference,
                mixture::mixture_permutations,
                mixture::iterations_by_hand,
                mixture::likelihood_never_falls,
                mixture::what_a_mixture_fit_says,
                mixture::mixture_constant_features,
                mixture::mixture_edges,
                mixture::mixture_bad_parts,
                mixture::mixture_records,
                outliers::outliers_equals_the_definition,
                outliers::near_supports,
                outliers::outliers_conserves,
                outliers::outliers_blocks_make_no_difference,
                outliers::outliers_permutations,
                outliers::planted_outliers,
                outliers::perplexity_is_reached,
                outliers::outliers_edges,
                outliers::outliers_bad_settings,
                outliers::outliers_records,
            );
        }
    };
}

/// Instantiates the tests of PyTorch's files for one backend and precision.
#[cfg(feature = "pytorch")]
#[macro_export]
macro_rules! weights_on {
    ($name:ident, $backend:ty, $dtype:expr, $ready:expr) => {
        mod $name {
            use super::models::*;
            use super::suite::*;
            use super::*;

            fn setup() -> Setup<$backend> {
                Setup::new($dtype)
            }

            $crate::suite_on!(@tests $ready;
                weights::weights_of_every_layout,
                weights::weights_refused,
                weights::weights_damaged,
                weights::weights_of_a_damaged_pickle,
                weights::weights_of_a_hostile_pickle,
            );
        }
    };
}
