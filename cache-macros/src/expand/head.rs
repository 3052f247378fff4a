//! The tokens before the bodies of the companions, generated once rather than for each of them:
//! cargo compiles macros without optimization, so a macro's work shows in the compile time of an
//! annotated function.

use crate::item::signature::cfgs;
use crate::model::Model;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Attribute;

/// The annotated function's attributes, visibility and signature, as far as the companions share
/// them.
pub(crate) struct Head<'a> {
    /// The annotated function's name.
    pub(crate) name: &'a str,
    ident: &'a Ident,
    cfgs: TokenStream,
    /// The lint attributes.
    allowed: TokenStream,
    /// The visibility and the tokens before `async`.
    vis: TokenStream,
    pub(crate) asyncness: TokenStream,
    /// The tokens between `async` and `fn`.
    safety: TokenStream,
    /// Generics and arguments.
    inputs: TokenStream,
    pub(crate) output: TokenStream,
    bounds: TokenStream,
    /// `#![..]` at the beginning of the body.
    inner: TokenStream,
}

impl<'a> Head<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        let function = &model.function;
        let (vis, sig, inner) = (&function.vis, &function.sig, &function.inner);
        let (constness, safety, abi) = (&sig.constness, &sig.safety, &sig.abi);
        let generics = &sig.generics;
        let mut inputs = generics.to_token_stream();
        sig.paren_token
            .surround(&mut inputs, |inside| sig.inputs.to_tokens(inside));
        let cfgs = cfgs(&function.attrs);
        // A span of the attribute: in the `impl` of a trait, which declares no companions, the
        // compiler then reports the attribute and not the function.
        let site = Span::mixed_site();
        let asyncness = sig.asyncness.map(|_| quote_spanned!(site=> async));
        Self {
            name: &model.facts.name,
            ident: &sig.ident,
            cfgs: quote!(#(#cfgs)*),
            allowed: allowed(&function.attrs),
            vis: quote!(#vis #constness),
            asyncness: asyncness.unwrap_or_default(),
            safety: quote!(#safety #abi),
            inputs,
            output: sig.output.to_token_stream(),
            bounds: generics.where_clause.to_token_stream(),
            inner: quote!(#(#inner)*),
        }
    }

    /// Generate a companion of the annotated function, with its arguments.
    pub(crate) fn function(
        &self,
        suffix: &str,
        doc: &str,
        asyncness: &TokenStream,
        output: &TokenStream,
        body: &TokenStream,
    ) -> TokenStream {
        let site = Span::mixed_site();
        let name = format_ident!("{}{suffix}", self.name, span = self.ident.span());
        let Self {
            cfgs,
            allowed,
            vis,
            safety,
            inputs,
            bounds,
            inner,
            ..
        } = self;
        let mut block = Group::new(Delimiter::Brace, quote!(#inner #body));
        block.set_span(site);
        let head = quote_spanned!(site=> #[doc = #doc] #allowed #vis #asyncness #safety fn);
        quote!(#cfgs #head #name #inputs #output #bounds #block)
    }
}

/// Generate the lint attributes of a companion. Its own lints are silenced, and so are those that
/// the function allows. An `expect` becomes an `allow`: the list may have silenced the expected
/// lint.
pub(crate) fn allowed(attrs: &[Attribute]) -> TokenStream {
    let mut allowed = quote! {
        #[allow(
            unused, unreachable_pub, deprecated, nonstandard_style, private_bounds,
            private_interfaces, clippy::all, clippy::nursery, clippy::pedantic,
        )]
    };
    for attr in attrs {
        let is_level = attr.path().is_ident("allow") || attr.path().is_ident("expect");
        if let Ok(list) = attr.meta.require_list()
            && is_level
        {
            let lints = &list.tokens;
            allowed.extend(quote!(#[allow(#lints)]));
        }
    }
    allowed
}
