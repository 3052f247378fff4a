//! `key!` and `pattern!`: templates outside of an attribute, over the names in scope.

use crate::check::{per_item, text};
use crate::diagnostics::errors::Errors;
use crate::expand::render;
use crate::model::Runtime;
use crate::template::{Segment, Template, respan};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, ExprLit, Lit, LitStr, Path, Token};

/// The kind of text that a template is rendered to.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Key,
    Pattern,
    /// `page!` of `cache-http`.
    Page,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Pattern => "pattern",
            Self::Page => "page",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Key => "key!(\"posts:<<slug>>\")",
            Self::Pattern => "pattern!(\"posts:<<slug>>:*\")",
            Self::Page => "page!(\"posts:<<slug>>:page\")",
        }
    }
}

/// Expand to an expression that renders the template to a `String`. The runtime's macro puts the
/// path of its crate before the template.
pub(crate) fn expand(kind: Kind, input: TokenStream) -> TokenStream {
    let mut input = input.into_iter();
    let runtime = match input.next() {
        Some(TokenTree::Ident(krate)) => Runtime::at(Path::from(krate)),
        _ => Runtime::DEFAULT,
    };
    let read = |input: ParseStream<'_>| literal(kind, input);
    let literal = match read.parse2(input.collect()) {
        Ok(literal) => literal,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let mut template = Template::parse_in(&|_| None, &literal, &mut errors);
    match kind {
        Kind::Key | Kind::Page => text::key(&template, &[], &mut errors),
        Kind::Pattern => text::pattern(&template, &[], &mut errors),
    }
    per_item::inline(&template, kind.name(), &mut errors);
    if let Some(errors) = errors.into_tokens() {
        // An expression of the right type, so that the compiler reports no other error.
        return quote_spanned!(Span::mixed_site()=> { #errors ::std::string::String::new() });
    }
    resolve_at_literal(&mut template);
    let site = Span::mixed_site();
    let k = runtime.private(site);
    let written = literal.value();
    let render = render::template(&template, &[], &runtime);
    match kind {
        Kind::Pattern => quote_spanned!(site=> #k::pattern_text(#written, #render)),
        Kind::Key | Kind::Page => {
            let shape = template.shape();
            quote_spanned!(site=> #k::key_text(#written, #shape, #render))
        }
    }
}

pub(crate) fn literal(kind: Kind, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let (name, example) = (kind.name(), kind.example());
    let takes = format!("`{name}!` takes one string literal: write `{example}`");
    if input.is_empty() {
        return Err(Error::new(Span::call_site(), takes));
    }
    let expr: Expr = input.parse()?;
    let Some(literal) = text_of(&expr) else {
        return Err(Error::new_spanned(expr, takes));
    };
    let literal = literal.clone();
    if literal.value().is_empty() {
        let message = format!("the {name} is empty: write a path, `{example}`");
        return Err(Error::new(literal.span(), message));
    }
    input.parse::<Option<Token![,]>>()?;
    if !input.is_empty() {
        let rest: TokenStream = input.parse()?;
        let message = format!("{takes}; put values into the string, between `<<` and `>>`");
        return Err(Error::new_spanned(rest, message));
    }
    Ok(literal)
}

/// Match a string literal, also in the invisible group that a `macro_rules!` fragment makes.
fn text_of(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        Expr::Group(group) => text_of(&group.expr),
        _ => None,
    }
}

/// Resolve the names in placeholders at the literal. `result` is an ordinary name here.
fn resolve_at_literal(template: &mut Template) {
    let span = template.literal.span();
    for segment in &mut template.segments {
        let Segment::Placeholder(placeholder) = segment else {
            continue;
        };
        placeholder.mentions.clear();
        let tokens = respan(&|_| None, placeholder.expr.to_token_stream(), span);
        if let Ok(expr) = syn::parse2(tokens) {
            placeholder.expr = expr;
        }
    }
}
