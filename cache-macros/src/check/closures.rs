//! Check of arguments that are closures: they can't be hashed, and the compiler would suggest a
//! bound that no closure satisfies.

use crate::diagnostics::errors::Errors;
use crate::item::bindings;
use crate::item::function::Function;
use crate::template::Template;
use syn::ext::IdentExt as _;
use syn::{
    FnArg, GenericParam, Ident, PathArguments, Signature, Type, TypeParamBound, WherePredicate,
};

/// Check that every closure is skipped, or used in the key.
pub(crate) fn check(
    skip: &[Ident],
    key: Option<&Template>,
    function: &Function,
    errors: &mut Errors,
) {
    for input in &function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        if !is_closure(&input.ty, &function.sig) {
            continue;
        }
        bindings::each(&input.pat, &mut |ident| {
            let name = ident.unraw().to_string();
            let mut placeholders = key.iter().flat_map(|key| key.placeholders());
            let is_used = placeholders.any(|placeholder| placeholder.uses(&name));
            if is_used || skip.iter().any(|skipped| skipped.unraw() == name) {
                return;
            }
            errors.on(
                &input.ty,
                format!(
                    "the closure `{name}` can't be hashed into the cache key: add `skip({name})`, \
                     and make sure that its result depends on the other arguments only"
                ),
            );
        });
    }
}

/// Whether a type is `impl Fn()`, `&dyn Fn()`, `fn()`, or a type parameter with such a bound.
fn is_closure(ty: &Type, sig: &Signature) -> bool {
    match ty {
        Type::Group(group) => is_closure(&group.elem, sig),
        Type::Paren(paren) => is_closure(&paren.elem, sig),
        Type::Reference(reference) => is_closure(&reference.elem, sig),
        Type::FnPtr(_) => true,
        Type::ImplTrait(ty) => names_fn(ty.bounds.iter()),
        Type::TraitObject(ty) => names_fn(ty.bounds.iter()),
        Type::Path(path) => {
            if let Some(name) = path.path.get_ident() {
                return is_bounded(name, sig);
            }
            let Some(last) = path.path.segments.last() else {
                return false;
            };
            let holds = ["Box", "Arc", "Rc", "Option", "Vec"]
                .iter()
                .any(|name| last.ident == name);
            match &last.arguments {
                PathArguments::AngleBracketed(generics) if holds => {
                    matches!(generics.args.first(), Some(syn::GenericArgument::Type(ty)) if is_closure(ty, sig))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether the type parameter `name` is a closure.
fn is_bounded(name: &Ident, sig: &Signature) -> bool {
    let inline = sig.generics.params.iter().any(|param| match param {
        GenericParam::Type(param) => param.ident == *name && names_fn(param.bounds.iter()),
        _ => false,
    });
    let predicates = sig.generics.where_clause.iter();
    inline
        || predicates
            .flat_map(|bounds| &bounds.predicates)
            .any(|predicate| match predicate {
                WherePredicate::Type(predicate) => {
                    matches!(&predicate.bounded_ty, Type::Path(path) if path.path.is_ident(name))
                        && names_fn(predicate.bounds.iter())
                }
                _ => false,
            })
}

fn names_fn<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> bool {
    bounds.any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| {
            matches!(last.arguments, PathArguments::Parenthesized(_))
                && last
                    .ident
                    .to_string()
                    .trim_start_matches("Async")
                    .starts_with("Fn")
        }),
        _ => false,
    })
}
