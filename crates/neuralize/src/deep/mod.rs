//! Clusters of the codes of a neural encoder, explained in the encoder's input.
//!
//! ```text
//! x ──► encoder ──► codes ──► KMeans ──► logit
//! R ◄── LRP     ◄── R     ◄── NEON  ◄── logit
//! ```
//!
//! A [`DeepKMeans`] is an encoder and a k-means clustering in one module. NEON finds
//! the contribution of every element of the code to an assignment; layer-wise relevance
//! propagation ([`burn_lrp`]) carries it on through the encoder, to pixels, tokens or
//! columns (Kauffmann et al. 2024, section on deep clustering; Bach et al. 2015).
//!
//! The encoder is any Burn module with [`burn_lrp::Relevance`]; most get it by one line,
//! `#[derive(Relevance)]`. Its weights may come from elsewhere ([`Weights`]).
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
mod question;
mod weights;

pub use explanation::DeepExplanation;
pub use fit::DeepFit;
#[cfg(feature = "autodiff")]
pub use joint::{Autoencoder, JointFit, JointProgress, JointTraining};
pub use model::DeepKMeans;
pub use network::NeuralizedDeepKMeans;
pub use question::DeepQuestion;
pub use weights::Weights;
