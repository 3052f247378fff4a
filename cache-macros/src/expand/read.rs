//! `#[cacheable]`: the site, the lookup and the call.

use super::{Purpose, adapter, audit, context, handle, refresh, render, stored_shape, transaction};
use crate::attr::ttl::{Member, Ttl};
use crate::item::signature::Style;
use crate::model::{Model, Negative, Read, Refresher, Runtime};
use proc_macro2::Literal;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Ident, Pat};

/// Generate `let lookup = ..;`.
pub(crate) fn lookup(
    model: &Model,
    read: &Read,
    purpose: Purpose,
    render: &TokenStream,
) -> TokenStream {
    let site = Span::mixed_site();
    let original = purpose == Purpose::Original;
    // An async call that hits returns before its future is built: the state of that future would
    // take space, which is moved on every call. Not for a call that is wrapped by writes, which
    // need the value first, nor for a blocking one, which does its lookup in one call, unless what
    // comes after the lookup clones the arguments.
    let sync = matches!(model.facts.style, Style::Sync);
    let at_once = original && model.writes.is_empty() && (!sync || read.audit.is_some());
    let begin = begin(model, read, purpose, render, at_once);
    let lookup = match at_once {
        // In braces, so that the closure that writes the key is dropped before the arms.
        true => {
            let value = adapter::close(read, quote_spanned!(site=> value));
            quote_spanned! {site=>
                match { #begin } {
                    ::core::result::Result::Ok(value) => return #value,
                    ::core::result::Result::Err(lookup) => lookup,
                }
            }
        }
        false => begin,
    };
    let refresher = read.refresher.as_ref().filter(|_| original);
    let mode = refresher.map(|refresher| refresh::mode(read, refresher));
    quote_spanned! {site=>
        let lookup = #lookup;
        #mode
    }
}

/// Generate the expression for a `Lookup`; with `at_once`, for a value or a lookup.
fn begin(
    model: &Model,
    read: &Read,
    purpose: Purpose,
    render: &TokenStream,
    at_once: bool,
) -> TokenStream {
    let output = &model.facts.output;
    let handle = handle(read.cache.as_ref(), &read.runtime);
    let shape = stored_shape(model, read);
    let ttl = computed_ttl(&read.ttl, &read.context, &read.runtime);
    // An unsatisfied bound on the returned type is reported at that type.
    let site = Span::mixed_site().located_at(output.span());
    let k = read.runtime.private(output.span());
    if purpose == Purpose::Refresh {
        let this = call_site(model, read, true);
        let owned = owned(read, &quote_spanned!(site=> &#this));
        if read.tx.is_some() {
            return quote_spanned! {site=>
                #k::begin_refresh_if(!open, #this, #handle, #shape, #render, #ttl) #owned
            };
        }
        if is_plain(read) {
            return quote_spanned!(site=> #k::begin_refresh(#this, #shape, #render));
        }
        return quote_spanned! {site=>
            #k::begin_refresh_with(#this, #handle, #shape, #render, #ttl) #owned
        };
    }
    let this = static_site(model, read);
    let is_unconditional = read.condition.is_none() && read.tx.is_none();
    if read.refresher.is_none() && read.audit.is_none() && is_unconditional && is_plain(read) {
        let begin = match at_once {
            true => quote_spanned!(site=> answer),
            false => quote_spanned!(site=> begin),
        };
        return quote_spanned!(site=> #k::#begin(#this, #shape, #render));
    }
    let condition = transaction::condition(read);
    let begin = match (&read.audit, &read.refresher) {
        (Some(_), _) => quote_spanned!(site=> audit::begin_audited),
        (None, Some(_)) => quote_spanned!(site=> begin_refreshing),
        (None, None) => quote_spanned!(site=> begin_with),
    };
    let hit = at_once.then(|| quote_spanned!(site=> .hit()));
    if read.owner.is_none() {
        return quote_spanned! {site=>
            #k::#begin(#this, #handle, #condition, #shape, #render, #ttl) #hit
        };
    }
    let owned = owned(read, &quote_spanned!(site=> site));
    quote_spanned! {site=>
        {
            let site = #this;
            #k::#begin(site, #handle, #condition, #shape, #render, #ttl) #owned #hit
        }
    }
}

/// Generate the call that tells a lookup whose entry it is for.
fn owned(read: &Read, this: &TokenStream) -> Option<TokenStream> {
    let owner = read.owner.as_ref()?;
    let handle = handle(read.cache.as_ref(), &read.runtime);
    let of = render::owner(read, owner);
    Some(quote_spanned!(Span::mixed_site()=> .owned(#this, #handle, #of)))
}

/// Whether neither the cache nor the TTL is an expression, and there is no owner.
fn is_plain(read: &Read) -> bool {
    read.cache.is_none()
        && read.owner.is_none()
        && !matches!(read.ttl, Ttl::Computed(_) | Ttl::Preset(_, Some(_)))
}

/// Generate the call that returns the cached value or runs `task`.
pub(crate) fn run(model: &Model, read: &Read, purpose: Purpose, task: &TokenStream) -> TokenStream {
    match read.audit.as_ref().filter(|_| purpose == Purpose::Original) {
        Some(found) => {
            let run = run_once(
                model,
                read,
                purpose,
                &quote_spanned!(Span::mixed_site()=> task),
            );
            audit::around(model, read, found, task, &run)
        }
        None => run_once(model, read, purpose, task),
    }
}

fn run_once(model: &Model, read: &Read, purpose: Purpose, task: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let refresher = read
        .refresher
        .as_ref()
        .filter(|_| purpose == Purpose::Original);
    let detached = read.detached && purpose == Purpose::Original;
    let over_value = |closure| {
        let closure = match refresher {
            Some(Refresher::Background { .. }) => refresh::owning(closure),
            _ if detached => refresh::owning(closure),
            _ => closure.clone(),
        };
        over_value(&closure)
    };
    let ttl = match &read.ttl {
        Ttl::OfValue(closure) => Some(over_value(closure)),
        _ => None,
    };
    let unless = read.unless.as_ref().map(over_value);
    let sync = matches!(model.facts.style, Style::Sync);
    if let Some(negative) = &read.negative {
        return run_negative(read, negative, sync, ttl, unless, task);
    }
    if ttl.is_none() && unless.is_none() && refresher.is_none() && !detached {
        return match sync {
            true => quote_spanned!(site=> #k::read_sync(lookup, #task)),
            false => quote_spanned!(site=> #k::read_async(lookup, #task)),
        };
    }
    let ttl = ttl.unwrap_or_else(|| quote_spanned!(site=> #k::ttl_unset));
    let unless = unless.unwrap_or_else(|| quote_spanned!(site=> #k::unless_unset));
    if refresher.is_some() {
        let keeps = read.staleness.stale_if_error.is_some();
        return match model.facts.style {
            _ if detached && keeps => {
                // An error type that isn't `Send` is reported at the return type.
                let output = site.located_at(model.facts.output.span());
                let read = quote_spanned!(output=> read_detached_or_expired);
                quote_spanned!(site=> refresh.#read(lookup, #ttl, #unless, #task))
            }
            _ if detached => {
                quote_spanned!(site=> refresh.read_detached(lookup, #ttl, #unless, #task))
            }
            Style::Sync => quote_spanned!(site=> refresh.read_sync(lookup, #ttl, #unless, #task)),
            _ if keeps => {
                quote_spanned!(site=> refresh.read_async_or_expired(lookup, #ttl, #unless, #task))
            }
            _ => quote_spanned!(site=> refresh.read_async(lookup, #ttl, #unless, #task)),
        };
    }
    match model.facts.style {
        _ if detached => {
            quote_spanned!(site=> #k::mode::Background.read_detached(lookup, #ttl, #unless, #task))
        }
        Style::Sync => quote_spanned!(site=> #k::read_sync_if(lookup, #ttl, #unless, #task)),
        _ => quote_spanned!(site=> #k::read_async_if(lookup, #ttl, #unless, #task)),
    }
}

/// Generate the call of a function with `cache_err`.
fn run_negative(
    read: &Read,
    negative: &Negative,
    sync: bool,
    ttl: Option<TokenStream>,
    unless: Option<TokenStream>,
    task: &TokenStream,
) -> TokenStream {
    let Negative {
        cache_err,
        ttl: err_ttl,
        err,
    } = negative;
    // An error that can't be stored, and a type that has none, are reported at the option.
    let site = Span::mixed_site().located_at(cache_err.span());
    let k = read.runtime.private(cache_err.span());
    let ttl = ttl.unwrap_or_else(|| quote_spanned!(site=> #k::ttl_unset));
    let unless = unless.unwrap_or_else(|| quote_spanned!(site=> #k::unless_unset));
    let err_ttl = match err_ttl {
        Ttl::Fixed(millis) => {
            let millis = Literal::u64_unsuffixed(*millis);
            quote_spanned!(site=> #k::Ttl::Fixed(::core::time::Duration::from_millis(#millis)))
        }
        Ttl::Preset(name, _) => quote_spanned!(site=> #k::Ttl::Preset(#name)),
        Ttl::Computed(ttl) | Ttl::OfValue(ttl) => {
            let at = site.located_at(ttl.span());
            quote_spanned!(at=> #k::err_ttl(#ttl))
        }
        Ttl::Default => quote_spanned!(site=> #k::Ttl::Default),
    };
    let function = match (sync, err) {
        (true, None) => quote_spanned!(site=> read_sync_err),
        (true, Some(_)) => quote_spanned!(site=> read_sync_made_err),
        (false, None) => quote_spanned!(site=> read_async_err),
        (false, Some(_)) => quote_spanned!(site=> read_async_made_err),
    };
    let err = err.as_ref().map(|err| quote_spanned!(site=> #err,));
    quote_spanned! {site=>
        #k::#function(lookup, #ttl, #unless, #err_ttl, #cache_err, #err #task)
    }
}

/// A closure over the value. If it declares its argument's type, its call is wrapped: a value that
/// only derefs to that type, as that of a type that can't be stored does, then causes no further
/// error.
pub(super) fn over_value(closure: &Expr) -> TokenStream {
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

/// Whether there is a `_` for the compiler to infer.
fn names_placeholder(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "_",
        TokenTree::Group(group) => names_placeholder(group.stream()),
        _ => false,
    })
}

/// Generate a `&'static ReadSite` that is registered in the program's list.
pub(super) fn static_site(model: &Model, read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let (function, template, shape, mut options) = site_arguments(model, read, true);
    if read.key.is_some() && varies(model, read) {
        options.extend(quote_spanned!(site=> .varies()));
    }
    if let Some(audit) = &read.audit {
        options.extend(match audit.rate {
            Some(rate) => {
                let rate = Literal::f64_suffixed(rate);
                quote_spanned!(site=> .audited_at(#rate))
            }
            None => quote_spanned!(site=> .audited()),
        });
    }
    quote_spanned!(site=> #k::site!(#function, #template, #shape, #options))
}

/// Whether one path may have several entries.
fn varies(model: &Model, read: &Read) -> bool {
    let generics = &model.function.sig.generics;
    let is_generic =
        generics.type_params().next().is_some() || generics.const_params().next().is_some();
    let hashes_owner = read.owner.as_ref().is_some_and(|owner| !owner.in_key);
    is_generic || hashes_owner || !read.hashed.is_empty() || !context::hashed(read).is_empty()
}

/// Generate a `ReadSite`. Only options that differ from the default are set.
pub(crate) fn call_site(model: &Model, read: &Read, stored: bool) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let (function, template, shape, options) = site_arguments(model, read, stored);
    quote_spanned!(site=> #k::call_site!(#function, #template, #shape, #options))
}

/// The arguments of a site macro. Storage options are included only if the site stores entries.
fn site_arguments<'a>(
    model: &'a Model,
    read: &Read,
    stored: bool,
) -> (&'a str, String, String, TokenStream) {
    let site = Span::mixed_site();
    let template = read.key.as_ref().map(|key| key.literal.value());
    let shape = read.key.as_ref().map(|key| key.shape());
    let mut options = TokenStream::new();
    if read.key.as_ref().is_some_and(|key| !key.is_separated()) {
        options.extend(quote_spanned!(site=> .together()));
    }
    if read.key.is_none() {
        options.extend(name_at(model));
    }
    if read.debug {
        options.extend(quote_spanned!(site=> .debug()));
    }
    if stored {
        options.extend(storage_options(read));
    }
    (
        &model.facts.name,
        template.unwrap_or_default(),
        shape.unwrap_or_default(),
        options,
    )
}

/// Generate a call with the position of the function's name. The attribute of a function generated
/// by a macro has the position of the macro call, so two such functions may otherwise have the same
/// name and position.
fn name_at(model: &Model) -> Option<TokenStream> {
    if !proc_macro::is_available() {
        return None;
    }
    let name = model.function.sig.ident.span().unwrap().start();
    let number = |number| Literal::u32_unsuffixed(u32::try_from(number).unwrap_or_default());
    let (line, column) = (number(name.line()), number(name.column()));
    Some(quote_spanned!(Span::mixed_site()=> .name_at(#line, #column)))
}

fn storage_options(read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    let mut options = ttl_option(&read.ttl);
    if read.cache_none {
        options.extend(quote_spanned!(site=> .cache_none()));
    }
    if read.version > 0 {
        let version = Literal::u32_unsuffixed(read.version);
        options.extend(quote_spanned!(site=> .version(#version)));
    }
    if let Some(owner) = &read.owner {
        let shape = &owner.shape;
        options.extend(quote_spanned!(site=> .owner(#shape)));
    }
    if !read.near {
        options.extend(quote_spanned!(site=> .not_near()));
    }
    options.extend(refresh::options(read));
    options
}

/// Let a TTL see the names of the context. Without the context nothing is stored.
fn with_context(
    context: &[Ident],
    runtime: &Runtime,
    ttl: &Expr,
    value: TokenStream,
) -> TokenStream {
    let none = quote_spanned!(Span::mixed_site()=> ::core::option::Option::None);
    context::expression(context, ttl, runtime, &none, value)
}

/// The option of a site for its TTL.
pub(super) fn ttl_option(ttl: &Ttl) -> TokenStream {
    let site = Span::mixed_site();
    match ttl {
        Ttl::Default => TokenStream::new(),
        Ttl::Fixed(millis) => {
            let millis = Literal::u64_unsuffixed(*millis);
            quote_spanned!(site=> .ttl(#millis))
        }
        Ttl::Preset(name, None) => quote_spanned!(site=> .preset(#name)),
        Ttl::Preset(name, Some(_)) => quote_spanned!(site=> .preset_family(#name)),
        Ttl::Computed(_) | Ttl::OfValue(_) => quote_spanned!(site=> .computed_ttl()),
    }
}

/// Generate the closure that returns the TTL of a value that is to be stored.
pub(super) fn computed_ttl(ttl: &Ttl, context: &[Ident], runtime: &Runtime) -> TokenStream {
    let site = Span::mixed_site();
    match ttl {
        Ttl::Computed(ttl) => {
            let k = runtime.private(ttl.span());
            let at = site.located_at(ttl.span());
            let value = quote_spanned!(at=> #k::ttl(#ttl));
            let value = with_context(context, runtime, ttl, value);
            quote_spanned!(at=> |_| #value)
        }
        Ttl::Preset(_, Some(Member { family, expr })) => {
            let at = site.located_at(expr.span());
            let value = quote_spanned!(at=> presets.member(#family, &(#expr)));
            let value = with_context(context, runtime, expr, value);
            quote_spanned!(at=> |presets| #value)
        }
        _ => {
            let k = runtime.private(site);
            quote_spanned!(site=> #k::none)
        }
    }
}
