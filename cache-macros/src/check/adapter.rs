//! Checks of `value` and `response`.

use super::value::inside;
use crate::attr::args::{CacheableArgs, Conversion, RESPONSE, VALUE};
use crate::diagnostics::errors::Errors;
use crate::item::free::mentions;
use crate::item::signature::Facts;
use crate::model::Adapter;
use syn::Expr;

/// Return the two conversions. One without the other is an error, and so is a conversion that uses
/// an argument.
pub(crate) fn read(args: &CacheableArgs, facts: &Facts, errors: &mut Errors) -> Option<Adapter> {
    let conversions = [("value", &args.value), ("response", &args.response)];
    for (name, conversion) in conversions {
        if let Some(conversion) = conversion {
            captures(name, &conversion.closure, facts, errors);
        }
    }
    match (&args.value, &args.response) {
        (Some(value), Some(response)) => Some(Adapter {
            value: value.closure.clone(),
            response: response.closure.clone(),
        }),
        (Some(value), None) => {
            missing(value, "value", "response", RESPONSE, errors);
            None
        }
        (None, Some(response)) => {
            missing(response, "response", "value", VALUE, errors);
            None
        }
        (None, None) => None,
    }
}

fn missing(given: &Conversion, name: &str, other: &str, example: &str, errors: &mut Errors) {
    let purpose = match other {
        "response" => "makes what the function returns of a stored value",
        _ => "makes the stored value of what the function returns",
    };
    errors.at(
        given.span,
        format!("`{name}` needs `{other}`, which {purpose}: `{example}`"),
    );
}

/// Refuse a conversion that uses an argument: the value of one call is the response of others.
fn captures(name: &str, conversion: &Expr, facts: &Facts, errors: &mut Errors) {
    let conversion = inside(conversion);
    let is_argument = |name: &str| name == "self" || facts.has_argument(name);
    for mention in mentions(conversion) {
        if is_argument(&mention.name) {
            errors.on(
                conversion,
                format!(
                    "`{name}` can't use the argument `{}`: a value that one call stores is \
                     returned by others, so the conversion sees the value only; make what it needs \
                     a part of the value",
                    mention.name
                ),
            );
            return;
        }
    }
}
