//! Reading a list of options: the part that all attributes share.

use crate::diagnostics::errors::Errors;
use crate::diagnostics::nearest::{hint, list};
use proc_macro2::{Group, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Error, Expr, Ident, LitBool, LitStr, Token};

/// The options of one attribute.
pub(crate) trait Options: Default {
    /// Every option's name, in the order of the documentation.
    const NAMES: &'static [&'static str];
    /// The attribute's name.
    const ATTRIBUTE: &'static str;
    /// Names that other caches use for an option, each with the name used here.
    const SYNONYMS: &'static [(&'static str, &'static str)];
    /// Options of other caches that are not needed here, each with the reason.
    const NEEDLESS: &'static [(&'static str, &'static str)];
    /// The example in the error about a value without an option's name.
    const FIRST: &'static str;

    /// Read the value of the option `name`, which is one of `NAMES`.
    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()>;
}

/// Read a whole list of options. A mistake in one option doesn't hide mistakes in the others.
pub(crate) fn read<O: Options>(tokens: TokenStream, errors: &mut Errors) -> O {
    let mut options = O::default();
    let mut seen = Vec::new();
    let all = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = one(input, &mut options, &mut seen).and_then(|()| comma(input)) {
                errors.push(error);
                skip_option(input);
            }
        }
        Ok(())
    };
    let read = all.parse2(tokens);
    errors.keep(read);
    options
}

fn one<O: Options>(
    input: ParseStream<'_>,
    options: &mut O,
    seen: &mut Vec<String>,
) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        let message = format!("an option needs a name: write `{}`", O::FIRST);
        return Err(input.error(message));
    }
    let name = input.call(Ident::parse_any)?;
    let text = name.to_string();
    if !O::NAMES.contains(&text.as_str()) {
        return Err(Error::new(name.span(), unknown::<O>(&text)));
    }
    if seen.contains(&text) {
        let message = format!("`{text}` is given twice: remove one of them");
        return Err(Error::new(name.span(), message));
    }
    seen.push(text);
    options.read(&name, input)
}

fn unknown<O: Options>(text: &str) -> String {
    let find = |list: &'static [(&str, &'static str)]| {
        let found = list
            .iter()
            .find(|(name, _)| text.eq_ignore_ascii_case(name));
        found.map(|(_, told)| *told)
    };
    if let Some(reason) = find(O::NEEDLESS) {
        return format!("`#[{}]` has no option `{text}`: {reason}", O::ATTRIBUTE);
    }
    let meant = match find(O::SYNONYMS) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => hint(text, O::NAMES),
    };
    format!(
        "unknown option `{text}`{} `#[{}]` takes {}",
        if meant.is_empty() { ":" } else { &meant },
        O::ATTRIBUTE,
        list(O::NAMES),
    )
}

fn comma(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    if input.peek(Token![,]) {
        return input.parse::<Token![,]>().map(drop);
    }
    Err(input.error("expected `,` and the next option"))
}

/// Skip a malformed option, up to a comma that is followed by another option.
fn skip_option(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        let comma = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
        if comma && (input.is_empty() || begins_option(input)) {
            return;
        }
    }
}

fn begins_option(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    // `==` doesn't begin an option: the comma was inside an expression.
    ahead.call(Ident::parse_any).is_ok()
        && (ahead.is_empty()
            || ahead.peek(Token![,])
            || ahead.peek(syn::token::Paren)
            || (ahead.peek(Token![=]) && !ahead.peek(Token![==])))
}

/// Report an option that is in `NAMES` and that `read` doesn't know, which is a bug of this crate.
pub(crate) fn without_arm(name: &Ident) -> Error {
    let message = format!("the option `{name}` is in `NAMES` and has no arm in `read`");
    Error::new(name.span(), message)
}

/// Parse `= value`.
pub(crate) fn value<T: Parse>(
    name: &Ident,
    example: &str,
    input: ParseStream<'_>,
) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        let message = format!("`{name}` needs a value: write `{example}`");
        return Err(Error::new(name.span(), message));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        let message = format!("`{name}` needs a value: write `{example}`");
        return Err(Error::new(name.span(), message));
    }
    input.parse()
}

/// Parse `= "text"`.
pub(crate) fn string(name: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<LitStr> {
    literal(name, example, value(name, example, input)?)
}

/// Match a string literal.
pub(crate) fn literal(name: &Ident, example: &str, value: Expr) -> syn::Result<LitStr> {
    match value {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Ok(text),
        Expr::Group(group) => syn::parse2(quote::ToTokens::into_token_stream(group.expr)),
        other @ Expr::Macro(_) => Err(Error::new_spanned(
            other,
            format!(
                "`{name}` takes a string literal, with values in placeholders: write `{example}`"
            ),
        )),
        other => Err(Error::new_spanned(
            other,
            format!("`{name}` takes a string literal: write `{example}`"),
        )),
    }
}

/// Parse `name`, `name = true` or `name = false`.
pub(crate) fn flag(name: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
    if !input.peek(Token![=]) {
        return Ok(true);
    }
    input.parse::<Token![=]>()?;
    let here = input.span();
    match input.parse::<LitBool>() {
        Ok(value) => Ok(value.value),
        Err(_) => Err(Error::new(
            here,
            format!(
                "`{name}` takes `true` or `false`: write `{name}`, `{name} = true` or `{name} = false`"
            ),
        )),
    }
}

/// Parse `(a, b)`.
pub(crate) fn names(
    name: &Ident,
    kind: &str,
    example: &str,
    input: ParseStream<'_>,
) -> syn::Result<Vec<Ident>> {
    if !input.peek(syn::token::Paren) {
        let message =
            format!("`{name}` takes the names of {kind} in parentheses: write `{example}`");
        return Err(Error::new(name.span(), message));
    }
    // Take the group whole: dropping a half-read parse buffer would invalidate the other options.
    let group: Group = input.parse()?;
    let idents = |input: ParseStream<'_>| input.parse_terminated(Ident::parse_any, Token![,]);
    Ok(idents.parse2(group.stream())?.into_iter().collect())
}
