//! `#[derive(CacheModel)]`: the patterns of a row, and the table and columns they come from.

mod args;
mod columns;
mod expand;
mod placeholders;

use crate::diagnostics::errors::Errors;
use crate::model::Runtime;
use crate::template::Template;
use args::StructArgs;
use columns::Column;
use proc_macro2::TokenStream;
use syn::spanned::Spanned as _;
use syn::{Error, Fields, Generics, Ident, Item, Visibility};

/// A checked struct.
struct Model {
    runtime: Runtime,
    vis: Visibility,
    ident: Ident,
    generics: Generics,
    table: String,
    patterns: Vec<Template>,
    columns: Vec<Column>,
}

/// Return the implementation for `item`, or all errors found in it.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    match Model::new(item, &mut errors) {
        Ok(model) => errors
            .into_tokens()
            .unwrap_or_else(|| expand::expand(&model)),
        Err(error) => error.into_compile_error(),
    }
}

impl Model {
    /// Read and check everything. Expand the model only if no error was recorded.
    fn new(item: TokenStream, errors: &mut Errors) -> syn::Result<Self> {
        let takes = "`CacheModel` takes a struct with named fields, one for each column";
        let item = match syn::parse2(item)? {
            Item::Struct(item) => item,
            Item::Enum(item) => return Err(Error::new(item.enum_token.span, takes)),
            Item::Union(item) => return Err(Error::new(item.union_token.span, takes)),
            other => return Err(Error::new(other.span(), takes)),
        };
        let Fields::Named(fields) = &item.fields else {
            return Err(Error::new(item.ident.span(), takes));
        };
        let args = StructArgs::read(&item.attrs, errors);
        let columns = columns::read(&item.attrs, fields, errors);
        let table = args.table(&item, errors);
        let literals = args.patterns(&item.ident, errors);
        let patterns = literals
            .iter()
            .map(|literal| placeholders::template(literal, &columns, errors))
            .collect();
        Ok(Self {
            runtime: args.krate.map_or(Runtime::DEFAULT, Runtime::at),
            vis: item.vis,
            ident: item.ident,
            generics: item.generics,
            table,
            patterns,
            columns,
        })
    }
}
