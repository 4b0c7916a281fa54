//! The attributes `#[relevance(..)]` of fields, variants and types.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, LitStr, Path, Result, Token, parenthesized};

use crate::function::Function;

/// How a field, or the field of a variant, runs.
#[derive(Default)]
pub(crate) struct Options {
    /// The position of `skip`, if the field does not run.
    pub(crate) skip: Option<Span>,
    /// Whether the input of the field is added to its output.
    pub(crate) residual: bool,
    pub(crate) before: Vec<Function>,
    pub(crate) then: Vec<Function>,
}

impl Options {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self::default();
        for attribute in relevance(attributes) {
            attribute.parse_nested_meta(|meta| options.read(&meta))?;
        }
        match options.skip {
            Some(span) if options.residual || options.runs_functions() => {
                Err(Error::new(span, "a skipped field does not run: `skip` excludes other options"))
            }
            _ => Ok(options),
        }
    }

    fn runs_functions(&self) -> bool {
        !self.before.is_empty() || !self.then.is_empty()
    }

    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("skip") {
            self.skip = Some(meta.path.segments[0].ident.span());
        } else if meta.path.is_ident("residual") {
            self.residual = true;
        } else if meta.path.is_ident("before") {
            self.before.extend(functions(meta)?);
        } else if meta.path.is_ident("then") {
            self.then.extend(functions(meta)?);
        } else {
            return Err(meta.error(
                "expected `skip`, `residual`, `before(function, ..)` or `then(function, ..)`",
            ));
        }
        Ok(())
    }
}

fn functions(meta: &ParseNestedMeta<'_>) -> Result<Vec<Function>> {
    let name = meta.path.segments[0].ident.to_string();
    if !meta.input.peek(syn::token::Paren) {
        return Err(meta.error(format!("put functions in brackets: `{name}(relu)`")));
    }
    let content;
    parenthesized!(content in meta.input);
    if content.is_empty() {
        return Err(meta.error(format!("name a function: `{name}(relu)`")));
    }
    Ok(Punctuated::<Function, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// The path of the crate `burn-lrp`: `#[relevance(crate = "path")]` of the type.
pub(crate) fn crate_path(attributes: &[Attribute]) -> Result<Path> {
    let mut path = syn::parse_quote!(::burn_lrp);
    for attribute in relevance(attributes) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error(
                    "a type accepts `crate = \"path\"` only; other options belong to a field",
                ));
            }
            path = meta.value()?.parse::<LitStr>()?.parse()?;
            Ok(())
        })?;
    }
    Ok(path)
}

pub(crate) fn relevance(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("relevance"))
}
