//! Checks of placeholders with `..`, which write one pattern for each value.

use crate::diagnostics::errors::Errors;
use crate::template::Template;

/// Check a pattern of `#[invalidate]`: the values of two such placeholders would have to be paired.
pub(crate) fn pattern(template: &Template, errors: &mut Errors) {
    let mut per_item = template.placeholders().filter(|one| one.per_item);
    let (Some(first), Some(second)) = (per_item.next(), per_item.next()) else {
        return;
    };
    errors.at(
        template.literal.span(),
        format!(
            "`<<{}>>` is the second placeholder with `..` in this pattern, after `<<{}>>`: only \
             one of them can stand for many values; write `*` in the place of the other",
            second.source, first.source
        ),
    );
}

/// Check the key of `#[cacheable]`, which names one entry.
pub(crate) fn key(template: &Template, errors: &mut Errors) {
    let Some(placeholder) = template.per_item() else {
        return;
    };
    let source = &placeholder.source;
    let value = source.trim_end_matches("..").trim_end();
    errors.at(
        template.literal.span(),
        format!(
            "`<<{source}>>` in a key, which names one entry: for an entry for each item write \
             `each = {value}`, and name the item in the key, `<<id>>`"
        ),
    );
}

/// Check the template of `key!` or `pattern!`, which is one text.
pub(crate) fn inline(template: &Template, name: &str, errors: &mut Errors) {
    let Some(placeholder) = template.per_item() else {
        return;
    };
    let source = &placeholder.source;
    errors.at(
        template.literal.span(),
        format!(
            "`<<{source}>>` in `{name}!`, which returns one text: call `{name}!` for each value, \
             `ids.iter().map(|id| {name}!(\"posts:<<id>>\"))`"
        ),
    );
}
