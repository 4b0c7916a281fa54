//! What must hold of baselines and measures, written once and run on every
//! backend. Every check compares with loops written from the definitions, with
//! properties, or with figures of independent packages
//! (`tests/reference/baselines/make.py`).

pub mod deep;
pub mod figures;
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
            );
        }
    };
}
