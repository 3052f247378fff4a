//! The patterns' placeholders: fields, since a trigger can't compute a Rust expression.

use super::columns::Column;
use crate::check::text;
use crate::diagnostics::errors::Errors;
use crate::diagnostics::nearest::{hint, list, nearest};
use crate::template::{Placeholder, Segment, Template};
use proc_macro2::Span;
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::ext::IdentExt as _;

/// Read a pattern. Each placeholder becomes the access of its field.
pub(super) fn template(literal: &syn::LitStr, columns: &[Column], errors: &mut Errors) -> Template {
    let mut template = Template::parse_in(&|_| None, literal, errors);
    let names: Vec<&str> = columns.iter().map(|column| column.field.as_str()).collect();
    text::pattern(&template, &names, errors);
    for segment in &mut template.segments {
        let Segment::Placeholder(placeholder) = segment else {
            continue;
        };
        match column(placeholder, columns) {
            Ok(column) => {
                if let Some((span, attribute)) = column.unknown {
                    errors.at(
                        span,
                        format!(
                            "`rename_all` of `#[{attribute}]` renames the column of `{0}`, which \
                             a pattern names: write `#[cache(column = \"..\")]` above the field \
                             `{0}`",
                            column.field
                        ),
                    );
                }
                access(placeholder, column);
            }
            Err(message) => errors.at(literal.span(), message),
        }
    }
    template
}

/// Find the column that a placeholder names.
pub(super) fn column<'c>(
    placeholder: &Placeholder,
    columns: &'c [Column],
) -> Result<&'c Column, String> {
    let source = &placeholder.source;
    let names: Vec<&str> = columns.iter().map(|column| column.field.as_str()).collect();
    let example = match names.first() {
        Some(first) => nearest(source, &names).unwrap_or(first),
        None => "id",
    };
    if placeholder.per_item {
        return Err(format!(
            "`<<{source}>>` in a model's pattern: a column has one value; write `<<{}>>`",
            source.trim_end_matches("..").trim_end()
        ));
    }
    let name = match &placeholder.expr {
        Expr::Path(path) => path.path.get_ident().map(|ident| ident.unraw().to_string()),
        Expr::Field(field) => {
            if let (Expr::Path(base), syn::Member::Named(name)) = (&*field.base, &field.member)
                && base.path.is_ident("self")
                && names.contains(&name.unraw().to_string().as_str())
            {
                return Err(format!(
                    "`<<{source}>>` in a model's pattern: a placeholder is the name of a field; \
                     write `<<{name}>>`"
                ));
            }
            None
        }
        _ => None,
    };
    let Some(name) = name else {
        return Err(format!(
            "`<<{source}>>` is an expression, which a trigger in the database can't compute: write \
             the name of a field, such as `<<{example}>>`, or `*`"
        ));
    };
    let found = columns.iter().find(|column| column.field == name);
    found.ok_or_else(|| {
        let known = if names.is_empty() {
            "; the struct has no fields".to_owned()
        } else {
            let meant = hint(&name, &names);
            let separator = if meant.is_empty() { ";" } else { "" };
            format!("{meant}{separator} the fields are {}", list(&names))
        };
        format!("unknown field `{name}` in the placeholder `<<{source}>>`{known}")
    })
}

/// Let a placeholder read its field.
fn access(placeholder: &mut Placeholder, column: &Column) {
    let (ident, site) = (&column.ident, Span::mixed_site());
    let this = quote_spanned!(site=> self);
    // Only a name and a `self`: this can't fail.
    if let Ok(expr) = syn::parse2(quote!(#this.#ident)) {
        placeholder.expr = expr;
    }
    placeholder.source.clone_from(&column.field);
    placeholder.mentions.clear();
}
