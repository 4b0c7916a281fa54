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
    if options.residual {
        code.extend(quote! {
            let given = ::core::clone::Clone::clone(&node);
            let node = #run;
            let node = #krate::Node::add(&node, &given)?;
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

    fn refused(input: DeriveInput) -> String {
        match relevance(&input) {
            Ok(code) => panic!("{code}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_cannot_be_derived_is_said() {
        let cases: [(DeriveInput, &str); 16] = [
            (
                parse_quote!(
                    struct A;
                ),
                "`A` has no field that is a layer",
            ),
            (
                parse_quote!(
                    struct A {
                        size: usize,
                    }
                ),
                "`A` has no field that is a layer",
            ),
            (parse_quote!(union A { a: L, b: L }), "a union has no layers to run"),
            (
                parse_quote!(
                    enum A {}
                ),
                "`A` has no variant that holds a layer",
            ),
            (
                parse_quote!(
                    enum A {
                        One(L),
                        Two,
                    }
                ),
                "a variant holds one module",
            ),
            (
                parse_quote!(
                    enum A {
                        One(L, L),
                    }
                ),
                "a variant holds one module",
            ),
            (
                parse_quote!(
                    enum A {
                        #[relevance(skip)]
                        One(L),
                    }
                ),
                "a variant cannot be skipped",
            ),
            (
                parse_quote!(
                    enum A {
                        One(#[relevance(residual)] L),
                    }
                ),
                "belongs before the variant",
            ),
            (
                parse_quote!(
                    struct A {
                        #[relevance(skipped)]
                        a: L,
                    }
                ),
                "there are `skip`, `residual`, `before(function, ..)` and `then(function, ..)`",
            ),
            (
                parse_quote!(
                    struct A {
                        #[relevance(then(rleu))]
                        a: L,
                    }
                ),
                "no function `rleu`; there are `relu`, `gelu`,",
            ),
            (
                parse_quote!(
                    struct A {
                        #[relevance(then = "relu")]
                        a: L,
                    }
                ),
                "`then(relu)`",
            ),
            (
                parse_quote!(
                    struct A {
                        #[relevance(then(leaky_relu))]
                        a: L,
                    }
                ),
                "`leaky_relu` takes the slope",
            ),
            (
                parse_quote!(
                    struct A {
                        #[relevance(then(relu(1)))]
                        a: L,
                    }
                ),
                "takes no argument",
            ),
            (
                parse_quote!(
                    struct A {
                        #[relevance(skip, residual)]
                        a: L,
                        b: L,
                    }
                ),
                "`skip` stands alone",
            ),
            (
                parse_quote!(
                    struct A<B: Backend> {
                        token: Param<Tensor<B, 1>>,
                    }
                ),
                "a parameter on its own is no layer",
            ),
            (
                parse_quote!(
                    #[relevance(skip)]
                    struct A {
                        a: L,
                    }
                ),
                "a type takes `crate",
            ),
        ];
        for (input, said) in cases {
            let found = refused(input);
            assert!(found.contains(said), "{found}");
        }
    }

    #[test]
    fn backends_are_found_by_their_bound() -> Result<()> {
        let cases: [(DeriveInput, &str); 6] = [
            (
                parse_quote!(
                    struct A<M, X: Backend> {
                        a: M,
                        b: L<X>,
                    }
                ),
                "Relevance < X >",
            ),
            (
                parse_quote!(
                    struct A<X: burn::AutodiffBackend> {
                        b: L<X>,
                    }
                ),
                "Relevance < X >",
            ),
            (
                parse_quote!(
                    struct A<X>
                    where
                        X: Backend,
                    {
                        b: L<X>,
                    }
                ),
                "Relevance < X >",
            ),
            (
                parse_quote!(
                    struct A<M, B> {
                        a: M,
                        b: L<B>,
                    }
                ),
                "Relevance < B >",
            ),
            (
                parse_quote!(
                    struct A {
                        a: Relu,
                    }
                ),
                "Relevance < __B >",
            ),
            (
                parse_quote!(
                    #[relevance(crate = "other::lrp")]
                    struct A {
                        a: Relu,
                    }
                ),
                "impl < __B : other :: lrp :: derive :: Backend > other :: lrp :: Relevance",
            ),
        ];
        for (input, contained) in cases {
            let found = relevance(&input)?.to_string();
            assert!(found.contains(contained), "{found}");
        }
        Ok(())
    }
}
