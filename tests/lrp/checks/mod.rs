//! What must hold of layers, rules and networks, written once and run on every
//! backend.

pub mod activation;
pub mod affine;
pub mod attention;
pub mod distance;
pub mod embedding;
pub mod graph;
pub mod join;
pub mod naive;
pub mod norm;
pub mod pool;
pub mod recurrent;
pub mod setup;
pub mod step;

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
                pool::average_1d,
                pool::average_2d,
                pool::average_adaptive,
                pool::max_1d,
                pool::max_2d,
                pool::max_ties,
                pool::pool_refused,
                activation::activations,
                activation::prelu,
                activation::activations_far_out,
                activation::activation_wrapper,
                activation::glu,
                activation::swiglu,
                norm::layer_norm,
                norm::rms_norm,
                norm::group_norm,
                norm::normalization_wrapper,
                embedding::embedding,
                embedding::embedding_ids,
                embedding::positional_encoding,
                join::multiply,
                join::multiply_by_channel,
                join::subtract,
                join::over_a_dimension,
                join::softmax,
                join::joins_on_a_tape,
                distance::squared_distance,
                distance::distance_of_points,
                distance::rooted_linear,
                attention::attention,
                attention::attention_all_masked,
                attention::attention_refused,
                attention::attention_forward,
                attention::attention_conserves,
                attention::encoder_forward,
                attention::encoder_relevance,
                attention::encoder_on_autodiff,
                recurrent::lstm,
                recurrent::gru,
                recurrent::rnn,
                recurrent::recurrent_forward,
                recurrent::both_directions,
                recurrent::recurrent_conserves,
                recurrent::recurrent_refused,
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
