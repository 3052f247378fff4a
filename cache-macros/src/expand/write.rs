//! `#[invalidate]`: the site, the plan and the call.

use super::{Purpose, condition, handle, render, transaction};
use crate::item::signature::Style;
use crate::model::{Model, When, Write};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::spanned::Spanned as _;

/// Generate `let write0 = ..; let shape0 = ..;`, which read the arguments before the body may
/// consume them.
pub(crate) fn plan(model: &Model, write: &Write, place: usize, purpose: Purpose) -> TokenStream {
    let site = Span::mixed_site();
    let k = write.runtime.private(site);
    let (name, shape_name) = names(place);
    let static_site = declare(model, write, purpose == Purpose::Original);
    let condition = condition(write.condition.as_ref(), &write.context, &write.runtime);
    let render = render::patterns(&write.patterns, &write.context, &write.runtime);
    let plan = match &write.tx {
        Some(tx) => {
            let collector = transaction::collector(tx, &write.runtime);
            quote_spanned!(site=> #k::plan_in(#static_site, #collector, #condition, #render))
        }
        None => {
            let handle = handle(write.cache.as_ref(), &write.runtime);
            quote_spanned!(site=> #k::plan(#static_site, #handle, #condition, #render))
        }
    };
    let allowed = write.tx.as_ref().and_then(transaction::allowed);
    if model.facts.opaque.is_some() {
        return quote_spanned!(site=> #allowed let #name = #plan;);
    }
    let shape = shape(model, write);
    quote_spanned!(site=> #allowed let (#name, #shape_name) = (#plan, #shape);)
}

/// The shape of the return type. The compiler finds it, since aliases hide it from a macro.
fn shape(model: &Model, write: &Write) -> TokenStream {
    let output = &model.facts.output;
    let site = Span::mixed_site().located_at(output.span());
    let k = write.runtime.private(output.span());
    let judged = (write.when == When::Ok).then(|| quote_spanned!(site=> .__judged()));
    quote_spanned!(site=> #k::shape::ShapeProbe::<#output>::NEW.__shape() #judged)
}

/// Generate the call that runs `task` and invalidates.
pub(crate) fn run(model: &Model, write: &Write, place: usize, task: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = write.runtime.private(site);
    let (name, shape) = names(place);
    let output = model.facts.written_output();
    if model.facts.opaque.is_some() {
        return run_opaque(model, write, &name, task);
    }
    let results = render::results(write);
    let function = match model.facts.style {
        Style::Sync => quote_spanned!(site=> #k::write_sync),
        _ if write.when == When::Always => quote_spanned!(site=> #k::write_async_always),
        _ => quote_spanned!(site=> #k::write_async),
    };
    // Without the type, the closure over `result` would be checked before the compiler knows it.
    quote_spanned!(site=> #function::<#output, _, _, _>(#name, #shape, #results, #task))
}

/// Generate the call for a return type that only the compiler knows. The value is judged where the
/// compiler has seen the body, so after the task.
fn run_opaque(model: &Model, write: &Write, name: &Ident, task: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = write.runtime.private(site);
    let output = model.facts.written_output();
    let function = match model.facts.style {
        Style::Sync => quote_spanned!(site=> #k::write_sync_opaque),
        _ => quote_spanned!(site=> #k::write_async_opaque),
    };
    let succeeded = match write.when {
        When::Ok => quote_spanned!(site=> |value| #k::success::Judge::new(value).__succeeded()),
        _ => quote_spanned!(site=> |_| true),
    };
    quote_spanned!(site=> #function::<#output, _, _>(#name, #task, #succeeded))
}

/// Generate checks that refuse a pattern that matches the function's own key, which would undo
/// every fill.
pub(crate) fn own_key_checks(model: &Model) -> Option<TokenStream> {
    let read = model.read.as_ref()?;
    let key = read.key.as_ref()?;
    let key_shape = key.shape();
    let patterns = model.writes.iter().flat_map(|write| &write.patterns);
    Some(patterns.map(|pattern| {
        let span = pattern.literal.span();
        let site = Span::mixed_site().located_at(span);
        let k = read.runtime.private(span);
        let shape = pattern.shape();
        let message = format!(
            "the pattern `{}` matches this function's own key `{}`, so every call would remove the \
             entry it has just stored: remove the pattern, or narrow it; invalidate this key in \
             the functions that write the data",
            pattern.literal.value(),
            key.literal.value(),
        );
        // The message of an `assert!` is a format string.
        let message = message.replace('{', "{{").replace('}', "}}");
        quote_spanned! {site=>
            const _: () = ::core::assert!(!#k::reaches(#shape, #key_shape), #message);
        }
    }).collect())
}

fn names(place: usize) -> (Ident, Ident) {
    let span = Span::mixed_site();
    (
        format_ident!("write{place}", span = span),
        format_ident!("shape{place}", span = span),
    )
}

/// Generate a `&'static WriteSite`.
fn declare(model: &Model, write: &Write, submit: bool) -> TokenStream {
    let site = Span::mixed_site();
    let k = write.runtime.private(site);
    let function = &model.facts.name;
    let patterns = write.patterns.iter().map(|pattern| pattern.literal.value());
    let shapes = write.patterns.iter().map(|pattern| pattern.shape());
    let when = match write.when {
        When::Ok => None,
        When::Always => Some(quote_spanned!(site=> .always())),
        When::Before => Some(quote_spanned!(site=> .before())),
    };
    let debug = write.debug.then(|| quote_spanned!(site=> .debug()));
    let submit = submit.then(|| quote_spanned!(site=> #k::submit!(#k::Registered::Write(&SITE));));
    quote_spanned! {site=>
        {
            static SITE: #k::WriteSite = #k::WriteSite::new(
                #function, ::core::module_path!(), &[#(#patterns),*], &[#(#shapes),*],
            ) #when #debug;
            #submit
            &SITE
        }
    }
}
