//! The impl itself.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Index, Path, Result, Type, parse_quote};

use crate::attribute::{Options, crate_path, relevance as attributes};
use crate::backend::Backend;
use crate::field::FieldKind;

/// A body of `trace`, and the types that must be layers for it.
struct Body<'a> {
    code: TokenStream,
    layers: Vec<&'a Type>,
}

pub(crate) fn relevance(input: &DeriveInput) -> Result<TokenStream> {
    let krate = crate_path(&input.attrs)?;
    let backend = Backend::of(&input.generics);
    let body = match &input.data {
        Data::Struct(data) => of_fields(input, &data.fields, &krate)?,
        Data::Enum(data) => of_variants(input, data, &krate, &backend)?,
        Data::Union(data) => {
            let message =
                "a union has no layers to run; derive `Relevance` for a struct or an enum";
            return Err(Error::new(data.union_token.span, message));
        }
    };

    let mut generics = backend.generics(&input.generics, &krate);
    let b = &backend.ident;
    for layer in body.layers {
        if backend.is_generic(layer, &input.generics) {
            let clause = generics.make_where_clause();
            clause.predicates.push(parse_quote!(#layer: #krate::Relevance<#b>));
        }
    }
    let (name, code) = (&input.ident, body.code);
    let (_, arguments, _) = input.generics.split_for_impl();
    let (parameters, _, clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #krate::Relevance<#b> for #name #arguments #clause {
            fn trace<'lrp>(
                &'lrp self,
                node: #krate::Node<'lrp, #b>,
            ) -> #krate::Result<#krate::Node<'lrp, #b>> {
                #code
            }
        }
    })
}

/// One field after the other.
fn of_fields<'a>(input: &DeriveInput, fields: &'a Fields, krate: &Path) -> Result<Body<'a>> {
    let mut code = TokenStream::new();
    let mut layers = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let options = Options::of(&field.attrs)?;
        let ty = &field.ty;
        match (options.skip, FieldKind::of(ty)) {
            (Some(_), _) => continue,
            (None, FieldKind::Plain) => {
                if let Some(attribute) = attributes(&field.attrs).next() {
                    let message = "a number, a text or a marker is no layer and is skipped anyway";
                    return Err(Error::new(attribute.span(), message));
                }
                continue;
            }
            (None, FieldKind::Parameter) => {
                let message = "a parameter on its own is no layer: write `impl Relevance` for this \
                               module, or say `#[relevance(skip)]` if `forward` leaves it alone";
                return Err(Error::new(ty.span(), message));
            }
            (None, FieldKind::Module) => {}
        }
        let (name, member) = match &field.ident {
            Some(ident) => (ident.unraw().to_string(), quote!(#ident)),
            None => {
                let index = Index::from(at);
                (at.to_string(), quote!(#index))
            }
        };
        let run =
            quote_spanned!(located(ty.span())=> #krate::Node::then(&node, #name, &self.#member)?);
        code.extend(stepped(&options, run, krate)?);
        layers.push(ty);
    }
    if layers.is_empty() {
        let message = format!("`{}` has no field that is a layer", input.ident);
        return Err(Error::new(input.ident.span(), message));
    }
    code.extend(quote!(::core::result::Result::Ok(node)));
    Ok(Body { code, layers })
}

/// The module of the variant that there is; variants add nothing to paths.
fn of_variants<'a>(
    input: &DeriveInput,
    data: &'a DataEnum,
    krate: &Path,
    backend: &Backend,
) -> Result<Body<'a>> {
    if data.variants.is_empty() {
        let message = format!("`{}` has no variant that holds a layer", input.ident);
        return Err(Error::new(input.ident.span(), message));
    }
    let b = &backend.ident;
    let mut arms = TokenStream::new();
    let mut layers = Vec::new();
    for variant in &data.variants {
        let mut fields = variant.fields.iter();
        let (Some(field), None) = (fields.next(), fields.next()) else {
            let message = "a variant holds one module; put more into a struct of their own";
            return Err(Error::new(variant.ident.span(), message));
        };
        if let Some(attribute) = attributes(&field.attrs).next() {
            let message = "this belongs before the variant, not before its field";
            return Err(Error::new(attribute.span(), message));
        }
        let options = Options::of(&variant.attrs)?;
        if let Some(span) = options.skip {
            let message = "a variant cannot be skipped: the network would have nothing to run";
            return Err(Error::new(span, message));
        }
        let ident = &variant.ident;
        let pattern = match &field.ident {
            Some(name) => quote!(Self::#ident { #name: module }),
            None => quote!(Self::#ident(module)),
        };
        let ty = &field.ty;
        let run = quote_spanned! {located(ty.span())=>
            #krate::Relevance::<#b>::trace(module, ::core::clone::Clone::clone(&node))?
        };
        let steps = stepped(&options, run, krate)?;
        arms.extend(quote!(#pattern => { #steps ::core::result::Result::Ok(node) }));
        layers.push(ty);
    }
    Ok(Body { code: quote!(match self { #arms }), layers })
}

/// Errors point there, names are looked up as everywhere in the impl: it matters for
/// types that a macro makes.
pub(crate) fn located(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Functions before, the module, the sum with what it was given, functions after.
fn stepped(options: &Options, run: TokenStream, krate: &Path) -> Result<TokenStream> {
    let mut code = TokenStream::new();
    for function in &options.before {
        let call = function.call(krate)?;
        code.extend(quote!(let node = #call;));
    }
    match options.residual {
        true => code.extend(quote! {
            let given = ::core::clone::Clone::clone(&node);
            let node = #run;
            let node = #krate::Node::add(&node, &given)?;
        }),
        false => code.extend(quote!(let node = #run;)),
    }
    for function in &options.then {
        let call = function.call(krate)?;
        code.extend(quote!(let node = #call;));
    }
    Ok(code)
}
