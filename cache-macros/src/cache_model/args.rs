//! The options of `#[cache(..)]`, on the struct and on its fields.

use crate::attr::args::{Patterns, krate, patterns};
use crate::attr::options::{self, Options, string, value, without_arm};
use crate::diagnostics::errors::Errors;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::parse::ParseStream;
use syn::{Attribute, Ident, ItemStruct, LitStr, Meta, Path};

/// `#[cache(..)]` on the struct.
#[derive(Default)]
pub(super) struct StructArgs {
    /// `Some(None)` if the option is present but couldn't be read.
    table: Option<Option<LitStr>>,
    patterns: Option<Option<Patterns>>,
    pub(super) krate: Option<Path>,
}

impl Options for StructArgs {
    const NAMES: &'static [&'static str] = &["table", "patterns", "crate"];
    const ATTRIBUTE: &'static str = "cache";
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[
        ("table_name", "table"),
        ("name", "table"),
        ("pattern", "patterns"),
        ("key", "patterns"),
        ("keys", "patterns"),
        ("tags", "patterns"),
    ];
    const NEEDLESS: &'static [(&'static str, &'static str)] = &[
        (
            "column",
            "a column belongs to a field: write `#[cache(column = \"..\")]` above the field",
        ),
        (
            "schema",
            "write it in front of the table, `table = \"app.posts\"`",
        ),
        (
            "prefix",
            "the cache's prefix isn't part of a pattern; `cache_sql::triggers` takes it",
        ),
    ];
    const FIRST: &'static str = "table = \"posts\"";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "table" => {
                self.table = Some(None);
                self.table = Some(Some(string(name, Self::FIRST, input)?));
            }
            "patterns" => {
                self.patterns = Some(None);
                let whole = value(name, "patterns = [\"posts:<<slug>>:*\"]", input)?;
                self.patterns = Some(Some(patterns(whole)?));
            }
            "crate" => self.krate = Some(krate(name, input)?),
            _ => return Err(without_arm(name)),
        }
        Ok(())
    }
}

impl StructArgs {
    pub(super) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        options::read(tokens(attrs, errors), errors)
    }

    /// Return the name of the table: that of `#[cache]`, or of `#[sea_orm]`.
    pub(super) fn table(&self, item: &ItemStruct, errors: &mut Errors) -> String {
        let table = match &self.table {
            Some(Some(table)) => table,
            Some(None) => return String::new(),
            None => {
                let foreign = |name| foreign(&item.attrs, "sea_orm", name);
                let Some(table) = foreign("table_name") else {
                    errors.at(
                        item.ident.span(),
                        "`CacheModel` needs the table: write `#[cache(table = \"posts\", patterns \
                         = [\"posts:<<id>>:*\"])]` above the struct",
                    );
                    return String::new();
                };
                return match foreign("schema_name") {
                    Some(schema) => format!("{}.{}", schema.value(), table.value()),
                    None => table.value(),
                };
            }
        };
        let text = table.value();
        let names: Vec<&str> = text.split('.').collect();
        let is_wrong = |name: &&str| {
            name.is_empty() || name.chars().any(|c| c.is_control() || "\"`'[]".contains(c))
        };
        if names.len() > 2 || names.iter().any(is_wrong) {
            errors.at(
                table.span(),
                "`table` takes a name without quotes, as the database shows it: write `table = \
                 \"posts\"`, or `table = \"schema.posts\"`",
            );
        }
        text
    }

    /// Return the literals of the patterns; at least one is required.
    pub(super) fn patterns(&self, ident: &Ident, errors: &mut Errors) -> Vec<LitStr> {
        let example = "`patterns = [\"posts:<<id>>:*\"]`";
        match &self.patterns {
            // Without any option, `table` asks for both.
            None if self.table.is_none() => Vec::new(),
            None => {
                errors.at(
                    ident.span(),
                    format!("`CacheModel` needs the patterns of the entries that depend on a row: write {example}"),
                );
                Vec::new()
            }
            Some(None) => Vec::new(),
            Some(Some(patterns)) => {
                if patterns.literals.is_empty() {
                    errors.on(
                        &patterns.whole,
                        format!(
                            "`patterns` is empty: name the entries that depend on a row, {example}"
                        ),
                    );
                }
                patterns.literals.clone()
            }
        }
    }
}

/// `#[cache(..)]` on a field.
#[derive(Default)]
pub(super) struct FieldArgs {
    pub(super) column: Option<LitStr>,
}

impl Options for FieldArgs {
    const NAMES: &'static [&'static str] = &["column"];
    const ATTRIBUTE: &'static str = "cache";
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[
        ("column_name", "column"),
        ("name", "column"),
        ("rename", "column"),
    ];
    const NEEDLESS: &'static [(&'static str, &'static str)] = &[
        (
            "table",
            "it is an option of the struct: write it above the struct",
        ),
        (
            "patterns",
            "it is an option of the struct: write it above the struct",
        ),
        (
            "crate",
            "it is an option of the struct: write it above the struct",
        ),
        (
            "skip",
            "only the fields that a pattern names are used; remove the option",
        ),
    ];
    const FIRST: &'static str = "column = \"post_slug\"";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "column" => self.column = Some(string(name, Self::FIRST, input)?),
            _ => return Err(without_arm(name)),
        }
        Ok(())
    }
}

impl FieldArgs {
    pub(super) fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        options::read(tokens(attrs, errors), errors)
    }
}

/// Join the options of all `#[cache(..)]` attributes of an item.
fn tokens(attrs: &[Attribute], errors: &mut Errors) -> TokenStream {
    let mut all = TokenStream::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("cache")) {
        if let Some(list) = errors.keep(attr.meta.require_list()) {
            let comma = (!all.is_empty()).then(|| quote!(,));
            let tokens = &list.tokens;
            all.extend(quote!(#comma #tokens));
        }
    }
    all
}

/// Return the text of `name = ".."` in the attribute of another derive. Anything else in it is that
/// derive's business.
pub(super) fn foreign(attrs: &[Attribute], attribute: &str, name: &str) -> Option<LitStr> {
    let mut found = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(attribute)) {
        let Meta::List(list) = &attr.meta else {
            continue;
        };
        let mut tokens = list.tokens.clone().into_iter().peekable();
        while let Some(token) = tokens.next() {
            let is_name = matches!(&token, proc_macro2::TokenTree::Ident(ident) if ident == name);
            let is_assigned = matches!(tokens.peek(), Some(proc_macro2::TokenTree::Punct(punct)) if punct.as_char() == '=');
            if is_name && is_assigned {
                tokens.next();
                let value = tokens.next().map(|value| value.to_token_stream());
                found = found.or(value.and_then(|value| syn::parse2(value).ok()));
            }
        }
    }
    found
}
