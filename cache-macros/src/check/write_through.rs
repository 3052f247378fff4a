//! Checks of `#[write_through]`.

use crate::attr::args::WriteThroughArgs;
use crate::attr::options::Options as _;
use crate::attr::{Attached, Kind};
use crate::check::names::is_nothing;
use crate::diagnostics::errors::Errors;
use crate::item::signature::Facts;
use proc_macro2::Span;
use syn::LitStr;

/// Check that it is the only attribute that stores the function's value.
pub(crate) fn alone(attached: &[Attached], errors: &mut Errors) {
    let of_kind = |kind| attached.iter().filter(move |one| one.kind == kind);
    let Some(first) = of_kind(Kind::WriteThrough).next() else {
        return;
    };
    for second in of_kind(Kind::WriteThrough).skip(1) {
        errors.at(
            second.span,
            "`#[write_through]` is given twice, but a function's value has one key: remove one of \
             them, and remove the other entries with `#[invalidate]`",
        );
    }
    if of_kind(Kind::Cacheable).next().is_some() {
        errors.at(
            first.span,
            "`#[write_through]` doesn't combine with `#[cacheable]`: a cached value would be \
             returned without writing; annotate the function that reads and the one that writes \
             each with its own attribute",
        );
    }
}

/// Check that there is a key.
pub(crate) fn key(key: Option<Option<LitStr>>, span: Span, errors: &mut Errors) -> Option<LitStr> {
    if key.is_none() {
        let example = WriteThroughArgs::FIRST;
        errors.at(
            span,
            format!(
                "`#[write_through]` needs the key of the function that reads the value: write \
                 `{example}`"
            ),
        );
    }
    key?
}

/// Check that there is a value to store.
pub(crate) fn value(facts: &Facts, errors: &mut Errors) {
    if is_nothing(&facts.output) {
        errors.on(
            &facts.output,
            format!(
                "`{}` returns nothing to store: return the written value, or remove the entry with \
                 `#[invalidate]`",
                facts.name
            ),
        );
    }
}
