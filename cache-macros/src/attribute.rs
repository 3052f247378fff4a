//! Entry points: from the tokens of an attribute and its item to the tokens that replace them.

use crate::attr::{Attached, Kind};
use crate::diagnostics::errors::Errors;
use crate::expand;
use crate::item::function::Function;
use crate::model::Model;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, Meta};

/// Expand `#[cacheable(args)] item`.
pub(crate) fn cacheable(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute(Kind::Cacheable, args, item)
}

/// Expand `#[invalidate(args)] item`.
pub(crate) fn invalidate(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute(Kind::Invalidate, args, item)
}

/// Expand `#[write_through(args)] item`.
pub(crate) fn write_through(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute(Kind::WriteThrough, args, item)
}

fn attribute(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            // Keep the item: without it, every use of it would be one more error.
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let mut attached = vec![Attached {
        kind,
        span: Span::call_site(),
        args,
    }];
    let uses = take_others(&mut function.attrs, &mut attached, &mut errors);
    let body = &function.body;
    function.body = quote!(#uses #body);
    let model = Model::new(function, &attached, &mut errors);
    match errors.into_tokens() {
        None => expand::expand(&model),
        Some(errors) => {
            let as_written = model.function.with_body(&model.function.body);
            let stubs = expand::companions::stubs(&model);
            quote!(#as_written #errors #stubs)
        }
    }
}

/// Remove our other attributes from the function, so that all are read together, whatever their
/// order. Return `use` lines of their paths: an import that only they need would otherwise be
/// reported as unused.
fn take_others(
    attrs: &mut Vec<Attribute>,
    attached: &mut Vec<Attached>,
    errors: &mut Errors,
) -> TokenStream {
    let mut uses = TokenStream::new();
    attrs.retain(|attr| {
        let Some(kind) = kind_of(attr) else {
            return true;
        };
        let path = attr.path();
        uses.extend(quote_spanned! {Span::mixed_site()=>
            #[allow(unused_imports)]
            use #path as _;
        });
        let args = match &attr.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(_) => {
                errors.on(
                    attr,
                    "options must be in parentheses: write `#[cacheable(ttl = 600)]`",
                );
                return false;
            }
        };
        attached.push(Attached {
            kind,
            span: attr.path().span(),
            args,
        });
        false
    });
    uses
}

fn kind_of(attr: &Attribute) -> Option<Kind> {
    let last = attr.path().segments.last()?;
    if last.ident == "cacheable" {
        Some(Kind::Cacheable)
    } else if last.ident == "invalidate" {
        Some(Kind::Invalidate)
    } else if last.ident == "write_through" {
        Some(Kind::WriteThrough)
    } else {
        None
    }
}
