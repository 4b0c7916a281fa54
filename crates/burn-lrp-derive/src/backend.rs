//! The type parameter that is the backend.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, Path, Token, TypeParamBound, WherePredicate, parse_quote};

/// The backend of the implementation, which is an additional parameter if the type has none.
pub(crate) struct Backend {
    pub(crate) ident: Ident,
    /// Whether the type has no backend, so that its layers run on any.
    any: bool,
}

impl Backend {
    /// The type parameter with a bound whose name ends in `Backend`; else one that is named `B`;
    /// else an additional one.
    pub(crate) fn of(generics: &Generics) -> Self {
        let bounded = generics.type_params().find(|param| {
            let further = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
            let further = further.filter_map(|predicate| match predicate {
                WherePredicate::Type(predicate) if is(&predicate.bounded_ty, &param.ident) => {
                    Some(&predicate.bounds)
                }
                _ => None,
            });
            std::iter::once(&param.bounds).chain(further).any(is_backend)
        });
        let named = || generics.type_params().find(|param| param.ident == "B");
        match bounded.or_else(named) {
            Some(param) => Self { ident: param.ident.clone(), any: false },
            None => Self { ident: Ident::new("__B", Span::call_site()), any: true },
        }
    }

    /// The generics of the implementation.
    pub(crate) fn generics(&self, generics: &Generics, krate: &Path) -> Generics {
        let mut generics = generics.clone();
        if self.any {
            let ident = &self.ident;
            let param: GenericParam = parse_quote!(#ident: #krate::derive::Backend);
            generics.params.push(param);
        }
        generics
    }

    /// Whether a type depends on a parameter that is not the backend.
    pub(crate) fn is_generic(&self, ty: &syn::Type, generics: &Generics) -> bool {
        let others: Vec<&Ident> =
            generics.type_params().map(|p| &p.ident).filter(|p| **p != self.ident).collect();
        mentions(ty.to_token_stream(), &others)
    }
}

fn is(ty: &syn::Type, ident: &Ident) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.is_ident(ident))
}

fn is_backend(bounds: &Punctuated<TypeParamBound, Token![+]>) -> bool {
    bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last();
            last.is_some_and(|segment| segment.ident.to_string().ends_with("Backend"))
        }
        _ => false,
    })
}

fn mentions(tokens: TokenStream, idents: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => idents.contains(&&ident),
        TokenTree::Group(group) => mentions(group.stream(), idents),
        _ => false,
    })
}
