//! Checks of the options that cache errors.

use crate::attr::args::CacheableArgs;
use crate::attr::ttl::{self, Ttl, ungrouped};
use crate::check::refresh::is_no_result;
use crate::diagnostics::errors::Errors;
use crate::item::signature::Facts;
use crate::model::Negative;
use syn::Expr;

/// Return which errors are cached; `None` if no option asks for it.
pub(crate) fn check(args: &CacheableArgs, facts: &Facts, errors: &mut Errors) -> Option<Negative> {
    let options = &args.negative;
    let Some(cache_err) = &options.cache_err else {
        let others = [("err_ttl", &options.err_ttl), ("err", &options.err)];
        for (name, option) in others {
            if let Some(option) = option {
                errors.at(
                    option.span,
                    format!(
                        "`{name}` has no effect without `cache_err`: say which errors are cached, \
                         `cache_err = |e| matches!(e, Error::NotFound)`, or remove `{name}`"
                    ),
                );
            }
        }
        return None;
    };
    if is_no_result(&facts.output) {
        errors.at(
            cache_err.span,
            format!(
                "`cache_err` needs a function that returns a `Result`, and `{}` doesn't: remove \
                 the option; to cache a `None`, use `cache_none`",
                facts.name
            ),
        );
    }
    if let Expr::Lit(_) | Expr::Binary(_) | Expr::Unary(_) | Expr::Macro(_) =
        ungrouped(&cache_err.expr)
    {
        errors.on(
            &cache_err.expr,
            "`cache_err` takes a closure over the error: write `cache_err = |e| matches!(e, \
             Error::NotFound)`, or `cache_err = |_| true` for every error",
        );
    }
    if let Some(err) = &options.err
        && let Expr::Lit(_) | Expr::Macro(_) | Expr::Struct(_) = ungrouped(&err.expr)
    {
        errors.on(
            &err.expr,
            "`err` takes a closure that makes the error on a hit: write `err = || \
             Error::NotFound`",
        );
    }
    together(args, errors);
    let Some(err_ttl) = &options.err_ttl else {
        errors.at(
            cache_err.span,
            "`cache_err` needs `err_ttl`, how long such an error is cached: write `err_ttl = 30` \
             (seconds) or `err_ttl = \"30s\"`",
        );
        return None;
    };
    let ttl = errors.keep(ttl::of_error(err_ttl.expr.clone()));
    Some(Negative {
        cache_err: ungrouped(&cache_err.expr).clone(),
        ttl: ttl.unwrap_or(Ttl::Default),
        err: options.err.as_ref().map(|err| ungrouped(&err.expr).clone()),
    })
}

/// Refuse the options that go on with a computation, or with an old value, after an error.
fn together(args: &CacheableArgs, errors: &mut Errors) {
    let Some(cache_err) = &args.negative.cache_err else {
        return;
    };
    let staleness = &args.staleness;
    let other = if args.detached.is_some() {
        "detached"
    } else if staleness.stale > 0 {
        "stale"
    } else if staleness.stale_if_error.is_some() {
        "stale_if_error"
    } else if staleness.early {
        "early"
    } else {
        return;
    };
    errors.at(
        cache_err.span,
        format!(
            "`cache_err` doesn't work together with `{other}` yet: remove one of them, or split \
             the function"
        ),
    );
}
