//! A page that a person opens, reads and passes on: one HTML file that answers
//! "why is this point here?" for every point of a clustering.
//!
//! The file is self-contained and makes no network requests: every explanation
//! that it shows is computed beforehand and stored in it.

mod builder;
mod choice;
mod details;
mod evaluation;
mod finish;
mod listed;
mod pack;
mod page;
mod template;
mod trust;

pub use builder::ReportBuilder;
pub use evaluation::evaluation;
pub use page::Report;
