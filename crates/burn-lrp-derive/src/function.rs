//! Functions between fields, such as `relu`, and their arguments.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Path, Result, Token, parenthesized};

use crate::span::located;

/// A function with its arguments; it is a method of `Node` of the same name.
pub(crate) struct Function {
    name: Ident,
    arguments: Vec<Expr>,
}

/// The arguments of a function besides its input.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Nothing,
    Number(&'static str),
    Sizes(&'static str),
}

const FUNCTIONS: [(&str, Takes); 9] = [
    ("relu", Takes::Nothing),
    ("gelu", Takes::Nothing),
    ("tanh", Takes::Nothing),
    ("sigmoid", Takes::Nothing),
    ("leaky_relu", Takes::Number("the slope, as in `leaky_relu(0.01)`")),
    ("softplus", Takes::Number("beta, as in `softplus(1.0)`")),
    ("flatten", Takes::Nothing),
    ("reshape", Takes::Sizes("the sizes of a sample, as in `reshape(4, 7, 7)`")),
    ("permute", Takes::Sizes("all dimensions, as in `permute(0, 2, 1)`")),
];

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        let mut arguments = Vec::new();
        if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            arguments.extend(Punctuated::<Expr, Token![,]>::parse_terminated(&content)?);
        }
        let function = Self { name, arguments };
        let wrong = match (function.takes()?, function.arguments.len()) {
            (Takes::Nothing, 0) | (Takes::Number(_), 1) => None,
            (Takes::Sizes(_), 1..) => None,
            (Takes::Nothing, _) => Some("no argument"),
            (Takes::Number(what) | Takes::Sizes(what), _) => Some(what),
        };
        match wrong {
            Some(what) => {
                let message = format!("`{}` takes {what}", function.name);
                Err(Error::new(function.name.span(), message))
            }
            None => Ok(function),
        }
    }
}

impl Function {
    fn takes(&self) -> Result<Takes> {
        let found = FUNCTIONS.into_iter().find(|(name, _)| self.name == name);
        found.map(|(_, takes)| takes).ok_or_else(|| {
            let all: Vec<String> = FUNCTIONS.iter().map(|(name, _)| format!("`{name}`")).collect();
            let message = format!(
                "there is no function `{}`; use {}, or a layer in a field for another one",
                self.name,
                all.join(", ")
            );
            Error::new(self.name.span(), message)
        })
    }

    /// The call on a variable `node`.
    pub(crate) fn call(&self, krate: &Path) -> Result<TokenStream> {
        let Self { name, arguments } = self;
        let further = match self.takes()? {
            Takes::Sizes(_) => quote!(&[#(#arguments),*]),
            _ => quote!(#(#arguments),*),
        };
        Ok(quote_spanned!(located(name.span())=> #krate::Node::#name(&node, #further)?))
    }
}
