//! A crate that denies nearly everything gets no warning out of the expansion.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    unused,
    dead_code,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    nonstandard_style,
    future_incompatible,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    let_underscore,
    keyword_idents,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    single_use_lifetimes,
    unused_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_import_braces,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    private_interfaces,
    private_bounds,
    deprecated
)]
#![allow(
    clippy::unwrap_used,
    reason = "an attribute of the crate stays what it is"
)]
use cache_runtime::{Invalidations, cacheable, invalidate};
use std::fmt;

struct Db;

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[deprecated]
struct Old;

/// A type of the user's error.
#[derive(Debug)]
pub(crate) struct Failed<'a>(&'a str);
impl fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for Failed<'_> {}

#[cacheable(key = "posts:<<slug>>", skip(db), condition = page > 0)]
async fn unused_companions(db: &Db, slug: &str, mut page: u32) -> Option<String> {
    let Db = db;
    page += 1;
    Some(format!("{slug}{page}"))
}

#[cacheable(key = "borrowed:<<slug>>")]
fn lifetimes(slug: &str, _unused: u8) -> Result<String, Failed<'_>> {
    if slug.is_empty() {
        Err(Failed(slug))
    } else {
        Ok(slug.to_owned())
    }
}

#[allow(non_snake_case)]
#[cacheable(key = "names:<<userId>>")]
fn camelCase(userId: u64, pageSize: u64) -> u64 {
    userId + pageSize
}

mod private {
    #[expect(private_interfaces, reason = "the companions have the same signature")]
    #[cache_runtime::cacheable(key = "private:<<slug>>", skip(state))]
    #[allow(clippy::needless_pass_by_value)]
    pub(super) fn type_in_public(state: Private, slug: &str) -> u64 {
        state.0 + slug.len() as u64
    }

    struct Private(u64);

    pub(super) fn call() -> u64 {
        type_in_public(Private(1), "a")
    }
}

#[allow(deprecated)]
#[cacheable(key = "old:<<slug>>")]
fn deprecated_type(slug: &str) -> Result<Old, std::convert::Infallible> {
    assert!(!slug.is_empty());
    Ok(Old)
}

#[must_use]
#[cacheable(key = "must:<<slug>>")]
fn must_use(slug: &str) -> u64 {
    slug.len() as u64
}

#[cacheable(companions = false)]
async fn nothing() {}

#[invalidate(patterns = ["posts:<<slug>>", "posts:<<result>>"], condition = !slug.is_empty())]
async fn write(slug: String, _unused: u8) -> Result<String, String> {
    Ok(slug)
}

#[cacheable(key = "both:<<slug>>")]
#[invalidate(patterns = ["posts:<<slug>>", "lists:<<result>>"])]
fn both(slug: String) -> String {
    slug
}

#[cacheable(key = "reads:<<slug>>", tx = *tx, condition = !slug.is_empty())]
async fn reads(tx: &mut Invalidations, slug: &str) -> usize {
    tx.patterns().len() + slug.len()
}

#[invalidate(patterns = ["reads:*"], tx = _tx)]
fn writes(_tx: Option<&Invalidations>) {}

/// A module of the public interface, were this a library.
pub mod api {
    use cache_runtime::cacheable;

    /// With companions that have a doc comment of their own.
    #[cacheable(key = "public:<<id>>")]
    pub async fn public(id: u64) -> u64 {
        id
    }

    /// Holds nothing.
    #[derive(Clone, Copy, Debug)]
    pub struct Api;

    impl Api {
        /// An associated function.
        #[cacheable(key = "associated:<<id>>", companions)]
        pub fn associated(id: u64) -> u64 {
            id
        }
    }
}

fn main() {
    let cache = cache_runtime::Cache::builder().build().expect("a cache");
    cache.scope_sync(|| {
        assert_eq!(camelCase(1, 2), camelCase(1, 2));
        assert_eq!(must_use("a"), must_use("a"));
        assert_eq!(private::call(), 2);
        assert!(lifetimes("", 1).is_err() && lifetimes("a", 1).is_ok());
        assert_eq!(both("a".to_owned()), "a");
        assert_eq!(api::Api::associated(1), 1);
        drop((api::public(1), nothing(), write(String::new(), 1)));
        drop(unused_companions(&Db, "", 1));
        assert!(deprecated_type("a").is_ok());
        let mut tx = cache.invalidations();
        drop(reads(&mut tx, "a"));
        writes(Some(&tx));
    });
    assert_eq!(cache.stats().hits, 2);
}
