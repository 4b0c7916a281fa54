//! Which layer follows which rule: selectors and rules, as values and as text.

mod entries;
mod preset;
mod quoting;
mod reader;
mod selector;
mod site;
mod text;

pub use entries::Composite;
pub use selector::Selector;
pub(crate) use site::Site;
