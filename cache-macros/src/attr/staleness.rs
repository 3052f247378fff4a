//! The staleness options: `stale`, `stale_if_error`, `early`, `refresh` and `jitter`.

use crate::attr::options::{flag, string, value, without_arm};
use crate::attr::ttl;
use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprLit, Ident, Lit};

/// The staleness options as written. Each is read independently of the others.
#[derive(Default)]
pub(crate) struct Staleness {
    /// Milliseconds; 0 if absent.
    pub(crate) stale: u64,
    pub(crate) stale_if_error: Option<StaleIfError>,
    pub(crate) early: bool,
    pub(crate) refresh: Option<Refresh>,
    pub(crate) jitter: f64,
}

/// `stale_if_error = "1h"`.
pub(crate) struct StaleIfError {
    pub(crate) span: Span,
    pub(crate) millis: u64,
}

/// `refresh = "caller"`, with its span.
pub(crate) struct Refresh {
    pub(crate) span: Span,
    pub(crate) by: By,
}

/// Where a stale value is recomputed.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum By {
    Caller,
    Background,
}

impl Staleness {
    pub(crate) const NAMES: [&'static str; 5] =
        ["stale", "stale_if_error", "early", "refresh", "jitter"];

    pub(crate) fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "stale" => {
                let time: Expr = value(name, "stale = \"1m\"", input)?;
                self.stale = duration("stale", time)?;
            }
            "stale_if_error" => {
                let time: Expr = value(name, "stale_if_error = \"1h\"", input)?;
                let millis = duration("stale_if_error", time)?;
                let span = name.span();
                self.stale_if_error = Some(StaleIfError { span, millis });
            }
            "early" => self.early = flag(name, input)?,
            "refresh" => self.refresh = Some(refresh(name, input)?),
            "jitter" => self.jitter = jitter(value(name, "jitter = 0.1", input)?)?,
            _ => return Err(without_arm(name)),
        }
        Ok(())
    }

    /// Whether a value may be recomputed while it is still cached.
    pub(crate) fn refreshes(&self) -> bool {
        self.stale > 0 || self.stale_if_error.is_some() || self.early
    }
}

fn duration(name: &str, time: Expr) -> syn::Result<u64> {
    let fix = format!(
        "write seconds (`{name} = 60`) or a string (`{name} = \"1m\"`, `\"1h30m\"`, `\"500ms\"`)"
    );
    let literal = match &time {
        Expr::Lit(ExprLit { lit, .. }) => lit,
        Expr::Group(group) => return duration(name, (*group.expr).clone()),
        other => {
            let message = format!("`{name}` must be known at compile time: {fix}");
            return Err(Error::new_spanned(other, message));
        }
    };
    match ttl::millis(name, literal) {
        Ok(0) => {
            let message = format!("a `{name}` of zero has no effect: {fix}, or remove it");
            Err(Error::new(literal.span(), message))
        }
        Ok(millis) => Ok(millis),
        Err(reason) => Err(Error::new(literal.span(), format!("{reason}: {fix}"))),
    }
}

fn refresh(name: &Ident, input: ParseStream<'_>) -> syn::Result<Refresh> {
    let word = string(name, "refresh = \"caller\"", input)?;
    let by = match word.value().as_str() {
        "caller" => By::Caller,
        "background" => By::Background,
        other => {
            let message = format!(
                "`refresh` can't be {other:?}: write \"caller\" (the first caller that finds a \
                 stale value recomputes it) or \"background\" (a background task recomputes it, \
                 and no caller waits)"
            );
            return Err(Error::new(word.span(), message));
        }
    };
    let span = word.span();
    Ok(Refresh { span, by })
}

fn jitter(part: Expr) -> syn::Result<f64> {
    let number = match &part {
        Expr::Group(group) => return jitter((*group.expr).clone()),
        Expr::Lit(ExprLit {
            lit: Lit::Float(number),
            ..
        }) => number.base10_parse::<f64>().ok(),
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse::<f64>().ok(),
        _ => None,
    };
    number.filter(|part| (0.0..1.0).contains(part)).ok_or_else(|| {
        let message = "`jitter` is the largest fraction by which the `ttl` is randomly shortened, \
            from 0 to less than 1: write `jitter = 0.1`";
        Error::new_spanned(&part, message)
    })
}

#[cfg(test)]
mod tests {
    use super::{Staleness, jitter};
    use crate::diagnostics::errors::Errors;
    use quote::quote;
    use syn::Expr;

    fn part(text: &str) -> Option<f64> {
        let expr: Expr = syn::parse_str(text).expect("an expression");
        jitter(expr).ok()
    }

    #[test]
    fn a_jitter_is_a_part() {
        assert_eq!(part("0.1"), Some(0.1));
        assert_eq!(part("0"), Some(0.0));
        assert_eq!(part("0.999_f64"), Some(0.999));
        for mistake in ["1", "1.0", "-0.1", "\"0.1\"", "SOME", "1e400"] {
            assert_eq!(part(mistake), None, "{mistake}");
        }
    }

    #[test]
    fn all_of_them_are_read() {
        let mut errors = Errors::default();
        let args: crate::attr::args::CacheableArgs = crate::attr::options::read(
            quote!(
                stale = "1m",
                stale_if_error = 3600,
                early,
                jitter = 0.5,
                refresh = "caller"
            ),
            &mut errors,
        );
        let read: Staleness = args.staleness;
        assert_eq!(read.stale, 60_000);
        assert_eq!(read.stale_if_error.map(|time| time.millis), Some(3_600_000));
        assert!(read.early && read.refresh.is_some());
        assert_eq!(read.jitter, 0.5);
    }
}
