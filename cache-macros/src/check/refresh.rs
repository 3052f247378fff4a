//! Checks of the staleness options and of `detached`, and the decision where a stale value is
//! recomputed.

use crate::attr::args::CacheableArgs;
use crate::attr::staleness::{By, StaleIfError, Staleness};
use crate::diagnostics::errors::Errors;
use crate::item::function::Function;
use crate::item::signature::{Facts, Style, cfgs};
use crate::model::{Argument, Refresher};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{FnArg, GenericParam, PathArguments, Type};

/// Determine where a value is recomputed; `None` if no option asks for it.
pub(crate) fn refresher(
    args: &CacheableArgs,
    function: &Function,
    facts: &Facts,
    errors: &mut Errors,
) -> Option<Refresher> {
    let staleness: &Staleness = &args.staleness;
    if args.detached.is_some() {
        outlives(args, function, facts, errors);
    }
    if let Some(option) = &staleness.stale_if_error {
        returns_errors(option, facts, errors);
    }
    if !staleness.refreshes() {
        if let Some(refresh) = &staleness.refresh {
            errors.at(
                refresh.span,
                "`refresh` has no effect without `stale`, `stale_if_error` or `early`: add one of \
                 these, such as `stale = \"1m\"`, or remove `refresh`",
            );
        }
        return None;
    }
    let by = staleness.refresh.as_ref().map(|refresh| refresh.by);
    let required = by == Some(By::Background);
    let owned = owned(function, facts);
    if let (Err(obstacle), true) = (&owned, required && args.detached.is_none()) {
        obstacle.report(
            errors,
            "the function can't have `refresh = \"background\"`",
            "write `refresh = \"caller\"`, or remove `refresh`: then the first caller that \
             finds the value stale recomputes it, while the others get the stale value",
        );
    }
    Some(match owned {
        // The arguments of a detached function are already checked.
        Ok(_) if args.detached.is_some() => Refresher::Background {
            arguments: Vec::new(),
            required: false,
        },
        Ok(arguments) if by != Some(By::Caller) => Refresher::Background {
            arguments,
            required,
        },
        _ => Refresher::Caller,
    })
}

/// The reason why a body can't run without its caller, and its tokens.
pub(super) struct Obstacle {
    at: TokenStream,
    what: String,
}

impl Obstacle {
    fn new(at: impl ToTokens, what: String) -> Self {
        let at = at.into_token_stream();
        Self { at, what }
    }

    pub(super) fn report(&self, errors: &mut Errors, refused: &str, fix: &str) {
        let what = &self.what;
        errors.on(
            &self.at,
            format!("{refused}: {what}, so the body can't outlive the call: {fix}"),
        );
    }
}

/// Check that a body can outlive its caller.
fn outlives(args: &CacheableArgs, function: &Function, facts: &Facts, errors: &mut Errors) {
    if let (Style::Sync, Some(detached)) = (&facts.style, args.detached) {
        errors.at(
            detached,
            "`detached` has no effect on a blocking function, whose caller can't be dropped while \
             it waits: remove it, or write an `async fn`",
        );
        return;
    }
    if let Err(obstacle) = owned(function, facts) {
        obstacle.report(
            errors,
            "the function can't be `detached`",
            "take owned arguments (`String` for `&str`, a handle that is `Clone` for `&Db`), or \
             remove `detached`: then a computation ends with its caller",
        );
    }
    let refresh = args.staleness.refresh.as_ref();
    if let Some(refresh) = refresh.filter(|refresh| refresh.by == By::Caller) {
        errors.at(
            refresh.span,
            "a `detached` function always refreshes in the background: remove either `refresh` or \
             `detached`",
        );
    }
}

/// Return the arguments if, judging by their written types, the body owns all of them.
pub(super) fn owned(function: &Function, facts: &Facts) -> Result<Vec<Argument>, Obstacle> {
    let sig = &function.sig;
    if let Style::Boxed(_) = facts.style {
        let what = "an `async_trait` method borrows its arguments".to_owned();
        return Err(Obstacle::new(&sig.ident, what));
    }
    let parameters = sig.generics.params.iter();
    let parameters: Vec<String> = parameters
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
            _ => None,
        })
        .collect();
    let arguments = sig.inputs.iter().map(|input| match input {
        FnArg::Receiver(receiver) => {
            let what = "`self` is owned by the caller".to_owned();
            Err(Obstacle::new(receiver, what))
        }
        FnArg::Typed(input) => match borrows(input.ty.to_token_stream(), &parameters) {
            None => Ok(Argument {
                ty: (*input.ty).clone(),
                cfgs: cfgs(&input.attrs).cloned().collect(),
            }),
            Some(what) => {
                let pat = &input.pat;
                let what = format!(
                    "the type of the argument `{}` contains {what}",
                    quote!(#pat)
                );
                Err(Obstacle::new(&input.ty, what))
            }
        },
    });
    arguments.collect()
}

/// Find a part of a written type that may hide a borrow.
fn borrows(ty: TokenStream, parameters: &[String]) -> Option<String> {
    ty.into_iter().find_map(|token| match token {
        TokenTree::Punct(punct) => match punct.as_char() {
            '&' => Some("a `&`".to_owned()),
            '\'' => Some("a lifetime".to_owned()),
            '!' => Some("a macro, which may hide a borrow".to_owned()),
            _ => None,
        },
        TokenTree::Ident(ident) => match ident.to_string() {
            word if word == "impl" => Some("an `impl Trait`".to_owned()),
            word if word == "Self" => Some("`Self`, which may have a type parameter".to_owned()),
            word if parameters.contains(&word) => Some(format!("the type parameter `{word}`")),
            _ => None,
        },
        TokenTree::Group(group) => borrows(group.stream(), parameters),
        TokenTree::Literal(_) => None,
    })
}

/// The last names of types that are known not to be a `Result`. An alias may hide such a type; then
/// the option has no effect.
const NO_RESULTS: &[&str] = &[
    "Option", "Vec", "String", "Arc", "Box", "Json", "HashMap", "BTreeMap", "HashSet", "BTreeSet",
    "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

fn returns_errors(option: &StaleIfError, facts: &Facts, errors: &mut Errors) {
    if is_no_result(&facts.output) {
        errors.at(
            option.span,
            format!(
                "`stale_if_error` needs a function that returns a `Result`, and `{}` doesn't: \
                 remove the option, or use `stale`",
                facts.name
            ),
        );
    }
}

/// Whether a type is known not to be a `Result`.
pub(super) fn is_no_result(ty: &Type) -> bool {
    match ty {
        Type::Tuple(_) | Type::Array(_) | Type::Never(_) => true,
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            // `Option<T>` and the like, but not `Option(..)`, which isn't the type of that name.
            let known = NO_RESULTS.iter().any(|name| last.ident == name);
            known && !matches!(last.arguments, PathArguments::Parenthesized(_))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::borrows;

    #[test]
    fn types_that_may_borrow_are_recognized_by_their_tokens() {
        for (ty, borrowed) in [
            ("u32", false),
            ("Option<Vec<String>>", false),
            ("[u8; N]", false),
            ("Arc<dyn Store + Send + Sync>", false),
            ("(u32, (String, bool))", false),
            ("&str", true),
            ("Option<&str>", true),
            ("(u32, &'static str)", true),
            ("Cow<'static, str>", true),
            ("Page<'_>", true),
            ("Vec<T>", true),
            ("impl Display", true),
            ("Self", true),
            ("ty!(u32)", true),
            ("fn(&u32) -> u32", true),
        ] {
            let tokens = ty.parse().expect("tokens");
            assert_eq!(
                borrows(tokens, &["T".to_owned()]).is_some(),
                borrowed,
                "{ty}"
            );
        }
    }
}
