//! Checks of the expressions and closures in options: which names each of them can see.

use crate::attr::args::{CacheableArgs, InvalidateArgs, WriteThroughArgs};
use crate::diagnostics::errors::Errors;
use crate::item::free::{Place, mentions};
use crate::item::signature::Facts;
use crate::template::RESULT;
use quote::ToTokens as _;
use syn::{Expr, ExprClosure, GenericArgument, Lit, Pat, PathArguments, Type};

/// Check `unless`, `ttl`, `condition` and `cache` of a read.
pub(crate) fn read(args: &CacheableArgs, facts: &Facts, errors: &mut Errors) {
    // With `value`, the stored type isn't part of the return type.
    let of_output = args.value.is_none();
    if let Some(unless) = &args.unless {
        over_value(unless, of_output, facts, errors);
    }
    ttl(args.ttl.as_ref(), of_output, facts, errors);
    if let Some(condition) = &args.condition {
        if uses_result(condition, facts) {
            errors.on(
                condition,
                format!(
                    "`condition` is evaluated before the function runs, so `{RESULT}` doesn't \
                     exist yet: to exclude some returned values from the cache, write `unless = \
                     |value| ..`"
                ),
            );
        }
        quoted(condition, "condition = page < 10", errors);
    }
    cache(args.cache.as_ref(), "key = \"posts:<<slug>>\"", errors);
}

/// Check `unless`, `ttl` and `cache` of a write-through.
pub(crate) fn write_through(args: &WriteThroughArgs, facts: &Facts, errors: &mut Errors) {
    if let Some(unless) = &args.unless {
        over_value(unless, true, facts, errors);
    }
    ttl(args.ttl.as_ref(), true, facts, errors);
    cache(args.cache.as_ref(), "key = \"posts:<<slug>>\"", errors);
}

/// Check `condition` and `cache` of a write.
pub(crate) fn write(args: &InvalidateArgs, facts: &Facts, errors: &mut Errors) {
    if let Some(condition) = &args.condition {
        if uses_result(condition, facts) {
            errors.on(
                condition,
                format!(
                    "`condition` is evaluated before the function runs, so `{RESULT}` doesn't \
                     exist yet: use arguments only (after an `Err`, the default is to invalidate \
                     nothing)"
                ),
            );
        }
        quoted(condition, "condition = notify", errors);
    }
    cache(args.cache.as_ref(), "patterns = [\"posts:*\"]", errors);
}

fn ttl(ttl: Option<&Expr>, of_output: bool, facts: &Facts, errors: &mut Errors) {
    match ttl.map(inside) {
        Some(Expr::Closure(closure)) if of_output => declared(closure, "ttl", facts, errors),
        Some(Expr::Closure(_)) => {}
        Some(ttl) if uses_result(ttl, facts) => errors.on(
            ttl,
            format!(
                "this `ttl` uses the returned value: write a closure over it, `ttl = |{RESULT}| {}`",
                ttl.to_token_stream()
            ),
        ),
        _ => {}
    }
}

/// Check that `unless` is something that can be called with the value.
fn over_value(unless: &Expr, of_output: bool, facts: &Facts, errors: &mut Errors) {
    let unless = inside(unless);
    let written = unless.to_token_stream();
    match unless {
        Expr::Closure(closure) if of_output => declared(closure, "unless", facts, errors),
        _ if uses_result(unless, facts) => errors.on(
            unless,
            format!(
                "`unless` takes a closure over the returned value: write \
                 `unless = |{RESULT}| {written}`"
            ),
        ),
        Expr::Lit(_) | Expr::Binary(_) | Expr::Unary(_) => errors.on(
            unless,
            "`unless` takes a closure over the returned value: write `unless = |value| \
             value.is_empty()`; for a decision by the arguments alone, use `condition`",
        ),
        _ => {}
    }
}

/// Refuse a closure whose declared argument type is a wrapper around the value.
fn declared(closure: &ExprClosure, option: &str, facts: &Facts, errors: &mut Errors) {
    let Some(Pat::Type(input)) = closure.inputs.first() else {
        return;
    };
    let mut ty = inside_type(&input.ty);
    if let Type::Reference(reference) = ty {
        ty = inside_type(&reference.elem);
    }
    let declared = ty.to_token_stream().to_string();
    let (wrappers, stored) = layers(&facts.output);
    let stored = stored.to_token_stream().to_string();
    let is_wrapper = wrappers
        .iter()
        .any(|wrapper| wrapper.to_token_stream().to_string() == declared);
    if is_wrapper && declared != stored {
        let pat = &input.pat;
        let pat = pat.to_token_stream();
        errors.on(
            &input.ty,
            format!(
                "`{option}` gets the innermost value, without `Result`, `Option`, `Arc` and \
                 `Json`: write `|{pat}: &{stored}|`; it isn't called for an `Err` or a `None`"
            ),
        );
    }
}

/// Split a type into its wrappers and the stored value: a `Result`, an `Option`, and an `Arc` or a
/// `Json`, in this order, each at most once. Any other wrapper may be part of the value.
fn layers(output: &Type) -> (Vec<&Type>, &Type) {
    let mut wrappers = Vec::new();
    let (mut ty, mut least) = (inside_type(output), 0);
    while let Some((rank, inner)) = wrapped(ty)
        && rank >= least
    {
        wrappers.push(ty);
        (ty, least) = (inside_type(inner), rank + 1);
    }
    (wrappers, ty)
}

fn wrapped(ty: &Type) -> Option<(usize, &Type)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let rank = match last.ident.to_string().as_str() {
        "Result" => 0,
        "Option" => 1,
        "Arc" | "Json" => 2,
        _ => return None,
    };
    let PathArguments::AngleBracketed(generics) = &last.arguments else {
        return None;
    };
    match generics.args.first()? {
        GenericArgument::Type(inner) => Some((rank, inner)),
        _ => None,
    }
}

/// Whether the expression needs the returned value. A call, `result(..)`, is a call of a function
/// of that name.
fn uses_result(expr: &Expr, facts: &Facts) -> bool {
    let mut mentions = mentions(expr).into_iter();
    !facts.has_argument(RESULT)
        && mentions.any(|mention| mention.name == RESULT && mention.place != Place::Callee)
}

/// Refuse an expression that is written as a string, as in frameworks that have an expression
/// language.
fn quoted(condition: &Expr, example: &str, errors: &mut Errors) {
    if let Expr::Lit(literal) = inside(condition)
        && let Lit::Str(text) = &literal.lit
    {
        errors.on(
            text,
            format!("`condition` takes a Rust expression without quotes: write `{example}`"),
        );
    }
}

fn cache(cache: Option<&Expr>, path: &str, errors: &mut Errors) {
    if let Some(Expr::Lit(literal)) = cache.map(inside) {
        errors.on(
            literal,
            format!(
                "`cache` takes a `Cache`: write `cache = self.cache`; to name the entries, write \
                 `{path}`"
            ),
        );
    }
}

/// Strip parentheses, and the groups that a `macro_rules!` adds.
pub(super) fn inside(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => inside(&group.expr),
        Expr::Paren(paren) => inside(&paren.expr),
        other => other,
    }
}

fn inside_type(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => inside_type(&group.elem),
        Type::Paren(paren) => inside_type(&paren.elem),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::layers;
    use quote::ToTokens as _;

    #[test]
    fn the_innermost_value_is_the_one_that_the_runtime_stores() {
        for (output, count, stored) in [
            ("u32", 0, "u32"),
            ("Option<u32>", 1, "u32"),
            ("Result<Option<Arc<u32>>, E>", 3, "u32"),
            ("io::Result<Json<u32>>", 2, "u32"),
            ("Option<Option<u32>>", 1, "Option < u32 >"),
            ("Arc<Option<u32>>", 1, "Option < u32 >"),
            ("Option<Result<u32, E>>", 1, "Result < u32 , E >"),
            ("Vec<u32>", 0, "Vec < u32 >"),
        ] {
            let ty = syn::parse_str(output).expect("a type");
            let (wrappers, value) = layers(&ty);
            assert_eq!(wrappers.len(), count, "{output}");
            assert_eq!(value.to_token_stream().to_string(), stored, "{output}");
        }
    }
}
