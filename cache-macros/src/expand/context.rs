//! `context(user_id)`: values of the current request, for placeholders and conditions.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Expr;
use syn::ext::IdentExt as _;

use crate::item::free::mentions;
use crate::model::{Read, Runtime};
use crate::template::{Placeholder, Template};

/// Let the tokens see the names of the context that they use, as `&str`. `missing` is what stands
/// in their place if the context doesn't have one.
fn visible(
    names: &[Ident],
    uses: impl Fn(&str) -> bool,
    runtime: &Runtime,
    missing: impl Fn(&str) -> TokenStream,
    tokens: TokenStream,
) -> TokenStream {
    let named = names.iter().map(|name| (name, name.unraw().to_string()));
    let used = named.filter(|(_, text)| uses(text));
    used.fold(tokens, |tokens, (name, text)| {
        let site = Span::mixed_site().located_at(name.span());
        let k = runtime.private(name.span());
        let missing = missing(&text);
        quote_spanned! {site=>
            match #k::context(#text) {
                ::core::option::Option::Some(#name) => {
                    let #name: &::core::primitive::str = &#name;
                    #tokens
                }
                ::core::option::Option::None => #missing,
            }
        }
    })
}

/// Write a placeholder that may use names of the context, with the literal text `before` it.
pub(super) fn placeholder(
    names: &[Ident],
    placeholder: &Placeholder,
    before: &str,
    runtime: &Runtime,
    part: TokenStream,
) -> TokenStream {
    let missing =
        |name: &str| quote_spanned!(Span::mixed_site()=> w.without_context(#before, #name));
    visible(names, |name| placeholder.uses(name), runtime, missing, part)
}

/// Evaluate an expression that may use names of the context. `missing`: its value without one.
pub(super) fn expression(
    names: &[Ident],
    expr: &Expr,
    runtime: &Runtime,
    missing: &TokenStream,
    tokens: TokenStream,
) -> TokenStream {
    let mentions = mentions(expr);
    let uses = |name: &str| mentions.iter().any(|mention| mention.name == name);
    visible(names, uses, runtime, |_| missing.clone(), tokens)
}

/// Hash the names that the template doesn't use.
pub(super) fn hashed(read: &Read) -> TokenStream {
    let lines = outside(&read.context, read.key.as_ref()).map(|name| {
        let text = name.unraw().to_string();
        let site = Span::mixed_site().located_at(name.span());
        let k = read.runtime.private(name.span());
        quote_spanned!(site=> #k::hash_context(w, #text);)
    });
    lines.collect()
}

/// Return the names that the template doesn't use, each of which gives a path several entries.
pub(super) fn outside<'a>(
    names: &'a [Ident],
    key: Option<&'a Template>,
) -> impl Iterator<Item = &'a Ident> {
    names.iter().filter(move |name| {
        let name = name.unraw().to_string();
        let mut placeholders = key.into_iter().flat_map(Template::placeholders);
        !placeholders.any(|placeholder| placeholder.uses(&name))
    })
}
