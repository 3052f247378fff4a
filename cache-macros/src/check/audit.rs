//! Checks of `audit`.

use crate::attr::args::CacheableArgs;
use crate::attr::{Attached, Kind};
use crate::check::refresh::owned;
use crate::diagnostics::errors::Errors;
use crate::item::function::Function;
use crate::item::signature::Facts;
use crate::model::Audit;
use proc_macro2::{Span, TokenTree};
use quote::ToTokens as _;
use syn::FnArg;

/// Return what `audit` says; `None` without it.
pub(crate) fn audit(
    args: &CacheableArgs,
    function: &Function,
    facts: &Facts,
    errors: &mut Errors,
) -> Option<Audit> {
    let audit = args.audit.as_ref()?;
    let other = if args.each.is_some() {
        Some("each")
    } else if args.negative.cache_err.is_some() {
        Some("cache_err")
    } else {
        None
    };
    if let Some(other) = other {
        errors.at(
            audit.span,
            format!(
                "`audit` doesn't work together with `{other}` yet: remove one of them, or split \
                 the function"
            ),
        );
    }
    let arguments = match owned(function, facts) {
        Ok(arguments) => arguments,
        // Reported already.
        Err(_) if args.detached.is_some() => Vec::new(),
        Err(obstacle) => {
            obstacle.report(
                errors,
                "the function can't have `audit`",
                "take owned arguments (`String` for `&str`, a handle that is `Clone` for `&Db`), \
                 or remove `audit`",
            );
            Vec::new()
        }
    };
    Some(Audit {
        span: audit.span,
        rate: audit.rate,
        arguments,
        changed: changed(function),
    })
}

/// Refuse a function that writes: an audit runs its body without a caller who asks for that.
pub(crate) fn reads_only(audit: Option<Span>, attached: &[Attached], errors: &mut Errors) {
    let Some(span) = audit else { return };
    if attached.iter().any(|one| one.kind == Kind::Invalidate) {
        errors.at(
            span,
            "`audit` doesn't combine with `#[invalidate]`: an audit runs the body once more, and \
             the body of this function writes; remove `audit`, or split the function",
        );
    }
}

/// Return the names that the signature binds as `mut`.
fn changed(function: &Function) -> Vec<String> {
    let mut names = Vec::new();
    for input in &function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let mut after_mut = false;
        each_token(input.pat.to_token_stream(), &mut |token| {
            if let TokenTree::Ident(ident) = token {
                if after_mut {
                    names.push(ident.to_string());
                }
                after_mut = ident == "mut";
            }
        });
    }
    names
}

fn each_token(tokens: proc_macro2::TokenStream, seen: &mut impl FnMut(&TokenTree)) {
    for token in tokens {
        match &token {
            TokenTree::Group(group) => each_token(group.stream(), seen),
            other => seen(other),
        }
    }
}
