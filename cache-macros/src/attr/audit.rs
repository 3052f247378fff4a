//! `audit`: the part of the hits that are audited.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprLit, Ident, Lit, Token};

use crate::attr::options::value;

/// `audit` or `audit = 0.01`, with the span of its name.
pub(crate) struct Audit {
    pub(crate) span: Span,
    /// `None` for the cache's rate.
    pub(crate) rate: Option<f64>,
}

impl Audit {
    pub(crate) fn read(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let rate = match input.peek(Token![=]) {
            true => Some(rate(&value(name, "audit = 0.01", input)?)?),
            false => None,
        };
        let span = name.span();
        Ok(Self { span, rate })
    }
}

fn rate(part: &Expr) -> syn::Result<f64> {
    let number = match part {
        Expr::Group(group) => return rate(&group.expr),
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
    let in_range = |rate: &f64| *rate > 0.0 && *rate <= 1.0;
    number.filter(in_range).ok_or_else(|| {
        let message = "`audit` is the part of the hits for which the body runs once more to check \
            the entry, above 0 and up to 1: write `audit = 0.01`, or `audit` alone for the rate of \
            `CacheBuilder::audit`";
        Error::new_spanned(part, message)
    })
}

#[cfg(test)]
mod tests {
    use super::rate;
    use syn::Expr;

    #[test]
    fn a_rate_is_a_number_above_zero_and_up_to_one() {
        let read = |text: &str| {
            let expr: Expr = syn::parse_str(text).expect("an expression");
            rate(&expr).ok()
        };
        assert_eq!(read("0.01"), Some(0.01));
        assert_eq!(read("1"), Some(1.0));
        assert_eq!(read("1e-6"), Some(1e-6));
        for mistake in [
            "0", "0.0", "2.0", "-0.1", "true", "\"0.1\"", "RATE", "1e400",
        ] {
            assert_eq!(read(mistake), None, "{mistake}");
        }
    }
}
