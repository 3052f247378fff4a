//! `tx`: collecting the patterns of a write, and running a read uncached while its transaction is
//! open.

use crate::item::free::mentions;
use crate::item::signature::Style;
use crate::model::{Model, Read, Runtime};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Expr;
use syn::spanned::Spanned as _;

/// Generate the collector of a write.
pub(super) fn collector(tx: &Expr, runtime: &Runtime) -> TokenStream {
    lent(tx, runtime, "collector")
}

/// Generate `let open = ..;`: whether the transaction of a read or a write-through is open.
pub(super) fn declare(tx: Option<&Expr>, runtime: &Runtime) -> Option<TokenStream> {
    let tx = tx?;
    let open = lent(tx, runtime, "is_open");
    let allowed = allowed(tx);
    Some(quote_spanned!(Span::mixed_site()=> #allowed let open = #open;))
}

/// Call a method of the transaction. An error about its type, and one about a moved argument, are
/// reported at the expression.
fn lent(tx: &Expr, runtime: &Runtime, method: &str) -> TokenStream {
    let site = Span::mixed_site().located_at(tx.span());
    let k = runtime.private(tx.span());
    let method = Ident::new(method, site);
    quote_spanned!(site=> #k::LendsTransaction::lent(|| #k::MaybeTransactional::#method(&(#tx))))
}

/// Lints treat a name of the signature in the expression as the author's own use of it.
pub(super) fn allowed(tx: &Expr) -> Option<TokenStream> {
    let underscored = mentions(tx).iter().any(|one| one.name.starts_with('_'));
    let site = Span::mixed_site();
    underscored.then(|| quote_spanned!(site=> #[allow(clippy::used_underscore_binding)]))
}

/// Generate the condition of a read: its own, but not while its transaction is open.
pub(super) fn condition(read: &Read) -> TokenStream {
    let site = Span::mixed_site();
    match (&read.tx, &read.condition) {
        (None, own) => super::condition(own.as_ref(), &read.context, &read.runtime),
        (Some(_), None) => quote_spanned!(site=> !open),
        (Some(_), own) => {
            let own = super::condition(own.as_ref(), &read.context, &read.runtime);
            quote_spanned!(site=> !open && #own)
        }
    }
}

/// Generate a computation in which the cached functions run uncached too.
pub(super) fn around(
    model: &Model,
    tx: Option<&Expr>,
    runtime: &Runtime,
    task: TokenStream,
) -> TokenStream {
    if tx.is_none() {
        return task;
    }
    let site = Span::mixed_site();
    let k = runtime.private(site);
    match model.facts.style {
        Style::Sync => quote_spanned!(site=> #k::uncached_sync_if(open, #task)),
        _ => quote_spanned!(site=> #k::uncached_if(open, #task)),
    }
}
