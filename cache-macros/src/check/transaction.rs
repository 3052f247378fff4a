//! Checks of `tx`, and of arguments that are a transaction.

use crate::attr::Kind;
use crate::attr::args::{CacheableArgs, InvalidateArgs, WriteThroughArgs};
use crate::attr::tx::{self, Tx};
use crate::diagnostics::errors::Errors;
use crate::item::signature::Facts;
use crate::model::When;
use syn::ext::IdentExt as _;
use syn::{Expr, Ident};

/// Check the `tx` of a read. Return the transaction.
pub(crate) fn read(args: &CacheableArgs, facts: &Facts, errors: &mut Errors) -> Option<Expr> {
    let expr = args.tx.as_ref()?.expr.as_ref()?;
    if let Some(named) = tx::named(expr) {
        let name = named.unraw().to_string();
        if facts.is_ambiguous(&name) {
            errors.at(
                named.span(),
                format!(
                    "`tx = {name}` could mean either of two arguments named `{name}`, one of a \
                     macro and one of its caller: rename one of them"
                ),
            );
        }
    }
    Some(expr.clone())
}

/// Check the `tx` of a write. Return the transaction.
pub(crate) fn write(args: &InvalidateArgs, when: When, errors: &mut Errors) -> Option<Expr> {
    let expr = args.tx.as_ref()?.expr.as_ref()?;
    if let (Some(literal), When::Before) = (&args.when, when) {
        errors.on(
            literal,
            "`when = \"before\"` doesn't combine with `tx`, which invalidates after the commit: \
             remove `when`",
        );
    }
    if let Some(cache) = &args.cache {
        errors.on(
            cache,
            "`cache` doesn't combine with `tx`: the patterns are invalidated in the cache of the \
             transaction; remove `cache`",
        );
    }
    Some(expr.clone())
}

/// Check the `tx` of a write-through. Return the transaction.
pub(crate) fn write_through(args: &WriteThroughArgs, errors: &mut Errors) -> Option<Expr> {
    let expr = args.tx.as_ref()?.expr.as_ref()?;
    if let Some(cache) = &args.cache {
        errors.on(
            cache,
            "`cache` doesn't combine with `tx`: the value is stored in the cache of the \
             transaction; remove `cache`",
        );
    }
    Some(expr.clone())
}

/// Return the arguments that are no part of the key: those in `skip`, and the transaction itself.
pub(crate) fn left_out(args: &CacheableArgs) -> Vec<Ident> {
    let expr = args.tx.as_ref().and_then(|tx| tx.expr.as_ref());
    let named = expr.and_then(tx::named);
    args.skip.iter().chain(named).cloned().collect()
}

/// Refuse arguments that are a transaction if an attribute of this kind has no `tx`.
pub(crate) fn told(kind: Kind, tx: Option<&Tx>, facts: &Facts, errors: &mut Errors) {
    if tx.is_some() {
        return;
    }
    for argument in &facts.arguments {
        let Some(ty) = &argument.transaction else {
            continue;
        };
        let (function, name) = (&facts.name, &argument.ident);
        let message = match kind {
            Kind::Invalidate => format!(
                "`{function}` would invalidate before the COMMIT of `{name}`, so a reader could \
                 store the old value again: add `tx = {name}` to `#[invalidate]`, which collects \
                 the patterns until the commit; or `tx = none` if `{function}` commits by itself, \
                 or if `{name}` is no database transaction"
            ),
            Kind::WriteThrough => format!(
                "`{function}` would store a value before the COMMIT of `{name}`, although it may \
                 never be committed: add `tx = {name}` to `#[write_through]`, which stores it \
                 after the commit; or `tx = none` if `{function}` commits by itself, or if \
                 `{name}` is no database transaction"
            ),
            Kind::Cacheable => format!(
                "`{function}` could cache a row that is never committed: add `tx = {name}` to \
                 `#[cacheable]`, and it runs uncached while the transaction is open; or `tx = \
                 none` if `{function}` commits by itself, or if `{name}` is no database transaction"
            ),
        };
        errors.on(ty, message);
    }
}
