//! `impl Trait` in a return type: a type that only the compiler knows.

use syn::{GenericArgument, PathArguments, Token, Type, TypeInfer, TypeParamBound};

/// Replace each `impl Trait` by `_`, so that generated code can write the type where the compiler
/// infers it. Return whether there was one.
pub(crate) fn infer(ty: &mut Type) -> bool {
    match ty {
        Type::ImplTrait(hidden) => {
            let span = hidden.impl_token.span;
            let underscore_token = Token![_](span);
            let attrs = Vec::new();
            *ty = Type::Infer(TypeInfer {
                attrs,
                underscore_token,
            });
            true
        }
        Type::Group(group) => infer(&mut group.elem),
        Type::Paren(paren) => infer(&mut paren.elem),
        Type::Reference(reference) => infer(&mut reference.elem),
        Type::Slice(slice) => infer(&mut slice.elem),
        Type::Array(array) => infer(&mut array.elem),
        Type::Tuple(tuple) => {
            let mut found = false;
            tuple.elems.iter_mut().for_each(|ty| found |= infer(ty));
            found
        }
        Type::Path(path) => {
            let mut found = false;
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(generics) = &mut segment.arguments else {
                    continue;
                };
                for argument in &mut generics.args {
                    if let GenericArgument::Type(ty) = argument {
                        found |= infer(ty);
                    }
                }
            }
            found
        }
        _ => false,
    }
}

/// Whether an `impl Trait` is a future: its value isn't there when the function returns.
pub(crate) fn is_future(hidden: &syn::TypeImplTrait) -> bool {
    hidden.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Future" || last.ident == "IntoFuture"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::infer;
    use quote::ToTokens as _;

    #[test]
    fn each_hidden_type_is_inferred() {
        for (ty, written) in [
            ("impl IntoResponse", "_"),
            ("Result<impl IntoResponse, Error>", "Result < _ , Error >"),
            ("(StatusCode, impl Display + use<>)", "(StatusCode , _)"),
            ("Option<Vec<impl Display>>", "Option < Vec < _ > >"),
            ("Result<Post, Error>", "Result < Post , Error >"),
        ] {
            let mut parsed = syn::parse_str(ty).expect("a type");
            assert_eq!(infer(&mut parsed), ty.contains("impl"), "{ty}");
            let parsed = parsed.to_token_stream().to_string();
            assert_eq!(parsed.replace("( ", "("), written, "{ty}");
        }
    }
}
