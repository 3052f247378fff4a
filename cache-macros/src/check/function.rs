//! Checks of the function itself, independent of its options.

use super::output;
use crate::attr::{Attached, Kind};
use crate::diagnostics::errors::Errors;
use crate::item::function::Function;
use crate::item::signature::{Facts, Style};
use quote::ToTokens as _;
use syn::{FnArg, Pat};

pub(crate) fn check(
    function: &Function,
    facts: &Facts,
    attached: &[Attached],
    errors: &mut Errors,
) {
    let sig = &function.sig;
    if let Some(constness) = &sig.constness {
        errors.on(
            constness,
            "a `const fn` can't use a cache, since it may run at compile time: remove `const`",
        );
    }
    if let Some(abi) = &sig.abi {
        errors.on(
            abi,
            "a function with a foreign ABI can't be annotated: annotate a Rust function and call \
             it from this one",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.on(
            variadic,
            "variadic arguments can't be part of a key: annotate a function with fixed arguments",
        );
    }
    patterns(function, errors);
    destructured(function, facts, errors);
    let is_cached = attached.iter().any(|one| one.kind != Kind::Invalidate);
    output::nameable(facts, is_cached, errors);
    if is_cached {
        output::owned(facts, errors);
    }
}

/// Refuse a macro in place of a pattern: it hides the names that it binds.
fn patterns(function: &Function, errors: &mut Errors) {
    for input in &function.sig.inputs {
        if let FnArg::Typed(input) = input
            && matches!(*input.pat, Pat::Macro(_) | Pat::Verbatim(_))
        {
            errors.on(
                &input.pat,
                "the attribute can't see the names that this pattern binds: write `name: Type`, \
                 and destructure it in the body",
            );
        }
    }
}

fn destructured(function: &Function, facts: &Facts, errors: &mut Errors) {
    let Style::Boxed(body) = &facts.style else {
        return;
    };
    for input in &function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        if let Pat::Ident(name) = &*input.pat
            && let Some(pattern) = body.replaced(&name.ident)
        {
            errors.on(
                pattern,
                format!(
                    "`async_trait` renames destructured arguments, so the key can't use the names \
                     that this pattern binds: write `name: Type`, and destructure it in the body: \
                     `let {} = name;`",
                    tidy(pattern)
                ),
            );
        }
    }
}

/// Format the pattern roughly as its author wrote it.
fn tidy(pat: &Pat) -> String {
    let text = pat.to_token_stream().to_string();
    [
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        (" ::", "::"),
        (":: ", "::"),
    ]
    .into_iter()
    .fold(text, |text, (from, to)| text.replace(from, to))
}
