//! Is an explanation true? Measures of what methods say of cluster
//! assignments, and tables of many methods by many measures.
//!
//! No measure is the truth: each asks one thing that a good explanation should
//! do. [`Measure`] says in words what that is.

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
mod standing;
mod written;

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
