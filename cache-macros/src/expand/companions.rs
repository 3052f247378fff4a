//! The companions of `get_post`: `get_post_no_cache`, `get_post_cache_key`, `get_post_invalidate` and
//! `get_post_refresh`. None calls another: a macro can't know whether they stand in an `impl`, where it would be
//! `Self::get_post`.

use super::{Purpose, body, handle, read, render};
use crate::function::Function;
use crate::model::{Model, Read};
use crate::signature::cfgs;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote_spanned};
use syn::{Attribute, Signature, parse_quote, parse_quote_spanned};

/// All four.
pub(crate) fn all(model: &Model) -> TokenStream {
    let Some(cached) = &model.read else {
        return TokenStream::new();
    };
    let mut tokens = computing(model, Purpose::NoCache, body(model, Purpose::NoCache));
    tokens.extend(cache_key(model, key_call(model, cached)));
    tokens.extend(invalidate(model, cached, invalidate_call(model, cached)));
    tokens.extend(computing(
        model,
        Purpose::Refresh,
        body(model, Purpose::Refresh),
    ));
    tokens
}

/// After an error: the same names, so that their callers aren't errors as well.
pub(crate) fn stubs(model: &Model) -> TokenStream {
    let Some(cached) = model.read.as_ref().filter(|_| model.companions) else {
        return TokenStream::new();
    };
    let never = quote_spanned!(Span::mixed_site()=> ::core::unreachable!());
    let as_written = &model.function.body;
    let mut tokens = computing(model, Purpose::NoCache, as_written.clone());
    tokens.extend(cache_key(model, never.clone()));
    tokens.extend(invalidate(model, cached, never));
    tokens.extend(computing(model, Purpose::Refresh, as_written.clone()));
    tokens
}

fn computing(model: &Model, purpose: Purpose, body: TokenStream) -> TokenStream {
    let name = &model.facts.name;
    let (suffix, doc) = match purpose {
        Purpose::Refresh => (
            "_refresh",
            format!("`{name}`, computed and stored anew, whatever the cache holds."),
        ),
        _ => (
            "_no_cache",
            format!("`{name}` without the cache: no entry is read or stored."),
        ),
    };
    function(model, suffix, &doc, body, |_| {})
}

fn cache_key(model: &Model, body: TokenStream) -> TokenStream {
    let doc = format!(
        "The full key of the entry that `{}` reads with these arguments.",
        model.facts.name
    );
    function(model, "_cache_key", &doc, body, |sig| {
        sig.asyncness = None;
        sig.output = parse_quote_spanned!(Span::mixed_site()=> -> ::std::string::String);
    })
}

fn invalidate(model: &Model, read: &Read, body: TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let doc = format!(
        "Removes the one entry that `{}` reads with these arguments; `true` if there was one.",
        model.facts.name
    );
    function(model, "_invalidate", &doc, body, |sig| {
        sig.output = parse_quote_spanned! {site=>
            -> ::core::result::Result<::core::primitive::bool, #k::CacheError>
        };
    })
}

fn key_call(model: &Model, read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let (this, handle, render) = entry(model, read);
    quote_spanned!(site=> #k::cache_key(#this, #handle, #render))
}

fn invalidate_call(model: &Model, read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let (this, handle, render) = entry(model, read);
    if model.function.sig.asyncness.is_none() {
        return quote_spanned!(site=> #k::invalidate_entry_sync(#this, #handle, #render));
    }
    // The future first: what the closure borrows must not be held while it is awaited.
    quote_spanned! {site=>
        let removal = #k::invalidate_entry(#this, #handle, #render);
        removal.await
    }
}

fn entry(model: &Model, cached: &Read) -> (TokenStream, TokenStream, TokenStream) {
    (
        read::call_site(model, cached, false),
        handle(cached.cache.as_ref(), &cached.runtime),
        render::key(cached, &model.facts.arguments, render::Voice::Quiet),
    )
}

/// A sibling of the annotated function, with its arguments.
fn function(
    model: &Model,
    suffix: &str,
    doc: &str,
    body: TokenStream,
    change: impl FnOnce(&mut Signature),
) -> TokenStream {
    let mut sig = model.function.sig.clone();
    sig.ident = format_ident!("{}{suffix}", model.facts.name, span = sig.ident.span());
    change(&mut sig);
    generated(&mut sig);
    let mut attrs: Vec<Attribute> = cfgs(&model.function.attrs).cloned().collect();
    let doc = format!(" {doc}");
    attrs.push(parse_quote!(#[doc = #doc]));
    attrs.push(parse_quote!(
        #[allow(
            unused, unreachable_pub, deprecated, nonstandard_style, private_bounds,
            private_interfaces, clippy::all, clippy::nursery, clippy::pedantic,
        )]
    ));
    attrs.extend(allowed(&model.function.attrs));
    Function {
        attrs,
        vis: model.function.vis.clone(),
        sig,
        inner: model.function.inner.clone(),
        braces: Span::mixed_site(),
        body,
    }
    .into_token_stream()
}

/// Makes the signature one of generated code. So in the `impl` of a trait, which knows no companions, the compiler points
/// at the attribute, and not at the function as if that were the stranger.
fn generated(sig: &mut Signature) {
    let site = Span::mixed_site();
    sig.fn_token.span = site;
    if let Some(asyncness) = &mut sig.asyncness {
        asyncness.span = site;
    }
}

/// What the function may do without a warning, its copies may do as well. An `expect` becomes an `allow`: the list above
/// may have silenced what it expects.
fn allowed(attrs: &[Attribute]) -> impl Iterator<Item = Attribute> {
    attrs.iter().filter_map(|attr| {
        let list = attr.meta.require_list().ok()?;
        let lints = &list.tokens;
        let is_level = attr.path().is_ident("allow") || attr.path().is_ident("expect");
        is_level.then(|| parse_quote!(#[allow(#lints)]))
    })
}
