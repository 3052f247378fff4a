//! The options that cache errors: `cache_err`, `err_ttl` and `err`.

use crate::attr::options::value;
use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Expr, Ident};

/// The options as written. Each is read independently of the others.
#[derive(Default)]
pub(crate) struct NegativeArgs {
    pub(crate) cache_err: Option<Written>,
    pub(crate) err_ttl: Option<Written>,
    pub(crate) err: Option<Written>,
}

/// The value of an option, and the span of its name.
pub(crate) struct Written {
    pub(crate) span: Span,
    pub(crate) expr: Expr,
}

impl NegativeArgs {
    pub(crate) const NAMES: [&'static str; 3] = ["cache_err", "err_ttl", "err"];

    pub(crate) fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let (field, example) = match name.to_string().as_str() {
            "cache_err" => (
                &mut self.cache_err,
                "cache_err = |e| matches!(e, Error::NotFound)",
            ),
            "err_ttl" => (&mut self.err_ttl, "err_ttl = 30"),
            _ => (&mut self.err, "err = || Error::NotFound"),
        };
        *field = Some(Written {
            span: name.span(),
            expr: value(name, example, input)?,
        });
        Ok(())
    }
}
