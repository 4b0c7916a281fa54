//! Reports: HTML files to open in a browser and to share.
//!
//! A [`Report`] answers "why is this point in its cluster?" for every point of a
//! clustering, and the page of [`evaluation`](evaluation()) compares methods of
//! explanation. Both are self-contained and make no network requests: every
//! explanation they show is computed beforehand and stored in the file.

mod builder;
mod choice;
mod details;
mod evaluation;
mod finish;
mod group;
mod listed;
mod markdown;
mod pack;
mod page;
mod profile;
mod template;
mod trust;

pub use builder::ReportBuilder;
pub use evaluation::evaluation;
pub use page::Report;
pub use trust::failed_checks;
