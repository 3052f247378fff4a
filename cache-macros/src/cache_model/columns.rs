//! The fields of the struct, and the columns they come from.

use super::args::{FieldArgs, foreign};
use crate::diagnostics::errors::Errors;
use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::{Attribute, FieldsNamed, Ident, Type};

/// A field with its column.
pub(super) struct Column {
    /// The field.
    pub(super) ident: Ident,
    pub(super) field: String,
    pub(super) ty: Type,
    /// The name of the column.
    pub(super) name: String,
    /// Why the name can't be told from the field, with the span of the cause.
    pub(super) unknown: Option<(Span, &'static str)>,
}

/// Read the fields. The names of columns are those of `#[cache]`, `#[sqlx]` or `#[sea_orm]`, or
/// those of the fields.
pub(super) fn read(attrs: &[Attribute], fields: &FieldsNamed, errors: &mut Errors) -> Vec<Column> {
    let mut columns = Vec::new();
    for field in &fields.named {
        let own = FieldArgs::read(&field.attrs, errors).column;
        let Some(ident) = field.ident.clone() else {
            continue;
        };
        if let Some(column) = own.as_ref().filter(|column| column.value().is_empty()) {
            errors.at(
                column.span(),
                "the name of the column is empty: write `column = \"post_slug\"`",
            );
        }
        let own = own
            .or_else(|| foreign(&field.attrs, "sqlx", "rename"))
            .or_else(|| foreign(&field.attrs, "sea_orm", "column_name"));
        let unknown = match own {
            Some(_) => None,
            None => renamed(attrs),
        };
        let name = ident.unraw().to_string();
        columns.push(Column {
            name: own.map_or_else(|| name.clone(), |column| column.value()),
            field: name,
            ident,
            ty: field.ty.clone(),
            unknown,
        });
    }
    columns
}

/// Find an attribute of the struct that renames all columns.
fn renamed(attrs: &[Attribute]) -> Option<(Span, &'static str)> {
    let find = |attribute| {
        let case = foreign(attrs, attribute, "rename_all")?;
        // A field is written in one of these already.
        let changes = !matches!(case.value().as_str(), "snake_case" | "lowercase");
        changes.then(|| (case.span(), attribute))
    };
    find("sqlx").or_else(|| find("sea_orm"))
}
