//! The methods of `Layer` that all affine layers share.

/// The methods of [`Layer`](crate::Layer) for a type that is [`Affine`](crate::Affine), all but
/// [`kind`](crate::Layer::kind): the output, all rules of
/// [`AFFINE_RULES`](crate::affine::AFFINE_RULES), with LRP-ε as the default, and the secant.
///
/// Use it inside of `impl<B: Backend> Layer<B> for ..`, with the name of the backend.
#[macro_export]
macro_rules! affine_methods {
    ($backend:ident) => {
        fn forward(
            &self,
            inputs: &[$crate::AnyTensor<$backend>],
        ) -> $crate::Result<$crate::AnyTensor<$backend>> {
            match inputs {
                [input, ..] => $crate::affine::forward(self, input),
                [] => Err($crate::Error::Layer {
                    at: $crate::Layer::<$backend>::kind(self).name().into(),
                    detail: "it has no input".into(),
                }),
            }
        }

        fn rules(&self) -> &'static [$crate::RuleName] {
            $crate::affine::AFFINE_RULES
        }

        fn default_rule(&self) -> $crate::Rule {
            $crate::Rule::EPSILON
        }

        fn relevance(
            &self,
            step: &$crate::Step<'_, $backend>,
            rule: &$crate::Rule,
        ) -> $crate::Result<$crate::Redistribution<$backend>> {
            $crate::affine::relevance(self, step, rule)
        }

        fn has_secant(&self) -> bool {
            true
        }

        fn secant(
            &self,
            step: &$crate::SecantStep<'_, $backend>,
        ) -> $crate::Result<Vec<$crate::AnyTensor<$backend>>> {
            $crate::affine::secant(self, step)
        }
    };
}
