//! `#[derive(Relevance)]`; use it from `burn-lrp`, which re-exports and documents it.

mod attribute;
mod backend;
mod expand;
mod field;
mod function;
mod span;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `Relevance` for a module that runs its fields in their order.
#[proc_macro_derive(Relevance, attributes(relevance))]
pub fn relevance(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::relevance(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
