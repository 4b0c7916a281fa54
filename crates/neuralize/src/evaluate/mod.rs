//! Measures of explanations, and tables of methods by measures.
//!
//! No measure is the truth: each tests one property of a good explanation, which
//! [`Measure::description`] describes.

mod advice;
mod agreement;
mod conservation;
mod continuity;
mod flipping;
mod infidelity;
mod invariance;
mod measure;
mod randomisation;
mod ranking;
mod results;
mod run;
mod write;

pub use agreement::{Agreement, agreement};
pub use conservation::conservation;
pub use continuity::continuity;
pub use flipping::{flip, random_band};
pub use infidelity::infidelity;
pub use invariance::invariance;
pub use measure::{Better, Measure};
pub use randomisation::randomisation;
pub use results::{Band, Curve, Evaluation, Flips, MethodResult};
pub use run::EvaluateConfig;
