//! Generating the implementation. Nothing here can fail.

use super::Model;
use super::columns::Column;
use crate::expand::render;
use crate::template::{Segment, Template};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{GenericParam, Type};

/// Generate the trait's implementation, the method, and the entry of the registry.
pub(super) fn expand(model: &Model) -> TokenStream {
    let Model {
        runtime,
        vis,
        ident,
        generics,
        table,
        ..
    } = model;
    let site = Span::mixed_site();
    let k = runtime.private(site);
    let name = ident.unraw().to_string();
    let patterns = model.patterns.iter().map(|pattern| facts(model, pattern));
    let render = render::patterns(&model.patterns, &[], runtime);
    let bounds = bounds(model);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let written = where_clause.map(|clause| &clause.predicates);
    let written: Vec<_> = written.into_iter().flat_map(|all| all.iter()).collect();
    let register = register(model, &name);
    let summary = "Return the patterns of the cache entries that depend on this row, with its \
                   values escaped. See `CacheModel`.";
    quote_spanned! {site=>
        #[automatically_derived]
        impl #impl_generics #k::CacheModel for #ident #ty_generics
        where #(#written,)* #(#bounds: #k::Column,)*
        {
            const MODEL: #k::ModelInfo = #k::ModelInfo {
                name: #name,
                table: #table,
                patterns: &[#(#patterns),*],
            };

            fn cache_patterns(&self) -> ::std::vec::Vec<::std::string::String> {
                #k::model_patterns(#name, #render)
            }
        }

        #[automatically_derived]
        impl #impl_generics #ident #ty_generics
        where #(#written,)* #(#bounds: #k::Column,)*
        {
            #[doc = #summary]
            #[allow(dead_code)]
            #[must_use]
            #vis fn cache_patterns(&self) -> ::std::vec::Vec<::std::string::String> {
                #k::CacheModel::cache_patterns(self)
            }
        }

        #register
    }
}

/// Generate the facts about one pattern.
fn facts(model: &Model, pattern: &Template) -> TokenStream {
    let site = Span::mixed_site();
    let k = model.runtime.private(site);
    let written = pattern.literal.value();
    let parts = pattern.segments.iter().map(|segment| match segment {
        Segment::Text(text) => quote_spanned!(site=> #k::PatternPart::Text(#text)),
        Segment::Placeholder(placeholder) => {
            let column = model.column(&placeholder.source);
            let kind = column.map(|column| kind(model, column));
            let name = column.map_or("", |column| column.name.as_str());
            quote_spanned!(site=> #k::PatternPart::Column { name: #name, kind: #kind })
        }
    });
    quote_spanned! {site=>
        #k::ModelPattern { written: #written, parts: &[#(#parts),*] }
    }
}

/// The kind of a column. A type that has none is an error at the field's type.
fn kind(model: &Model, column: &Column) -> TokenStream {
    let ty = &column.ty;
    let site = Span::mixed_site().located_at(ty.span());
    let k = model.runtime.private(ty.span());
    quote_spanned!(site=> <#ty as #k::Column>::KIND)
}

/// Generate the entry of the program's registry, as of a function with `#[invalidate]`.
fn register(model: &Model, name: &str) -> TokenStream {
    let site = Span::mixed_site();
    let k = model.runtime.private(site);
    let written = model.patterns.iter().map(|pattern| pattern.literal.value());
    let shapes = model.patterns.iter().map(|pattern| pattern.shape());
    quote_spanned! {site=>
        const _: () = {
            static SITE: #k::WriteSite = #k::WriteSite::new(
                #name, ::core::module_path!(), &[#(#written),*], &[#(#shapes),*],
            );
            #k::submit!(#k::Registered::Model(&SITE));
        };
    }
}

/// The types of columns that depend on a type parameter.
fn bounds(model: &Model) -> Vec<&Type> {
    let params = model.generics.params.iter();
    let types: Vec<String> = params
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(param.ident.to_string()),
            _ => None,
        })
        .collect();
    let named = |column: &&Column| {
        let placeholders = model.patterns.iter().flat_map(Template::placeholders);
        placeholders
            .into_iter()
            .any(|placeholder| placeholder.source == column.field)
    };
    let columns = model.columns.iter().filter(named).map(|column| &column.ty);
    columns
        .filter(|ty| mentions(ty.to_token_stream(), &types))
        .collect()
}

fn mentions(tokens: TokenStream, names: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}

impl Model {
    fn column(&self, field: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == field)
    }
}
