//! `tx = tx`: the transaction that a function runs in.

use crate::attr::options::value;
use crate::attr::ttl::ungrouped;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprPath, Ident, UnOp};

/// The value of `tx`.
pub(crate) struct Tx {
    /// The transaction; `None` for `tx = none`.
    pub(crate) expr: Option<Expr>,
}

impl Tx {
    /// `tx = none`, which also stands for a value with a mistake: the mistake is reported, and the
    /// option isn't missing.
    pub(crate) const NONE: Self = Self { expr: None };

    /// Read the value of the option.
    pub(crate) fn read(name: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        let written: Expr = value(name, "tx = tx", input)?;
        let expr = ungrouped(&written);
        if let Expr::Path(path) = expr
            && path.path.is_ident("none")
        {
            return Ok(Self::NONE);
        }
        if let Expr::Lit(_) | Expr::Closure(_) | Expr::Macro(_) = expr {
            return Err(Error::new_spanned(
                written,
                "`tx` takes the transaction, an expression over the arguments: write `tx = tx`, \
                 with the argument's name; or `tx = none` if the function commits by itself",
            ));
        }
        Ok(Self {
            expr: Some(written),
        })
    }
}

/// Return the argument that the expression names directly: `tx`, `&tx`, `&mut *tx` or `self`. Its
/// field or method is another value.
pub(crate) fn named(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(ExprPath {
            qself: None, path, ..
        }) => path.get_ident(),
        Expr::Reference(reference) => named(&reference.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => named(&unary.expr),
        Expr::Paren(paren) => named(&paren.expr),
        Expr::Group(group) => named(&group.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn only_the_argument_itself_is_named() {
        for (expr, name) in [
            ("tx", Some("tx")),
            ("&tx", Some("tx")),
            ("&mut *tx", Some("tx")),
            ("*tx", Some("tx")),
            ("(&**(tx))", Some("tx")),
            ("self", Some("self")),
            ("self.tx", None),
            ("&mut state.tx", None),
            ("state.tx()", None),
            ("tx.as_ref()", None),
            ("-tx", None),
            ("config::TX", None),
        ] {
            let parsed = syn::parse_str(expr).expect("an expression");
            let found = named(&parsed).map(ToString::to_string);
            assert_eq!(found.as_deref(), name, "{expr}");
        }
    }
}
