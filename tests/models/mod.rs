//! What must hold of the models beyond k-means, written once and run on every
//! backend. Every check compares with loops written from the definitions, with
//! properties, or with reference figures.

pub mod kernel;

/// Instantiates every test of these models for one backend and precision.
#[macro_export]
macro_rules! models_on {
    ($name:ident, $backend:ty, $dtype:expr, $ready:expr) => {
        mod $name {
            use super::suite::*;
            #[allow(unused_imports)]
            use super::models::*;
            use super::*;

            fn setup() -> Setup<$backend> {
                Setup::new($dtype)
            }

            $crate::suite_on!(@tests $ready;
                kernel::scores_are_soft_distances,
                kernel::literal_layers,
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
            );
        }
    };
}
