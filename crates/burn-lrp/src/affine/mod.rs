//! Layers `W a + b` of any shape, and their rules, written once.
//!
//! A layer of your own gets all rules of [`AFFINE_RULES`] from the methods of [`Affine`]:
//!
//! ```
//! use burn::backend::Flex;
//! use burn::tensor::{Tensor, backend::Backend};
//! use burn_lrp::{
//!     Affine, AnyTensor, Composite, Family, Kind, Layer, Result, Rule, Selector, Tape,
//!     affine_methods, leaf,
//! };
//!
//! /// One weight per feature.
//! #[derive(Debug)]
//! struct Scale<B: Backend> {
//!     weight: Tensor<B, 1>,
//! }
//!
//! impl<B: Backend> Affine<B> for Scale<B> {
//!     fn weight(&self) -> AnyTensor<B> {
//!         self.weight.clone().into()
//!     }
//!     fn bias(&self) -> Option<Tensor<B, 1>> {
//!         None
//!     }
//!     fn channel_dim(&self, output: &AnyTensor<B>) -> usize {
//!         output.rank() - 1
//!     }
//!     fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>> {
//!         Ok((x.tensor::<2>()? * weight.tensor::<1>()?.unsqueeze()).into())
//!     }
//!     fn adjoint(
//!         &self,
//!         s: &AnyTensor<B>,
//!         weight: &AnyTensor<B>,
//!         _: &[usize],
//!     ) -> Result<AnyTensor<B>> {
//!         self.apply(s, weight)
//!     }
//! }
//!
//! impl<B: Backend> Layer<B> for Scale<B> {
//!     fn kind(&self) -> Kind {
//!         Kind::new("Scale", Family::Dense)
//!     }
//!     affine_methods!(B);
//! }
//! leaf!(Scale<B>);
//!
//! let device = Default::default();
//! let layer = Scale { weight: Tensor::<Flex, 1>::from_data([2.0, -1.0], &device) };
//! let tape = Tape::new();
//! let input = tape.input("x", Tensor::<Flex, 2>::from_data([[1.0, 3.0]], &device));
//! let output = input.then("scale", &layer)?;
//! let plan = output.plan(&Composite::new().with(Selector::kind("Scale"), Rule::Z_PLUS))?;
//! let relevance = plan.run(output.value().clone())?.of(&input)?;
//! assert_eq!(relevance.flat().into_data().iter().collect::<Vec<f32>>(), [2.0, 0.0]);
//! # Ok::<(), burn_lrp::Error>(())
//! ```

mod batch_norm;
#[cfg(feature = "autodiff")]
mod by_gradient;
mod conv;
mod conv_transpose;
mod linear;
mod map;
mod methods;
mod propagation;
mod quotient;

#[cfg(feature = "autodiff")]
pub use by_gradient::{ByGradient, WeightedByGradient};
pub(crate) use map::affine_rules_and;
pub use map::{AFFINE_RULES, Affine, forward, secant};
pub use propagation::relevance;
pub(crate) use quotient::quotient;
