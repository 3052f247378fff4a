//! Check of `self`, an argument like the others: it is in the key, skipped or unused.

use crate::diagnostics::errors::Errors;
use crate::item::function::Function;
use crate::item::signature::{Facts, Style};
use crate::template::Template;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Ident, Receiver, ReceiverKind};

/// Refuse a method whose value may depend on `self` while its key doesn't.
///
/// `condition`, `ttl` and `cache` may use `self` freely: they don't affect the value.
pub(crate) fn check(
    key: Option<&Template>,
    skip: &[Ident],
    function: &Function,
    facts: &Facts,
    errors: &mut Errors,
) {
    let Some(receiver) = function.sig.receiver() else {
        return;
    };
    let mut placeholders = key.iter().flat_map(|key| key.placeholders());
    let in_key = placeholders.any(|placeholder| placeholder.uses("self"));
    let skipped = skip.iter().any(|name| name == "self");
    if in_key || skipped || is_unused(function, facts) {
        return;
    }
    let place = match key {
        Some(_) => "in `key`",
        None => "in a `key`",
    };
    errors.at(
        receiver.self_token.span,
        format!(
            "`{}` is not in the key, so `{}` would return one receiver's value for another: use \
             the fields that the value depends on {place}, such as `<<self.id>>`; or add \
             `skip(self)` if the value doesn't depend on `self`",
            written(receiver),
            facts.name,
        ),
    );
}

/// The receiver as its author wrote it, without the lifetime that `async_trait` adds: `&self`,
/// `self: Arc<Self>`.
fn written(receiver: &Receiver) -> String {
    let mutable = |mutability: bool| if mutability { "mut " } else { "" };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => {
            format!("&{}self", mutable(mutability.is_some()))
        }
        ReceiverKind::Typed(_, ty) => {
            let ty = ty.to_token_stream().to_string().replace(' ', "");
            format!("{}self: {ty}", mutable(receiver.mutability.is_some()))
        }
        _ => format!("{}self", mutable(receiver.mutability.is_some())),
    }
}

/// Whether the body certainly doesn't use `self`. A macro call counts as a use: its tokens aren't
/// conclusive.
fn is_unused(function: &Function, facts: &Facts) -> bool {
    let body = match &facts.style {
        // `async_trait` moves all arguments into the future, used or not: `let __self = self;`.
        Style::Boxed(body) => body.without_moves(),
        _ => function.body.clone(),
    };
    !may_use_self(body)
}

fn may_use_self(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let punct = |at: usize, character: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == character);
    tokens.iter().enumerate().any(|(at, token)| match token {
        // `self::name` is a path.
        TokenTree::Ident(ident) if ident == "self" || ident == "__self" => {
            !(punct(at + 1, ':') && punct(at + 2, ':'))
        }
        TokenTree::Ident(ident) => {
            let called =
                punct(at + 1, '!') && matches!(tokens.get(at + 2), Some(TokenTree::Group(_)));
            called && !BEFORE_EXPRESSIONS.iter().any(|keyword| ident == keyword)
        }
        TokenTree::Group(group) => may_use_self(group.stream()),
        _ => false,
    })
}

/// Keywords after which `!(..)` is a negation.
const BEFORE_EXPRESSIONS: &[&str] = &["break", "if", "in", "match", "return", "while"];

#[cfg(test)]
mod tests {
    use super::may_use_self;

    #[test]
    fn every_use_of_self_is_found() {
        for (body, used) in [
            ("id * 2", false),
            ("Self::NAME.len()", false),
            ("if id != 2 { !id } else { id }", false),
            ("other::itself(id)", false),
            ("self::helper(id)", false),
            ("return !(id == 2)", false),
            ("self.id", true),
            ("{ let this = &self; }", true),
            ("format!(\"{id}\")", true),
            ("std::format! { \"{self}\" }", true),
            ("(|| [self.id])()", true),
            ("__self.id", true),
        ] {
            let tokens = body.parse().expect("tokens");
            assert_eq!(may_use_self(tokens), used, "{body}");
        }
    }
}
