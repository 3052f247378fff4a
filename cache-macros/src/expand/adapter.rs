//! `value` and `response`: the conversions around the cached function.

use crate::item::signature::Style;
use crate::model::{Adapter, Model, Read};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;

/// Generate `let adapter = ..;`.
pub(super) fn declare(model: &Model, read: &Read) -> Option<TokenStream> {
    let Adapter { value, response } = read.adapter.as_ref()?;
    let output = &model.facts.output;
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    // A closure of the wrong type is reported at the closure.
    let (at_value, at_response) = (
        site.located_at(value.span()),
        site.located_at(response.span()),
    );
    let value = quote_spanned!(at_value=> .__value(#value));
    let response = quote_spanned!(at_response=> .__response(#response));
    Some(quote_spanned! {site=>
        let adapter = #k::adapter::Outer::<#output>::NEW.__shape() #value #response;
    })
}

/// The shape of the type that the cached function returns.
pub(super) fn shape(adapter: &Adapter) -> TokenStream {
    let site = Span::mixed_site().located_at(adapter.value.span());
    quote_spanned!(site=> adapter.returns().__shape().__fit())
}

/// Generate the value of a hit.
pub(super) fn close(read: &Read, value: TokenStream) -> TokenStream {
    match &read.adapter {
        Some(_) => quote_spanned!(Span::mixed_site()=> adapter.close(#value)),
        None => value,
    }
}

/// Generate a read of the converted type, whose result is converted back.
pub(super) fn around(
    model: &Model,
    read: &Read,
    task: &TokenStream,
    run: impl FnOnce(&TokenStream) -> TokenStream,
) -> TokenStream {
    if read.adapter.is_none() {
        return run(task);
    }
    let site = Span::mixed_site();
    match model.facts.style {
        Style::Sync => {
            let run = run(&quote_spanned! {site=>
                {
                    let task = #task;
                    move || adapter.open(task())
                }
            });
            quote_spanned!(site=> adapter.close(#run))
        }
        _ => {
            let run = run(&quote_spanned!(site=> adapter.open_async(#task)));
            quote_spanned!(site=> adapter.close_async(#run))
        }
    }
}
