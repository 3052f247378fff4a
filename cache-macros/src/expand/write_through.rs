//! `#[write_through]`: the site, the plan and the call.

use super::read::{computed_ttl, over_value, ttl_option};
use super::{context, handle, render, shape_of_stored, transaction};
use crate::attr::ttl::Ttl;
use crate::item::signature::Style;
use crate::model::{Model, WriteThrough};
use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;

/// Generate `let through = ..;`, which renders the key before the body may consume the arguments.
pub(super) fn begin(model: &Model, write: &WriteThrough) -> TokenStream {
    let site = Span::mixed_site();
    let k = write.runtime.private(site);
    let static_site = static_site(model, write);
    let render = render::template(&write.key, &write.context, &write.runtime);
    let ttl = computed_ttl(&write.ttl, &write.context, &write.runtime);
    let Some(tx) = &write.tx else {
        let handle = handle(write.cache.as_ref(), &write.runtime);
        return quote_spanned! {site=>
            let through = #k::begin_write_through(#static_site, #handle, #render, #ttl);
        };
    };
    let open = transaction::declare(Some(tx), &write.runtime);
    let collector = transaction::collector(tx, &write.runtime);
    let allowed = transaction::allowed(tx);
    quote_spanned! {site=>
        #open
        #allowed
        let through = #k::begin_write_through_in(#static_site, #collector, #render, #ttl);
    }
}

/// Generate the call that runs `task` and stores its value.
pub(super) fn run(model: &Model, write: &WriteThrough, task: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = write.runtime.private(site);
    let shape = shape_of_stored(model, &write.runtime);
    let ttl = match &write.ttl {
        Ttl::OfValue(closure) => over_value(closure),
        _ => quote_spanned!(site=> #k::ttl_unset),
    };
    let unless = match &write.unless {
        Some(unless) => over_value(unless),
        None => quote_spanned!(site=> #k::unless_unset),
    };
    let function = match model.facts.style {
        Style::Sync => quote_spanned!(site=> write_through_sync),
        _ => quote_spanned!(site=> write_through_async),
    };
    quote_spanned!(site=> #k::#function(through, #shape, #ttl, #unless, #task))
}

/// Generate checks that refuse a pattern that matches the function's own key in every call: it
/// would take the lease away, and the value would never be stored.
pub(super) fn own_key_checks(model: &Model, write: &WriteThrough) -> TokenStream {
    let mut known = Vec::new();
    let key_shape = write.key.shape_of_call(&mut known);
    let patterns = model.writes.iter().flat_map(|write| &write.patterns);
    let check = patterns.map(|pattern| {
        let span = pattern.literal.span();
        let site = Span::mixed_site().located_at(span);
        let k = write.runtime.private(span);
        let shape = pattern.shape_of_call(&mut known);
        let message = format!(
            "the pattern `{}` matches this function's own key `{}`, so the value would be removed \
             instead of stored: narrow the pattern, or remove it; `#[write_through]` replaces this \
             entry by itself",
            pattern.literal.value(),
            write.key.literal.value(),
        );
        // The message of an `assert!` is a format string.
        let message = message.replace('{', "{{").replace('}', "}}");
        quote_spanned! {site=>
            const _: () = ::core::assert!(!#k::reaches(#shape, #key_shape), #message);
        }
    });
    check.collect()
}

/// Generate a `&'static ReadSite` that is registered in the program's list.
fn static_site(model: &Model, write: &WriteThrough) -> TokenStream {
    let site = Span::mixed_site();
    let k = write.runtime.private(site);
    let (function, template) = (&model.facts.name, write.key.literal.value());
    let shape = write.key.shape();
    let mut options = TokenStream::new();
    if !write.key.is_separated() {
        options.extend(quote_spanned!(site=> .together()));
    }
    // A function that reads with the same names has an entry for each of their values.
    if context::outside(&write.context, Some(&write.key))
        .next()
        .is_some()
    {
        options.extend(quote_spanned!(site=> .varies()));
    }
    if write.debug {
        options.extend(quote_spanned!(site=> .debug()));
    }
    options.extend(ttl_option(&write.ttl));
    if write.cache_none {
        options.extend(quote_spanned!(site=> .cache_none()));
    }
    if write.version > 0 {
        let version = Literal::u32_unsuffixed(write.version);
        options.extend(quote_spanned!(site=> .version(#version)));
    }
    quote_spanned!(site=> #k::write_through_site!(#function, #template, #shape, #options))
}
