//! What must hold of layers, rules and networks, written once and run on every
//! backend.

pub mod affine;
pub mod composite;
pub mod derive;
pub mod graph;
pub mod modules;
pub mod naive;
pub mod pool;
pub mod setup;

/// Instantiates every test for one backend and precision.
#[macro_export]
macro_rules! lrp_on {
    ($name:ident, $backend:ty, $dtype:expr, $ready:expr) => {
        mod $name {
            use super::checks::setup::Setup;
            use super::checks::*;
            use super::*;

            fn setup() -> Setup<$backend> {
                Setup::new($dtype)
            }

            $crate::lrp_on!(@tests $ready;
                affine::linear,
                affine::conv1d,
                affine::conv2d,
                affine::conv3d,
                affine::batch_norm,
                graph::skip_connection,
                composite::plan_prints_itself,
                composite::presets_fit_their_networks,
                composite::unsupported_all_at_once,
                composite::names_that_are_not_there,
                derive::derived_as_by_hand,
                derive::derived_functions,
                derive::derived_enums_and_generics,
                derive::derived_sum_of_two_shapes,
                modules::modules_run_and_are_named,
                modules::modules_print_themselves,
                modules::modules_saved_and_loaded,
                modules::modules_learn,
                modules::modules_within_others,
                pool::average_1d,
                pool::average_2d,
                pool::average_adaptive,
                pool::max_1d,
                pool::max_2d,
                pool::max_ties,
                pool::pool_refused,
            );
        }
    };
    (@tests $ready:expr; $($module:ident::$test:ident),+ $(,)?) => {
        $(#[test]
        fn $test() {
            if $ready {
                $module::$test(&setup());
            }
        })+
    };
}
