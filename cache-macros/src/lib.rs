//! The attributes of `cache-runtime`: `#[cacheable]` for a function that reads, `#[invalidate]` and
//! `#[write_through]` for one that writes. Depend on `cache-runtime`, which re-exports them.
//!
//! An attribute is processed in four steps, each in files of its own: `attr` reads the syntax and
//! keeps its spans; `model` combines it with the function's `signature`; `check` finds every
//! mistake; `expand` generates the result and can't fail. After a mistake, the function is kept as
//! its author wrote it, beside all of the errors.

mod analyze;
mod attr;
mod attribute;
mod cache_key;
mod cache_model;
mod cache_strategy;
mod check;
mod diagnostics;
mod expand;
mod inline;
mod item;
mod model;
mod page;
#[cfg(test)]
mod snapshots;
mod template;
mod warmer;

use proc_macro::TokenStream;

#[doc = include_str!("docs/cacheable.md")]
#[proc_macro_attribute]
pub fn cacheable(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::cacheable(args.into(), item.into()).into()
}

#[doc = include_str!("docs/invalidate.md")]
#[proc_macro_attribute]
pub fn invalidate(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::invalidate(args.into(), item.into()).into()
}

#[doc = include_str!("docs/write_through.md")]
#[proc_macro_attribute]
pub fn write_through(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::write_through(args.into(), item.into()).into()
}

#[doc = include_str!("docs/warmer.md")]
#[proc_macro_attribute]
pub fn warmer(args: TokenStream, item: TokenStream) -> TokenStream {
    warmer::warmer(args.into(), item.into()).into()
}

#[doc = include_str!("docs/cache_key.md")]
#[proc_macro_derive(CacheKey, attributes(cache_key))]
pub fn cache_key(item: TokenStream) -> TokenStream {
    cache_key::derive(item.into()).into()
}

#[doc = include_str!("docs/cache_model.md")]
#[proc_macro_derive(CacheModel, attributes(cache))]
pub fn cache_model(item: TokenStream) -> TokenStream {
    cache_model::derive(item.into()).into()
}

#[doc = include_str!("docs/cache_strategy.md")]
#[proc_macro_derive(CacheStrategy, attributes(cache))]
pub fn cache_strategy(item: TokenStream) -> TokenStream {
    cache_strategy::derive(item.into()).into()
}

#[doc = include_str!("docs/key.md")]
#[doc(hidden)]
#[proc_macro]
pub fn key(input: TokenStream) -> TokenStream {
    inline::expand(inline::Kind::Key, input.into()).into()
}

#[doc = include_str!("docs/pattern.md")]
#[doc(hidden)]
#[proc_macro]
pub fn pattern(input: TokenStream) -> TokenStream {
    inline::expand(inline::Kind::Pattern, input.into()).into()
}

#[doc = "The key template of a page. `cache-http` exports it."]
#[doc(hidden)]
#[proc_macro]
pub fn page(input: TokenStream) -> TokenStream {
    page::expand(input.into()).into()
}
