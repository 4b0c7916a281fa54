//! What must hold of the models beyond k-means, written once and run on every
//! backend. Every check compares with loops written from the definitions, with
//! properties, or with reference figures.

pub mod mixture;
pub mod outliers;

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
