//! Checks of `patterns` as a list, and of `when`.

use crate::attr::args::Patterns;
use crate::diagnostics::errors::Errors;
use crate::diagnostics::nearest::hint;
use crate::model::When;
use proc_macro2::Span;
use syn::LitStr;

/// Return the patterns; at least one is required.
pub(crate) fn literals(
    patterns: Option<Option<Patterns>>,
    span: Span,
    errors: &mut Errors,
) -> Vec<LitStr> {
    let example = "`patterns = [\"posts:<<slug>>:*\"]`";
    match patterns {
        None => {
            errors.at(
                span,
                format!("`#[invalidate]` needs patterns of the entries to remove: write {example}"),
            );
            Vec::new()
        }
        // The mistake in the option itself is already reported.
        Some(None) => Vec::new(),
        Some(Some(patterns)) => {
            if patterns.literals.is_empty() {
                errors.on(
                    &patterns.whole,
                    format!("`patterns` is empty: name the entries to remove, {example}"),
                );
            }
            patterns.literals
        }
    }
}

/// Return the moment that `when` names.
pub(crate) fn when(when: Option<&LitStr>, errors: &mut Errors) -> When {
    let Some(when) = when else {
        return When::Ok;
    };
    let text = when.value();
    match text.as_str() {
        "ok" => When::Ok,
        "always" => When::Always,
        "before" => When::Before,
        _ => {
            let meant = hint(&text, &["ok", "always", "before"]);
            errors.at(
                when.span(),
                format!(
                    "unknown value `{text}` of `when`{meant}{} write \"ok\" (after the body, for a \
                     `Result` only on `Ok`; the default), \"always\" (after the body) or \
                     \"before\" (before the body)",
                    if meant.is_empty() { ":" } else { "" },
                ),
            );
            When::Ok
        }
    }
}
