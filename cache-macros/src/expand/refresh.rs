//! `stale`, `stale_if_error` and `early`: where a value is recomputed.

use crate::attr::ttl::ungrouped;
use crate::model::Read;
use crate::model::Refresher;
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Expr;
use syn::spanned::Spanned as _;

/// Generate `let refresh = ..;`: the background or the caller, depending on the types of the
/// arguments.
pub(crate) fn mode(read: &Read, refresher: &Refresher) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let Refresher::Background {
        arguments,
        required,
    } = refresher
    else {
        return quote_spanned!(site=> let refresh = #k::mode::Caller;);
    };
    // Named outside of the glob import, which could shadow one of the user's types.
    let arguments = arguments.iter().map(|argument| {
        let (ty, cfgs) = (&argument.ty, &argument.cfgs);
        let site = site.located_at(ty.span());
        if *required {
            quote_spanned!(site=> #(#cfgs)* let probe = probe.and_owned::<#ty>();)
        } else {
            quote_spanned!(site=> #(#cfgs)* let probe = probe.and::<#ty>();)
        }
    });
    quote_spanned! {site=>
        let refresh = {
            let probe = #k::mode::RefreshProbe::NEW;
            #(#arguments)*
            {
                #[allow(unused_imports)]
                use #k::mode::probe::*;
                probe.__mode()
            }
        };
    }
}

/// Make a closure of the attribute that may outlive the call own its captures. They are copies,
/// since the body may consume the originals.
pub(crate) fn owning(closure: &Expr) -> Expr {
    let mut closure = ungrouped(closure).clone();
    if let Expr::Closure(closure) = &mut closure {
        let span = closure.inputs_begin.span;
        closure.capture.get_or_insert(syn::token::Move { span });
    }
    closure
}

/// The staleness options of the call site.
pub(crate) fn options(read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    let staleness = &read.staleness;
    let mut named = TokenStream::new();
    if staleness.stale > 0 {
        let millis = proc_macro2::Literal::u64_unsuffixed(staleness.stale);
        named.extend(quote_spanned!(site=> .stale(#millis)));
    }
    if let Some(option) = &staleness.stale_if_error {
        let millis = proc_macro2::Literal::u64_unsuffixed(option.millis);
        named.extend(quote_spanned!(site=> .stale_if_error(#millis)));
    }
    if staleness.early {
        named.extend(quote_spanned!(site=> .early()));
    }
    if staleness.jitter > 0.0 {
        let part = proc_macro2::Literal::f64_suffixed(staleness.jitter);
        named.extend(quote_spanned!(site=> .jitter(#part)));
    }
    named
}
