//! The companions of `get_post`: `get_post_no_cache`, `get_post_cache_key`, `get_post_cache_path`,
//! `get_post_invalidate` and `get_post_refresh`. None calls another: a macro can't know whether
//! they are in an `impl`, where the call would be `Self::get_post`.

use super::head::Head;
use super::{Purpose, body, handle, read, render};
use crate::model::{Model, Read};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

/// Generate all companions.
pub(crate) fn all(model: &Model, computation: &TokenStream) -> TokenStream {
    let Some(cached) = &model.read else {
        return TokenStream::new();
    };
    // Generate the parts that several companions share once: cargo compiles macros without
    // optimization, so each token counts.
    let render = render::key(
        cached,
        &model.facts.arguments,
        render::Diagnostics::Suppressed,
    );
    let head = Head::new(model);
    let no_cache = body(model, Purpose::NoCache, computation, &render);
    if cached.each.is_some() {
        // The others are about one entry.
        return computing(&head, Purpose::NoCache, no_cache);
    }
    let entry = entry(model, cached, &render);
    let refresh = body(model, Purpose::Refresh, computation, &render);
    let mut tokens = computing(&head, Purpose::NoCache, no_cache);
    tokens.extend(cache_key(&head, key_call(cached, &entry)));
    tokens.extend(cache_path(&head, path_call(cached, &entry)));
    let removed = invalidate_call(model, cached, &entry);
    tokens.extend(invalidate(&head, cached, removed));
    tokens.extend(computing(&head, Purpose::Refresh, refresh));
    tokens
}

/// Generate companions with the same names after an error, so that calls of them aren't errors as
/// well.
pub(crate) fn stubs(model: &Model) -> TokenStream {
    let Some(cached) = model.read.as_ref().filter(|_| model.companions) else {
        return TokenStream::new();
    };
    let never = quote_spanned!(Span::mixed_site()=> ::core::unreachable!());
    let as_written = &model.function.body;
    let head = Head::new(model);
    let mut tokens = computing(&head, Purpose::NoCache, as_written.clone());
    if cached.each.is_some() {
        return tokens;
    }
    tokens.extend(cache_key(&head, never.clone()));
    tokens.extend(cache_path(&head, never.clone()));
    tokens.extend(invalidate(&head, cached, never));
    tokens.extend(computing(&head, Purpose::Refresh, as_written.clone()));
    tokens
}

fn computing(head: &Head<'_>, purpose: Purpose, body: TokenStream) -> TokenStream {
    let name = head.name;
    let (suffix, doc) = match purpose {
        Purpose::Refresh => (
            "_refresh",
            format!(" Run `{name}` and store its value, even if one is cached."),
        ),
        _ => (
            "_no_cache",
            format!(" Run `{name}` without the cache: no entry is read or stored."),
        ),
    };
    head.function(suffix, &doc, &head.asyncness, &head.output, &body)
}

fn cache_key(head: &Head<'_>, body: TokenStream) -> TokenStream {
    let name = head.name;
    let doc =
        format!(" Return the full key of the entry that `{name}` reads with these arguments.");
    let output = quote_spanned!(Span::mixed_site()=> -> ::std::string::String);
    head.function("_cache_key", &doc, &TokenStream::new(), &output, &body)
}

fn cache_path(head: &Head<'_>, body: TokenStream) -> TokenStream {
    let name = head.name;
    let doc = format!(
        " Return the key, without the prefix, of the entry that `{name}` reads with these arguments."
    );
    let output = quote_spanned!(Span::mixed_site()=> -> ::std::string::String);
    head.function("_cache_path", &doc, &TokenStream::new(), &output, &body)
}

fn invalidate(head: &Head<'_>, read: &Read, body: TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let name = head.name;
    let doc = format!(
        " Remove the entry that `{name}` reads with these arguments; return `true` if it existed."
    );
    let output = quote_spanned! {site=>
        -> ::core::result::Result<::core::primitive::bool, #k::CacheError>
    };
    head.function("_invalidate", &doc, &head.asyncness, &output, &body)
}

fn key_call(read: &Read, entry: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    quote_spanned!(site=> #k::cache_key #entry)
}

fn path_call(read: &Read, entry: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    quote_spanned!(site=> #k::cache_path #entry)
}

fn invalidate_call(model: &Model, read: &Read, entry: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    if model.function.sig.asyncness.is_none() {
        return quote_spanned!(site=> #k::invalidate_entry_sync #entry);
    }
    // Create the future first: the closure's borrows must not be held while it is awaited.
    quote_spanned! {site=>
        let removal = #k::invalidate_entry #entry;
        removal.await
    }
}

/// The arguments that identify an entry, in their parentheses.
fn entry(model: &Model, cached: &Read, render: &TokenStream) -> TokenStream {
    let this = read::call_site(model, cached, false);
    let handle = handle(cached.cache.as_ref(), &cached.runtime);
    quote_spanned!(Span::mixed_site()=> (#this, #handle, #render))
}
