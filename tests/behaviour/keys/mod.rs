//! Keys: what a call renders to, and that different arguments never share an entry.

mod cache_key_derive;
mod extractors;
mod full_keys;
mod injectivity;
mod inline;
mod instances;
mod names;
mod templates;
mod variants;
