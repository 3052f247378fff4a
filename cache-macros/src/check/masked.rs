//! Check of placeholders that print a value whose type hides it.

use crate::diagnostics::errors::Errors;
use crate::item::serde_hazard::SerdeHazard;
use crate::item::signature::Facts;
use crate::model::Each;
use crate::template::Template;
use syn::Expr;
use syn::ext::IdentExt as _;

/// Refuse `<<token>>` for a `token: Masked<..>`: its text may be `***` for all values.
/// `<<token.id>>` is allowed.
pub(crate) fn check(
    key: Option<&Template>,
    each: Option<&Each>,
    facts: &Facts,
    errors: &mut Errors,
) {
    for placeholder in key.iter().flat_map(|key| key.placeholders()) {
        let Some(name) = shown(&placeholder.expr) else {
            continue;
        };
        let is_masked = facts
            .arguments
            .iter()
            .any(|argument| argument.name == name && argument.hazard == Some(SerdeHazard::Masked));
        let is_masked_item = each.is_some_and(|each| {
            each.item == name && SerdeHazard::of(&each.item_ty) == Some(SerdeHazard::Masked)
        });
        if let (true, Some(key)) = (is_masked || is_masked_item, key) {
            errors.at(
                key.literal.span(),
                format!(
                    "`<<{}>>` has a type that may hide its value, so all values would share one \
                     entry: use a field that identifies the value, such as `<<{name}.id>>`; or \
                     leave it out of `key` and derive `cache_runtime::CacheKey` for its type, so \
                     that it is hashed; or add `skip({name})`",
                    placeholder.source
                ),
            );
        }
    }
}

/// The name that is printed unchanged, or behind a reference.
fn shown(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(|ident| ident.unraw().to_string()),
        Expr::Reference(reference) => shown(&reference.expr),
        Expr::Paren(paren) => shown(&paren.expr),
        Expr::Group(group) => shown(&group.expr),
        _ => None,
    }
}
