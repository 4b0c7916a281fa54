//! Clusters of the codes of a neural encoder, explained in the encoder's input.
//!
//! ```text
//! x ──► encoder ──► codes ──► KMeans ──► logit
//! R ◄── LRP     ◄── R     ◄── NEON  ◄── logit
//! ```
//!
//! A [`DeepKMeans`] is an encoder and a k-means head in one module. NEON says
//! what every dimension of the code contributed to an assignment;
//! layer-wise relevance propagation ([`burn_lrp`]) hands that on through the
//! encoder, to pixels, tokens or columns (Kauffmann et al. 2024, section on deep
//! clustering; Bach et al. 2015).
//!
//! The encoder is any Burn module with [`burn_lrp::Relevance`], most of which get
//! it by one line, `#[derive(Relevance)]`. Its weights may come from elsewhere
//! ([`Weights`]).
#![cfg_attr(
    feature = "autodiff",
    doc = "[`JointTraining`] trains an autoencoder and a clustering of its codes together."
)]

mod explanation;
mod fit;
#[cfg(feature = "autodiff")]
mod joint;
mod model;
mod network;
#[cfg(feature = "pytorch")]
mod pytorch;
mod weights;

pub use explanation::{DeepExplanation, DeepQuestion};
pub use fit::DeepFit;
#[cfg(feature = "autodiff")]
pub use joint::{Autoencoder, JointFit, JointProgress, JointTraining};
pub use model::DeepKMeans;
pub use network::NeuralizedDeepKMeans;
pub use weights::Weights;
