//! Checks of `context(..)`.

use proc_macro2::Span;
use syn::Ident;
use syn::ext::IdentExt as _;

use crate::diagnostics::errors::Errors;
use crate::item::signature::Facts;
use crate::template::{RESULT, Template};

/// Check the names, and that no list of values in a template uses one.
pub(crate) fn check<'t>(
    names: &[Ident],
    templates: impl IntoIterator<Item = &'t Template>,
    facts: &Facts,
    errors: &mut Errors,
) {
    for (place, ident) in names.iter().enumerate() {
        let name = ident.unraw().to_string();
        let mistake = if facts.has_argument(&name) {
            Some(format!(
                "`{name}` is an argument already: remove it from `context`, or rename the argument"
            ))
        } else if name == "self" || name == RESULT {
            Some(format!(
                "`{name}` can't be a name of the context: use another one, in `context::scope` too"
            ))
        } else if names[..place].contains(ident) {
            Some(format!(
                "`{name}` is in `context` twice: remove one of them"
            ))
        } else {
            None
        };
        if let Some(mistake) = mistake {
            errors.at(ident.span(), mistake);
        }
    }
    for template in templates {
        let mut lists = template.placeholders().filter(|one| one.per_item);
        let is_named = |name: &Ident| {
            let name = name.unraw().to_string();
            lists.any(|list| list.uses(&name)).then_some(name)
        };
        if let Some(name) = names.iter().find_map(is_named) {
            errors.at(
                template.literal.span(),
                format!(
                    "a placeholder with `..` can't use `{name}`, which is one value of the \
                     context: write it without `..`, or take the values as an argument"
                ),
            );
        }
    }
}

/// Return the names as text.
pub(crate) fn names(context: &[Ident]) -> Vec<String> {
    context
        .iter()
        .map(|name| name.unraw().to_string())
        .collect()
}

/// Return the span at which `context` names a value.
pub(crate) fn named_at(names: &[Ident], name: &str) -> Option<Span> {
    let found = names.iter().find(|ident| ident.unraw() == name);
    found.map(Ident::span)
}

/// Return where the names of a template resolve: at the arguments, and at those in `context`.
pub(crate) fn scope<'a>(
    facts: &'a Facts,
    context: &'a [Ident],
) -> impl Fn(&str) -> Option<Span> + 'a {
    |name| facts.bound_at(name).or_else(|| named_at(context, name))
}
