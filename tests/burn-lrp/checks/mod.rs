//! What must hold of layers, rules and networks, written once and run on every
//! backend.

pub mod activation;
pub mod affine;
pub mod attention;
pub mod composite;
pub mod derive;
pub mod distance;
pub mod embedding;
pub mod graph;
pub mod inference;
pub mod join;
pub mod merging;
pub mod modules;
pub mod naive;
pub mod norm;
pub mod numbers;
pub mod oracle;
pub mod own_rule;
pub mod peers;
pub mod pool;
pub mod recurrent;
pub mod secant;
pub mod setup;
pub mod step;
pub mod vit;

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
                affine::conv_transpose1d,
                affine::conv_transpose2d,
                affine::conv_transpose3d,
                affine::affine_refusals,
                graph::skip_connection,
                graph::one_step_of_a_sequence,
                graph::blocks_of_samples,
                graph::paths_of_shared_layers,
                graph::max_pool_on_autodiff,
                graph::mixed_ranks,
                graph::a_layer_used_twice,
                graph::graph_refusals,
                graph::an_unused_input,
                graph::conservation,
                graph::samples_are_apart,
                graph::empty_inputs,
                graph::not_finite,
                inference::never_training,
                merging::merged_like_one_layer,
                merging::not_merged,
                merging::layers_of_users,
                numbers::tiny_outputs,
                numbers::subnormal_outputs,
                numbers::zero_outputs,
                numbers::small_is_exact,
                numbers::products,
                numbers::inside_the_box,
                oracle::gradient_of_linear,
                oracle::gradient_of_convolutions,
                oracle::gradient_of_transposed_convolutions,
                oracle::gradient_of_batch_norm,
                oracle::gradient_times_input,
                oracle::by_gradient,
                oracle::by_gradient_refuses,
                own_rule::own_rules_of_linear,
                own_rule::own_rules_of_convolutions,
                own_rule::built_in_rules_are_terms,
                own_rule::own_rules_in_a_network,
                own_rule::own_rules_refused,
                own_rule::named_rules,
                composite::plan_prints_itself,
                composite::presets_fit_their_networks,
                composite::rules_of_transformers,
                composite::a_box_names_its_layer,
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
                peers::convolutions,
                peers::residual,
                peers::perceptron,
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
                secant::secant_of_affine_layers,
                secant::secant_of_products,
                secant::secant_of_activations,
                secant::outputs_that_do_not_change,
                secant::secant_of_max_pools,
                secant::secant_of_softmax,
                secant::secant_of_compound_layers,
                secant::secant_of_layer_norm,
                secant::secant_of_networks,
                secant::pairs_of_samples_and_roots,
                secant::masks_of_samples,
                secant::tokens,
                secant::secant_refusals,
                vit::trained_transformers,
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
