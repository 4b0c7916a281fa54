//! Clusters of the codes of a neural encoder, explained in the encoder's input.
//!
//! ```text
//! x ──► encoder   ──► codes  ──► KMeans ──► logit
//! R ◄── secants   ◄── 2 (μ_c − μ_k)     ◄── competitors, as in NEON
//!       or LRP    ◄── R     ◄── NEON    ◄── logit
//! ```
//!
//! A [`DeepKMeans`] is an encoder and a k-means clustering in one module. Its explanation carries
//! the logit of an assignment to pixels, tokens or columns, by one of two [passes](Pass). The
//! *secant pass*, the default, runs the encoder for the sample and for an input on the boundary to
//! every competitor, and says what made the difference: relevances sum to the whole logit. The other
//! is NEON on the code and layer-wise relevance propagation through the encoder (Kauffmann et al.
//! 2024, section on deep clustering; Bach et al. 2015). Both are in [`burn_lrp`].
//!
//! The encoder is any Burn module with [`burn_lrp::Relevance`]; most get it by one line,
//! `#[derive(Relevance)]`. Its weights may come from elsewhere ([`Weights`]).
#![cfg_attr(
    feature = "autodiff",
    doc = "[`JointTraining`] trains an autoencoder and a clustering of its codes together."
)]

mod codes;
mod explanation;
mod fit;
#[cfg(feature = "autodiff")]
mod joint;
mod model;
mod network;
#[cfg(feature = "pytorch")]
mod pytorch;
mod question;
mod roots;
mod secant;
mod weights;

pub use explanation::DeepExplanation;
pub use fit::DeepFit;
#[cfg(feature = "autodiff")]
pub use joint::{Autoencoder, JointFit, JointProgress, JointTraining};
pub use model::DeepKMeans;
pub use network::NeuralizedDeepKMeans;
pub use question::{DeepQuestion, Pass};
pub use weights::Weights;
