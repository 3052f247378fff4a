//! `#[cacheable]`: the site, the lookup and the call.

use super::{Purpose, condition, handle, place, refresh, render, stored_shape};
use crate::model::{Model, Read};
use crate::signature::Style;
use crate::ttl::Ttl;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Pat};

/// `let lookup = ..;`
pub(crate) fn lookup(model: &Model, read: &Read, purpose: Purpose) -> TokenStream {
    let output = &model.facts.output;
    let (companion, voice) = match purpose {
        Purpose::Refresh => ("_refresh", render::Voice::Quiet),
        _ => ("", render::Voice::Loud),
    };
    let static_site = declare(model, read, companion, purpose == Purpose::Original);
    let handle = handle(read.cache.as_ref(), &read.runtime);
    let shape = stored_shape(model, &read.runtime);
    let render = render::key(read, &model.facts.arguments, voice);
    let ttl = computed_ttl(read);
    // A bound that the returned type misses is an error about that type.
    let site = Span::mixed_site().located_at(output.span());
    let k = read.runtime.private(output.span());
    if purpose == Purpose::Refresh {
        return quote_spanned! {site=>
            let lookup = #k::begin_refresh::<#output, _, _, _>(
                #static_site, #handle, #shape, #render, #ttl,
            );
        };
    }
    let condition = condition(read.condition.as_ref());
    if let Some(refresher) = &read.refresher {
        let mode = refresh::mode(read, refresher);
        return quote_spanned! {site=>
            let lookup = #k::begin_refreshing::<#output, _, _, _>(
                #static_site, #handle, #condition, #shape, #render, #ttl,
            );
            #mode
        };
    }
    quote_spanned! {site=>
        let lookup = #k::begin::<#output, _, _, _>(
            #static_site, #handle, #condition, #shape, #render, #ttl,
        );
    }
}

/// The call that gives the cached value or runs `task`.
pub(crate) fn run(model: &Model, read: &Read, purpose: Purpose, task: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let refresher = read
        .refresher
        .as_ref()
        .filter(|_| purpose == Purpose::Original);
    let over_value = |closure| over_value(&refresh::owning(closure, refresher));
    let ttl = match &read.ttl {
        Ttl::OfValue(closure) => over_value(closure),
        _ => quote_spanned!(site=> #k::ttl_unset),
    };
    let unless = match &read.unless {
        Some(unless) => over_value(unless),
        None => quote_spanned!(site=> #k::unless_unset),
    };
    if refresher.is_some() {
        let keeps = read.freshness.stale_if_error.is_some();
        return match model.facts.style {
            Style::Sync => quote_spanned!(site=> refresh.read_sync(lookup, #ttl, #unless, #task)),
            _ if keeps => {
                quote_spanned!(site=> refresh.read_async_or_expired(lookup, #ttl, #unless, #task))
            }
            _ => quote_spanned!(site=> refresh.read_async(lookup, #ttl, #unless, #task)),
        };
    }
    match model.facts.style {
        Style::Sync => quote_spanned!(site=> #k::read_sync(lookup, #ttl, #unless, #task)),
        _ => quote_spanned!(site=> #k::read_async(lookup, #ttl, #unless, #task)),
    }
}

/// A closure over the value. One that declares its argument's type is called with a value that may only deref to it, as
/// that of a type that can't be stored does: then that is the one error.
fn over_value(closure: &Expr) -> TokenStream {
    let (declared, capture) = match closure {
        Expr::Closure(closure) => (closure.inputs.first(), closure.capture),
        _ => (None, None),
    };
    let is_complete = |pat: &Pat| matches!(pat, Pat::Type(typed) if !names_placeholder(typed.ty.to_token_stream()));
    if !declared.is_some_and(is_complete) {
        return closure.to_token_stream();
    }
    let site = Span::mixed_site().located_at(closure.span());
    quote_spanned! {site=>
        #capture |value| {
            let closure = #closure;
            closure(value)
        }
    }
}

/// Whether there is a `_`, for the compiler to fill in.
fn names_placeholder(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "_",
        TokenTree::Group(group) => names_placeholder(group.stream()),
        _ => false,
    })
}

/// A `&'static ReadSite`.
pub(crate) fn declare(model: &Model, read: &Read, companion: &str, submit: bool) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let function = &model.facts.name;
    let place = place();
    let template = read.key.as_ref().map(|key| key.literal.value());
    let template = template.unwrap_or_default();
    let shape = read.key.as_ref().map(|key| key.shape()).unwrap_or_default();
    let ttl = site_ttl(read);
    let (cache_none, debug) = (read.cache_none, read.debug);
    let version = proc_macro2::Literal::u32_unsuffixed(read.version);
    let options = site_options(read);
    let submit = submit.then(|| quote_spanned!(site=> #k::submit!(#k::Registered::Read(&SITE));));
    quote_spanned! {site=>
        {
            static SITE: #k::ReadSite = #k::ReadSite::new(#k::ReadInfo {
                function: #function,
                companion: #companion,
                #place
                template: #template,
                shape: #shape,
                ttl: #ttl,
                cache_none: #cache_none,
                version: #version,
                debug: #debug,
                options: #options,
            });
            #submit
            &SITE
        }
    }
}

/// What few functions say: only that is named.
fn site_options(read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let mut named = TokenStream::new();
    if !read.near {
        named.extend(quote_spanned!(site=> near: false,));
    }
    named.extend(refresh::options(read));
    if named.is_empty() {
        return quote_spanned!(site=> #k::ReadOptions::DEFAULT);
    }
    quote_spanned!(site=> #k::ReadOptions { #named ..#k::ReadOptions::DEFAULT })
}

fn site_ttl(read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    match &read.ttl {
        Ttl::Default => quote_spanned!(site=> #k::Ttl::Default),
        Ttl::Fixed(millis) => {
            let millis = proc_macro2::Literal::u64_unsuffixed(*millis);
            quote_spanned!(site=> #k::Ttl::Fixed(::core::time::Duration::from_millis(#millis)))
        }
        Ttl::Preset(name) => quote_spanned!(site=> #k::Ttl::Preset(#name)),
        Ttl::Computed(_) | Ttl::OfValue(_) => quote_spanned!(site=> #k::Ttl::Computed),
    }
}

/// The closure that is asked for the TTL on a miss.
fn computed_ttl(read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    match &read.ttl {
        Ttl::Computed(ttl) => {
            let k = read.runtime.private(ttl.span());
            quote_spanned!(site.located_at(ttl.span())=> || #k::ttl(#ttl))
        }
        _ => {
            let k = read.runtime.private(site);
            quote_spanned!(site=> || #k::none())
        }
    }
}
