//! A network as it ran: a tape of its layers, a plan of their rules, the relevance pass and
//! the secant pass.
//!
//! Burn's modules keep no record of a forward pass, so a [`Tape`] does.

mod network;
mod pass;
mod plan;
mod report;
mod secant;
mod tape;

pub use network::{Relevance, infer, verify};
pub use pass::Relevances;
pub use plan::{Plan, PlannedLayer};
pub use report::{LayerReport, Report};
pub(crate) use secant::pulled;
pub use secant::{SecantExplanation, SecantPlan, Secants, secant};
pub use tape::{Node, Tape};
