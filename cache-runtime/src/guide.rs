//! The guide: how to use this crate, topic by topic.
//!
//! Start with [`getting_started`]. The attributes' reference is at [`macro@cacheable`] and
//! [`macro@invalidate`], that of the handle at [`Cache`].
//!
//! [`macro@cacheable`]: crate::cacheable
//! [`macro@invalidate`]: crate::invalidate
//! [`Cache`]: crate::Cache

// The pages are Markdown files, so that they can be read on the web beside the README. The real
// files are in `docs/guide` of the repository; `docs/guide` of this crate is a symbolic link to it,
// which `cargo package` follows. This module exists in documentation builds only, so nothing else
// depends on the link: a checkout without symbolic links still compiles.
//
// A page ends with link definitions that name files. In Markdown the first definition of a label
// counts, so those of `links!`, which come before the page, replace them by links to modules.

macro_rules! links {
    () => {
        "
[Getting started]: crate::guide::getting_started
[Keys and variants]: crate::guide::keys_and_variants
[Invalidation]: crate::guide::invalidation
[TTL and staleness]: crate::guide::staleness
[Values, codecs and limits]: crate::guide::values_codecs_limits
[The near cache]: crate::guide::near_cache
[Owners]: crate::guide::owners
[Warming]: crate::guide::warming
[Database transactions]: crate::guide::transactions
[GraphQL]: crate::guide::graphql
[The manual API]: crate::guide::manual_api
[Testing]: crate::guide::testing
[Observability]: crate::guide::observability
[Coming from Python]: crate::guide::coming_from_python
[Cached responses]: https://docs.rs/cache-http/latest/cache_http/guide/index.html
[dead-patterns]: crate::guide::testing#find-dead-patterns
"
    };
}

#[doc = links!()]
#[doc = include_str!("../docs/guide/getting-started.md")]
pub mod getting_started {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/keys-and-variants.md")]
pub mod keys_and_variants {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/invalidation.md")]
pub mod invalidation {}

// The samples need `cache-sql`, whose documentation includes this page, too, and compiles them.
#[doc = links!()]
#[cfg_attr(not(doctest), doc = include_str!("../docs/guide/transactions.md"))]
pub mod transactions {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/staleness.md")]
pub mod staleness {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/values-codecs-limits.md")]
pub mod values_codecs_limits {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/near-cache.md")]
pub mod near_cache {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/owners.md")]
pub mod owners {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/warming.md")]
pub mod warming {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/manual-api.md")]
pub mod manual_api {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = links!()]
#[doc = include_str!("../docs/guide/observability.md")]
pub mod observability {}

// The samples need `cache-http`, so the tests of the repository compile them.
#[doc = links!()]
#[cfg_attr(not(doctest), doc = include_str!("../docs/guide/coming-from-python.md"))]
pub mod coming_from_python {}

// The samples need async-graphql: `examples/graphql` includes this page, too, and compiles them.
#[doc = links!()]
#[cfg_attr(not(doctest), doc = include_str!("../docs/guide/graphql.md"))]
pub mod graphql {}
