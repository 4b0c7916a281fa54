//! A network as it ran: a tape of its layers, a plan of their rules, and the relevance pass.
//!
//! Burn's modules keep no record of a forward pass, so a [`Tape`] does.

mod network;
mod pass;
mod plan;
mod report;
mod tape;

pub use network::{Relevance, infer};
pub use pass::Relevances;
pub use plan::{Plan, PlannedLayer};
pub use report::{LayerReport, Report};
pub use tape::{Node, Tape};
