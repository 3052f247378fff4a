//! Checks of the names that placeholders use.

use crate::diagnostics::errors::Errors;
use crate::diagnostics::nearest::nearest;
use crate::item::free::Place;
use crate::item::signature::Facts;
use crate::model::When;
use crate::template::{Placeholder, RESULT, Template};
use proc_macro2::Span;
use syn::{Ident, Type};

/// Check the placeholders of a key. `others` are the names that aren't arguments: those of the
/// context, and those that can be that of an item of `each`.
pub(crate) fn key(template: &Template, others: &[String], facts: &Facts, errors: &mut Errors) {
    let span = template.literal.span();
    for placeholder in template.placeholders() {
        let is_result = placeholder.uses_result() && !facts.has_argument(RESULT);
        if is_result {
            errors.at(
                span,
                format!(
                    "`<<{}>>` uses the returned value, but the key is needed before the function \
                     runs: use arguments only (`result` is for `#[invalidate]`)",
                    placeholder.source
                ),
            );
        }
        let mut known: Vec<&str> = others.iter().map(String::as_str).collect();
        known.extend(is_result.then_some(RESULT));
        unknown(placeholder, &known, facts, span, errors);
    }
}

/// Check the placeholders of a pattern.
pub(crate) fn pattern(
    template: &Template,
    context: &[String],
    facts: &Facts,
    when: When,
    errors: &mut Errors,
) {
    let span = template.literal.span();
    for placeholder in template.placeholders() {
        if placeholder.uses_result()
            && let Some(mistake) = no_result(facts, when)
        {
            errors.at(span, format!("`<<{}>>` {mistake}", placeholder.source));
        }
        let mut known: Vec<&str> = context.iter().map(String::as_str).collect();
        known.push(RESULT);
        unknown(placeholder, &known, facts, span, errors);
    }
}

fn no_result(facts: &Facts, when: When) -> Option<&'static str> {
    if facts.has_argument(RESULT) {
        return Some("could mean the argument `result` or the returned value: rename the argument");
    }
    if when == When::Before {
        return Some(
            "uses the returned value, which doesn't exist yet with `when = \"before\"`: use \
             arguments only, or another `when`",
        );
    }
    is_nothing(&facts.output).then_some(
        "uses the returned value, but this function returns nothing: use arguments only, or return \
         the written value",
    )
}

/// Whether a type is `()`, or `Result<(), E>`, whose value is `()` as well.
pub(super) fn is_nothing(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Group(group) => is_nothing(&group.elem),
        Type::Paren(paren) => is_nothing(&paren.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            let syn::PathArguments::AngleBracketed(generics) = &segment.arguments else {
                return false;
            };
            segment.ident == "Result"
                && matches!(generics.args.first(), Some(syn::GenericArgument::Type(ty)) if is_nothing(ty))
        }),
        _ => false,
    }
}

/// Return the names in a key's placeholders that are written as locals are and come from nowhere.
pub(crate) fn free(template: &Template, context: &[Ident], facts: &Facts) -> Vec<String> {
    let mut free: Vec<String> = Vec::new();
    let mentions = template.placeholders().flat_map(|one| &one.mentions);
    for mention in mentions.filter(|mention| mention.place != Place::Callee) {
        let name = &mention.name;
        let is_known = name == RESULT
            || is_bound(name, facts)
            || super::context::named_at(context, name).is_some();
        if !is_known && is_local(name) && !free.contains(name) {
            free.push(name.clone());
        }
    }
    free
}

/// Whether the signature binds a name.
fn is_bound(name: &str, facts: &Facts) -> bool {
    facts.has_argument(name) || name == "self" || facts.consts.iter().any(|param| param == name)
}

fn unknown(
    placeholder: &Placeholder,
    known: &[&str],
    facts: &Facts,
    span: Span,
    errors: &mut Errors,
) {
    let mut told = Vec::new();
    for mention in &placeholder.mentions {
        let name = mention.name.as_str();
        if facts.is_ambiguous(name) && !told.contains(&name) {
            told.push(name);
            let message = format!(
                "`<<{}>>` could mean either of two arguments named `{name}`, one of a macro and \
                 one of its caller: rename one of them",
                placeholder.source
            );
            errors.at(span, message);
        }
        let is_known = known.contains(&name)
            || facts.has_argument(name)
            || (name == "self" && facts.has_receiver)
            || facts.consts.iter().any(|param| param == name);
        // Functions, constants and types in scope are invisible to a macro; the compiler checks
        // those.
        if mention.place != Place::Value || is_known || !is_local(name) || told.contains(&name) {
            continue;
        }
        told.push(name);
        let source = &placeholder.source;
        let known = if facts.has_receiver && nearest(name, &facts.names()).is_none() {
            let fixed = source.replacen(name, &format!("self.{name}"), 1);
            format!(
                "; for a field of `self` write `<<{fixed}>>`{}",
                super::arguments(name, facts)
            )
        } else {
            let context = match nearest(name, &facts.names()) {
                None if name != "self" => {
                    format!("; for a value of the request's context, add `context({name})`")
                }
                _ => String::new(),
            };
            format!("{}{context}", super::arguments(name, facts))
        };
        let message = if name == "self" {
            format!(
                "`<<{source}>>` uses `self`, which this function doesn't take: add `&self`, or use \
                 an argument{known}"
            )
        } else {
            format!("unknown name `{name}` in the placeholder `<<{source}>>`{known}")
        };
        errors.at(span, message);
    }
}

/// Whether a name is written as locals are: neither as a `Type` nor as a `CONSTANT`.
fn is_local(name: &str) -> bool {
    name.chars().any(char::is_lowercase) && !name.chars().any(char::is_uppercase)
}
