//! Explained points as a person looks at them: on the host, with values,
//! centroids and classes beside the relevances.

mod classes;
mod explained;
#[cfg(feature = "pca")]
mod map;
#[cfg(feature = "report")]
mod words;

pub use classes::Classes;
pub use explained::{AbsorbedRelevance, Cases};
#[cfg(feature = "pca")]
pub use map::Map;
#[cfg(feature = "report")]
pub(crate) use words::MAX_NAME_LENGTH;
