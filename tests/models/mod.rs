//! What must hold of the models beyond k-means, written once and run on every
//! backend. Every check compares with loops written from the definitions, with
//! properties, or with reference figures.

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
                network::probabilities,
            );
        }
    };
}
