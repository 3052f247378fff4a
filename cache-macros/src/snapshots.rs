//! Snapshot tests of expansions: `tests/snapshots/<name>.rs` holds an annotated item,
//! `<name>.expanded.rs` its expansion. `UPDATE_SNAPSHOTS=1 cargo test -p cache-macros` rewrites the
//! expansions; read the diff.

use crate::{attribute, cache_model, cache_strategy, warmer};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use std::fs;
use std::path::Path;
use syn::Attribute;
use syn::parse::{ParseStream, Parser as _};

#[test]
fn expansions_equal_their_snapshots() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut inputs = 0;
    let mut changed = Vec::new();
    for file in fs::read_dir(&folder).expect("the folder of the snapshots") {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if !name.ends_with(".rs") || name.ends_with(".expanded.rs") {
            continue;
        }
        inputs += 1;
        let expanded = expand(&fs::read_to_string(&path).expect("readable"));
        let expected = path.with_extension("expanded.rs");
        if update {
            fs::write(&expected, &expanded).expect("writable");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&*expanded) {
            changed.push(format!("{name} now expands to:\n{expanded}"));
        }
    }
    assert!(inputs > 10, "the snapshots are gone");
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

/// Expand the first of our attributes, or the derive, as the compiler does.
fn expand(text: &str) -> String {
    let item = |input: ParseStream<'_>| {
        Ok((
            input.call(Attribute::parse_outer)?,
            input.parse::<TokenStream>()?,
        ))
    };
    let (mut attrs, rest) = item.parse_str(text).expect("an item");
    let names = [
        "cacheable",
        "invalidate",
        "write_through",
        "derive",
        "warmer",
    ];
    let is_ours = |attr: &Attribute| names.iter().any(|name| attr.path().is_ident(name));
    let first = attrs
        .iter()
        .position(is_ours)
        .expect("an attribute of ours");
    let attribute = attrs.remove(first);
    let args = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let item = quote!(#(#attrs)* #rest);
    let expanded = match attribute.path().to_token_stream().to_string().as_str() {
        "cacheable" => attribute::cacheable(args, item),
        "derive" if args.to_string() == "CacheStrategy" => cache_strategy::derive(item),
        "derive" => cache_model::derive(item),
        "write_through" => attribute::write_through(args, item),
        "warmer" => warmer::warmer(args, item),
        _ => attribute::invalidate(args, item),
    };
    let file = syn::parse2(expanded.clone())
        .unwrap_or_else(|error| panic!("{error} in the expansion:\n{expanded}"));
    prettyplease::unparse(&file)
}
