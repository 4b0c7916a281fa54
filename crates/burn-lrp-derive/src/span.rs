//! Where errors in generated code point to.

use proc_macro2::Span;

/// A span at which errors are shown, while names are looked up as everywhere in the impl. It matters
/// for types that a macro makes.
pub(crate) fn located(span: Span) -> Span {
    Span::call_site().located_at(span)
}
