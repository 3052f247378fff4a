//! The annotated item. A function's body stays a stream of tokens: nothing here needs to understand
//! it, and syntax that this crate's parser doesn't know yet passes through.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Error, Signature, Token, Visibility};

/// A function with a body.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// `#![..]` at the beginning of the body.
    pub(crate) inner: Vec<Attribute>,
    /// The braces' span. With another span, the compiler would treat the function as generated and
    /// suppress its warnings.
    pub(crate) braces: Span,
    /// The statements, without the braces.
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let ahead = input.fork();
        let Ok(sig) = input.parse::<Signature>() else {
            return Err(not_a_function(&ahead));
        };
        if input.peek(Token![;]) {
            let semi: Token![;] = input.parse()?;
            let message = format!(
                "`{}` has no body: annotate the methods of the `impl` blocks, or give this method \
                 a default body",
                sig.ident
            );
            return Err(Error::new_spanned(quote!(#sig #semi), message));
        }
        let block = input.call(block)?;
        let parts =
            |input: ParseStream<'_>| Ok((input.call(Attribute::parse_inner)?, input.parse()?));
        let (inner, body) = parts.parse2(block.stream())?;
        Ok(Self {
            attrs,
            vis,
            sig,
            inner,
            braces: block.span(),
            body,
        })
    }
}

/// Parse the braces, which a `macro_rules!` fragment may have wrapped in an invisible group.
fn block(input: ParseStream<'_>) -> syn::Result<Group> {
    input.step(|cursor| match cursor.group(Delimiter::Brace) {
        Some((inside, span, rest)) => {
            let mut group = Group::new(Delimiter::Brace, inside.token_stream());
            group.set_span(span.join());
            Ok((group, rest))
        }
        None => Err(cursor.error("expected the function's body")),
    })
}

fn not_a_function(item: ParseStream<'_>) -> Error {
    let advice = "put the attribute on a function that reads data (`#[cacheable]`) or writes data \
                  (`#[invalidate]`)";
    let what = if item.peek(Token![struct]) {
        "a struct"
    } else if item.peek(Token![enum]) {
        "an enum"
    } else if item.peek(Token![trait]) {
        "a trait"
    } else if item.peek(Token![impl]) {
        "an `impl` block"
    } else if item.peek(Token![mod]) {
        "a module"
    } else {
        let head = TokenStream::parse.parse2(item.cursor().token_stream());
        let is_function =
            head.is_ok_and(|tokens| tokens.into_iter().any(|t| t.to_string() == "fn"));
        if is_function {
            // The signature can't be parsed: the parser's own error is more specific.
            return match item.fork().parse::<Signature>() {
                Err(error) => error,
                Ok(sig) => Error::new_spanned(sig, advice),
            };
        }
        "this item"
    };
    Error::new(item.span(), format!("{what} can't be annotated: {advice}"))
}

impl Function {
    /// Return the function with other statements.
    pub(crate) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let Self {
            attrs,
            vis,
            sig,
            inner,
            braces,
            ..
        } = self;
        let mut block = Group::new(Delimiter::Brace, quote!(#(#inner)* #body));
        block.set_span(*braces);
        quote!(#(#attrs)* #vis #sig #block)
    }
}
