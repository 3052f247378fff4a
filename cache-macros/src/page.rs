//! `page!`: the key template of a page of `cache-http`. Its placeholders name parts of the request.

use crate::check::{per_item, text};
use crate::diagnostics::errors::Errors;
use crate::inline::{self, Kind};
use crate::model::Runtime;
use crate::template::{Placeholder, Segment, Template};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::Path;
use syn::parse::{ParseStream, Parser as _};

/// Expand to an expression of type `PageTemplate`, and register the page. The macro of `cache-http`
/// puts the path of its crate before the template.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut input = input.into_iter();
    let krate = match input.next() {
        Some(TokenTree::Ident(krate)) => Runtime::at(Path::from(krate)),
        _ => Runtime::DEFAULT,
    };
    let read = |input: ParseStream<'_>| inline::literal(Kind::Page, input);
    let literal = match read.parse2(input.collect()) {
        Ok(literal) => literal,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let template = Template::parse_in(&|_| None, &literal, &mut errors);
    text::key(&template, &[], &mut errors);
    per_item::inline(&template, "page", &mut errors);
    if !template.is_separated() {
        errors.at(
            literal.span(),
            "two placeholders of a page run together, so that two requests could share it: write \
             `:` between them",
        );
    }
    let site = Span::mixed_site();
    let k = krate.private(site);
    let parts: Vec<_> = template
        .segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Text(text) => Some(quote_spanned!(site=> #k::Part::Text(#text))),
            Segment::Placeholder(placeholder) => errors.keep(part(placeholder, &literal, &k)),
        })
        .collect();
    let (written, shape) = (literal.value(), template.shape());
    if let Some(errors) = errors.into_tokens() {
        return quote_spanned!(site=> { #errors #k::PageTemplate::new(#written, &[]) });
    }
    quote_spanned! {site=>
        {
            enum Marker {}
            static SITE: #k::ReadSite = #k::ReadSite::new(
                #written, ::core::module_path!(), #written, #shape, ::core::any::type_name::<Marker>,
            );
            #k::submit!(#k::Registered::Read(&SITE));
            #k::PageTemplate::new(#written, &[#(#parts),*]).at(&SITE)
        }
    }
}

/// Return the part of the request that a placeholder names.
fn part(
    placeholder: &Placeholder,
    literal: &syn::LitStr,
    k: &TokenStream,
) -> syn::Result<TokenStream> {
    let site = Span::mixed_site();
    let source = placeholder.source.trim();
    let is_name = |text: &str| {
        let mut characters = text.chars();
        let first = characters.next();
        first.is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && characters.all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-'))
    };
    let part = match source.split_once('.') {
        None if source == "user" => quote_spanned!(site=> #k::Part::User),
        None if source == "host" => quote_spanned!(site=> #k::Part::Host),
        None if is_name(source) && !source.contains('-') => {
            quote_spanned!(site=> #k::Part::Path(#source))
        }
        Some(("query", name)) if is_name(name) => quote_spanned!(site=> #k::Part::Query(#name)),
        Some(("cookie", name)) if is_name(name) => quote_spanned!(site=> #k::Part::Cookie(#name)),
        Some(("header", name)) if is_name(name) => {
            // A field's name in an identifier's form, too: names of fields seldom have a `_`.
            let name = name.replace('_', "-").to_ascii_lowercase();
            quote_spanned!(site=> #k::Part::Header(#name))
        }
        Some(("context", name)) if is_name(name) => {
            quote_spanned!(site=> #k::Part::Context(#name))
        }
        _ => {
            return Err(syn::Error::new(
                literal.span(),
                format!(
                    "`<<{source}>>` isn't a part of a request: a page takes a path parameter \
                     (`<<slug>>` for `/posts/{{slug}}`), `<<user>>`, `<<host>>`, `<<query.page>>`, \
                     `<<cookie.theme>>`, `<<header.accept-language>>` or `<<context.tenant>>`"
                ),
            ));
        }
    };
    Ok(part)
}
