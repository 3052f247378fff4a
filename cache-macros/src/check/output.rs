//! Checks of the return type.

use crate::diagnostics::errors::Errors;
use crate::item::signature::{Facts, Style};
use crate::item::{async_trait, opaque};
use crate::template::Template;
use syn::visit::Visit;
use syn::{
    GenericArgument, Lifetime, PathArguments, Type, TypeImplTrait, TypeReference, TypeTraitObject,
};

/// Check that generated code can name the type, as far as it has to, and that the value is there
/// when the function returns.
pub(crate) fn nameable(facts: &Facts, is_cached: bool, errors: &mut Errors) {
    if let Type::Never(never) = &facts.output {
        errors.on(
            never,
            "this function never returns, so it has no value to cache and no moment for an \
             invalidation: remove the attribute",
        );
    }
    // Without `#[cacheable]` the compiler may infer a hidden type, where `_` can be written.
    let written = match is_cached {
        true => &facts.output,
        false => facts.written_output(),
    };
    for ty in hidden(written) {
        errors.on(
            ty,
            "`impl Trait` hides the returned type, which the cache needs to know: write the \
             concrete type (for a future, write an `async fn`)",
        );
    }
    let futures = hidden(&facts.output).into_iter();
    for ty in futures.filter(|ty| !is_cached && opaque::is_future(ty)) {
        errors.on(
            ty,
            "this function returns a future that hasn't run yet, so entries would be removed too \
             early: write an `async fn`",
        );
    }
    if matches!(facts.style, Style::Sync) && async_trait::output(&facts.output).is_some() {
        errors.on(
            &facts.output,
            "this function returns a future that hasn't run yet: write an `async fn`, or end the \
             body with `Box::pin(async move { .. })`",
        );
    }
}

/// Check that no pattern uses a value whose type is hidden.
pub(crate) fn visible(facts: &Facts, patterns: &[Template], errors: &mut Errors) {
    let mut placeholders = patterns.iter().flat_map(Template::placeholders);
    let Some(used) = placeholders.find(|placeholder| placeholder.uses_result()) else {
        return;
    };
    for ty in hidden(&facts.output) {
        errors.on(
            ty,
            format!(
                "`impl Trait` hides the returned type, but the placeholder `<<{}>>` of a pattern \
                 uses the returned value: write the concrete type, or use arguments only",
                used.source
            ),
        );
    }
}

/// Check that the stored value doesn't borrow: it outlives the call.
pub(crate) fn owned(facts: &Facts, errors: &mut Errors) {
    let mut borrows = Borrows(Vec::new());
    borrows.visit_type(&facts.output);
    for borrow in borrows.0 {
        let message = match borrow {
            Borrow::Static(_) => {
                "a `&'static` value can't be cached, since reading an entry creates an owned \
                 value: return an owned value (`String` for `&'static str`, `Vec<T>` for `&'static \
                 [T]`, `T` for `&'static T`)"
            }
            _ => {
                "a borrowed value can't be cached, since the entry outlives the call and \
                 everything that it borrows: return an owned value (`String` for `&str`, `Vec<T>` for `&[T]`, \
                 `Arc<T>` for `&T`)"
            }
        };
        errors.on(borrow, message);
    }
}

fn hidden(ty: &Type) -> Vec<&TypeImplTrait> {
    let mut hidden = Hidden(Vec::new());
    hidden.visit_type(ty);
    hidden.0
}

struct Hidden<'ast>(Vec<&'ast TypeImplTrait>);

impl<'ast> Visit<'ast> for Hidden<'ast> {
    fn visit_type_impl_trait(&mut self, ty: &'ast TypeImplTrait) {
        self.0.push(ty);
    }
}

/// The outermost borrows in the stored part of a type.
struct Borrows<'ast>(Vec<Borrow<'ast>>);

enum Borrow<'ast> {
    Reference(&'ast TypeReference),
    /// `&'static T`.
    Static(&'ast TypeReference),
    Lifetime(&'ast Lifetime),
}

impl quote::ToTokens for Borrow<'_> {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        match self {
            Borrow::Reference(reference) | Borrow::Static(reference) => reference.to_tokens(tokens),
            Borrow::Lifetime(lifetime) => lifetime.to_tokens(tokens),
        }
    }
}

impl<'ast> Visit<'ast> for Borrows<'ast> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        let lifetime = reference.lifetime.as_ref();
        if lifetime.is_some_and(|lifetime| lifetime.ident == "static") {
            self.0.push(Borrow::Static(reference));
        } else {
            self.0.push(Borrow::Reference(reference));
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.0.push(Borrow::Lifetime(lifetime));
        }
    }

    /// Only the first type of `Result<T, E>` is checked: an error is never stored.
    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        // A `PhantomData` holds no value.
        if segment.ident == "PhantomData" {
            return;
        }
        let stored = if segment.ident == "Result" {
            1
        } else {
            usize::MAX
        };
        if let PathArguments::AngleBracketed(generics) = &segment.arguments {
            let is_type =
                |argument: &&GenericArgument| matches!(argument, GenericArgument::Type(_));
            let others = generics.args.iter().filter(|argument| !is_type(argument));
            others.for_each(|argument| self.visit_generic_argument(argument));
            let types = generics.args.iter().filter(is_type).take(stored);
            types.for_each(|argument| self.visit_generic_argument(argument));
        }
    }

    // The lifetimes in a function pointer are those of its calls, not of the value.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}

    fn visit_type_trait_object(&mut self, object: &'ast TypeTraitObject) {
        for bound in &object.bounds {
            if let syn::TypeParamBound::Lifetime(lifetime) = bound {
                self.visit_lifetime(lifetime);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Borrows;
    use syn::visit::Visit as _;

    #[test]
    fn only_borrows_in_the_stored_value_are_found() {
        for (ty, borrows) in [
            ("String", 0),
            ("&str", 1),
            ("&'static str", 1),
            ("Result<Vec<&'static str>, &'static str>", 1),
            ("PhantomData<&'static str>", 0),
            ("Option<&'a T>", 1),
            ("Cow<'static, str>", 0),
            ("Cow<'_, str>", 1),
            ("Result<Post, Error<'a>>", 0),
            ("Result<Post, &'a str>", 0),
            ("Result<&'a Post, E>", 1),
            ("io::Result<Vec<(u8, &[u8])>>", 1),
            ("fn(&str) -> &str", 0),
            ("Box<dyn Fn() + 'a>", 1),
        ] {
            let parsed = syn::parse_str(ty).expect("a type");
            let mut found = Borrows(Vec::new());
            found.visit_type(&parsed);
            assert_eq!(found.0.len(), borrows, "{ty}");
        }
    }
}
