//! The implementation of `Relevance` that the derive generates.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Index, Path, Result, Type, parse_quote};

use crate::attribute::{Options, crate_path, relevance as attributes};
use crate::backend::Backend;
use crate::field::FieldKind;
use crate::span::located;

/// The body of `trace`, and the types of the layers that it runs.
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
            let message = "`Relevance` cannot be derived for a union; use a struct or an enum";
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

/// Runs the fields in their order.
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
                    let message = "this field is skipped, since its type is never a layer; remove the \
                                   attribute";
                    return Err(Error::new(attribute.span(), message));
                }
                continue;
            }
            (None, FieldKind::Parameter) => {
                let message = "a parameter is not a layer: implement `Relevance` for this module, or \
                               add `#[relevance(skip)]` if `forward` does not use it";
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

/// Runs the module of the current variant; variants add nothing to paths.
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
            let message = "a variant must hold one module; put several into a struct";
            return Err(Error::new(variant.ident.span(), message));
        };
        if let Some(attribute) = attributes(&field.attrs).next() {
            let message = "put the attribute before the variant, not before its field";
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

/// The functions before a module, the module, the sum with its input, and the functions after it.
fn stepped(options: &Options, run: TokenStream, krate: &Path) -> Result<TokenStream> {
    let mut code = TokenStream::new();
    for function in &options.before {
        let call = function.call(krate)?;
        code.extend(quote!(let node = #call;));
    }
    if options.residual {
        code.extend(quote! {
            let input = ::core::clone::Clone::clone(&node);
            let node = #run;
            let node = #krate::Node::add(&node, &input)?;
        })
    } else {
        code.extend(quote!(let node = #run;))
    }
    for function in &options.then {
        let call = function.call(krate)?;
        code.extend(quote!(let node = #call;));
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(code: &str) -> Result<String> {
        relevance(&syn::parse_str(code)?).map(|code| code.to_string())
    }

    #[test]
    fn what_cannot_be_derived_is_refused() {
        for (code, detail) in [
            ("struct A;", "`A` has no field that is a layer"),
            ("struct A { size: usize }", "`A` has no field that is a layer"),
            ("union A { a: L, b: L }", "cannot be derived for a union"),
            ("enum A {}", "`A` has no variant that holds a layer"),
            ("enum A { One(L), Two }", "a variant must hold one module"),
            ("enum A { One(L, L) }", "a variant must hold one module"),
            ("enum A { #[relevance(skip)] One(L) }", "a variant cannot be skipped"),
            ("enum A { One(#[relevance(residual)] L) }", "before the variant"),
            (
                "struct A { #[relevance(skipped)] a: L }",
                "expected `skip`, `residual`, `before(function, ..)` or `then(function, ..)`",
            ),
            (
                "struct A { #[relevance(then(rleu))] a: L }",
                "there is no function `rleu`; use `relu`, `gelu`,",
            ),
            ("struct A { #[relevance(then = \"relu\")] a: L }", "`then(relu)`"),
            ("struct A { #[relevance(then(leaky_relu))] a: L }", "`leaky_relu` takes the slope"),
            ("struct A { #[relevance(then(relu(1)))] a: L }", "takes no argument"),
            ("struct A { #[relevance(skip, residual)] a: L, b: L }", "`skip` excludes"),
            ("struct A<B: Backend> { token: Param<Tensor<B, 1>> }", "a parameter is not a layer"),
            ("#[relevance(skip)] struct A { a: L }", "a type accepts `crate"),
        ] {
            let found = derived(code).expect_err(code).to_string();
            assert!(found.contains(detail), "{code}: {found}");
        }
    }

    #[test]
    fn backends_are_found_by_their_bound() -> Result<()> {
        for (code, contained) in [
            ("struct A<M, X: Backend> { a: M, b: L<X> }", "Relevance < X >"),
            ("struct A<X: burn::AutodiffBackend> { b: L<X> }", "Relevance < X >"),
            ("struct A<X> where X: Backend { b: L<X> }", "Relevance < X >"),
            ("struct A<M, B> { a: M, b: L<B> }", "Relevance < B >"),
            ("struct A { a: Relu }", "Relevance < __B >"),
            (
                "#[relevance(crate = \"other::lrp\")] struct A { a: Relu }",
                "impl < __B : other :: lrp :: derive :: Backend > other :: lrp :: Relevance",
            ),
        ] {
            let found = derived(code)?;
            assert!(found.contains(contained), "{code}: {found}");
        }
        Ok(())
    }
}
