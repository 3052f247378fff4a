//! Caching for Rust services: put one attribute on a read and one on a write.
//!
//! ```
//! use cache_runtime::{Cache, CacheError, cacheable, invalidate};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
//! struct Post {
//!     slug: String,
//!     likes: u32,
//! }
//!
//! #[cacheable(key = "posts:<<slug>>", ttl = 600)]
//! async fn get_post(slug: &str) -> Post {
//!     Post { slug: slug.to_owned(), likes: 0 } // a slow query
//! }
//!
//! #[invalidate(patterns = ["posts:<<slug>>:*"])]
//! async fn like_post(slug: &str) {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), CacheError> {
//! let cache = Cache::builder().prefix("quickpost").build()?;
//! cache.scope(async {
//!     get_post("hello").await; // runs
//!     get_post("hello").await; // a hit
//!     assert_eq!(get_post_cache_key("hello"), "quickpost:posts:hello");
//!     like_post("hello").await;
//!     get_post("hello").await; // runs again
//! })
//! .await;
//! assert_eq!((cache.stats().hits, cache.stats().misses), (1, 2));
//! # Ok(())
//! # }
//! ```
//!
//! [`macro@cacheable`] and [`macro@invalidate`] document the attributes' options. [`Cache`] is the
//! handle: its builder chooses the store, [`Cache::install`] makes it the process's default,
//! [`Cache::scope`] makes it a test's, and its explicit operations serve code without an attribute.
//!
//! The module `guide` explains each topic with examples: getting started, keys, invalidation,
//! staleness, values, the near cache, the manual API, testing and observability.
//!
//! # Words
//!
//! A **template** is a key literal; `<<slug>>` in it is a **placeholder**. Rendered for one call it
//! is a **path**, `posts:hello`. Arguments that the template doesn't name are hashed into a
//! **variant**, `posts:hello#k3v9..`. The **key**, `<prefix>:<path>[#<variant>]`, is one string in
//! Redis. A **pattern** is a glob over paths.
//!
//! # Limits
//!
//! * A caller waits for another caller's computation for at most [`CacheBuilder::wait_timeout`];
//!   then it runs the body too.
//! * A call within its own computation runs the body instead of waiting for itself: the body calls
//!   the function with the same key, or a `select!` holds the leader unpolled and the same task
//!   calls again. A blocking caller inside an async runtime doesn't wait for an async leader, since
//!   it might block the leader's thread.
//! * The future of a function with `#[invalidate]` is `Send` if its return type is.
//! * In an annotated function with `#[track_caller]`, `Location::caller()` is a location within the
//!   function, since the cache calls the body. Companions and callers are not affected.
//! * Type and const parameters enter the variant by type name. As type arguments, types of two
//!   versions of one crate, two local types of one name, and two closures of one function have the
//!   same name.
//! * An invalidation that can't reach Redis is queued in memory and sent before this process serves
//!   another cached read; if the process crashes, the queue is lost. Until then other processes may
//!   read the old value, for at most its TTL. A Redis that restarts from a snapshot is sent the
//!   invalidations of the last [`CacheBuilder::replay_window`] again, not earlier ones.
//! * Keys that are written to Redis without the cache aren't in its index, and patterns don't find
//!   them.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `macros` | yes | the attributes |
//! | `redis` | yes | the Redis store |
//! | `sentinel` | yes | `CacheBuilder::redis_sentinel`: the master, found through Sentinel |
//! | `tls` | | Redis over TLS (`rediss://`) with rustls, by the program's crypto provider or ring |
//! | `bincode` | yes | bincode as the codec of stored bytes |
//! | `postcard` | | postcard as another codec, and the default where `bincode` is off |
//! | `lz4` | | `CacheBuilder::compress_over` with LZ4; pure Rust |
//! | `zstd` | | the same with Zstandard, used if both are on; needs a C compiler |
//! | `axum` | | types of axum 0.8 as return types: `Json<T>`, `Html<T>`, `Form<T>`, and `(StatusCode, W)` with such a `W`. See [`Wrapper`]. [`Succeeded`] for responses |
//! | `actix-web` | | of actix-web 4: `web::Json<T>`, `web::Form<T>`, `(W, StatusCode)`. [`Succeeded`] for responses |
//! | `poem` | | of poem 3: `web::Json<T>`, `web::Html<T>`, `(StatusCode, W)` |
//! | `rocket` | | of Rocket 0.5: `serde::json::Json<T>`, `content::RawHtml<T>`, `content::RawJson<T>`, `(Status, W)` |
//! | `log` | | events as records of the crate `log`, in programs without a subscriber of `tracing` |
//! | `bytes` | | [`shared_bytes`]: byte strings that are decoded from Redis without a copy |
//! | `prometheus-client` | | `observe::PrometheusCollector`, the counters in a registry of prometheus-client 0.26 |
//! | `metrics` | | `Cache::publish_metrics`, the counters in the recorder of metrics 0.24 |
//! | `opentelemetry-0_33` | | `Cache::observe_with_opentelemetry`, observable instruments of opentelemetry 0.33 |
//! | `tower` | | `testing::ScopeLayer`, which makes a cache the current one of a service |
//! | `uuid` | | `Uuid` of uuid 1 in the patterns of a [`CacheModel`](macro@CacheModel) |
//!
//! Without a compact codec, and for values that none can represent, bytes are MessagePack with
//! field names. [`CacheBuilder::codec`] selects the codec. Entries name their codec and
//! compression, so a build reads entries of any other build if it has the feature; otherwise they
//! are misses.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod __private;
mod builder;
mod cache;
mod clock;
pub mod context;
mod core;
mod current;
mod default_origin;
mod entered;
mod entry;
mod error;
mod events;
mod findings;
mod flight;
#[cfg(all(doc, feature = "macros", feature = "redis"))]
pub mod guide;
mod inline;
mod key;
pub mod model;
mod namespace;
pub mod observe;
mod pattern;
mod read;
mod report;
// Under shuttle no code waits for the clock, so parts of the module are unused.
#[cfg_attr(shuttle, allow(dead_code))]
mod runtime;
#[cfg(feature = "bytes")]
pub mod shared_bytes;
mod site;
mod stats;
mod store;
mod strategy;
mod sync;
mod tally;
pub mod testing;
mod topology;
mod transaction;
pub mod ttl;
mod value;
mod warm;
mod watch;
mod write;
mod write_through;

pub use crate::core::Cache;
pub use crate::core::audits::AuditFinding;
pub use builder::CacheBuilder;
pub use cache::{
    BlockingCache, Diagnosis, EntriesLevel, EntriesPage, Examination, Fill, Found, Freshness,
    Health, InspectedKind, Inspection, KeyAndValue, KeyBranch, MissingRight, OwnerStats,
    ReadBuilder, Reading, ServerFacts, StoreStats,
};
#[cfg(feature = "macros")]
pub use cache_macros::{
    CacheKey, CacheModel, CacheStrategy, cacheable, invalidate, warmer, write_through,
};
pub use clock::Clock;
pub use entry::{AnyValue, Codec};
pub use error::CacheError;
pub use findings::{Finding, FindingLevel};
pub use key::cache_key::{CacheKey, KeyWriter};
pub use key::escape::escape;
pub use key::segment::{
    ANY, Any, KeyParts, Optional, PatternParts, PatternSegment, Segment, optional,
};
pub use model::CacheModel;
pub use namespace::{BlockingNamespace, Namespace, TtlOrParts};
pub use read::staleness::{HasStaleness, Staleness};
pub use report::{CallOutcome, CallReport};
pub use stats::{SiteStats, Stats};
pub use store::memory::Eviction;
pub use strategy::CacheStrategy;
pub use topology::{DeadPattern, ReadNode, Topology, WriteNode, topology};
pub use transaction::{Invalidations, Savepoint, Transactional};
#[cfg(any(
    feature = "actix-web",
    feature = "axum",
    feature = "poem",
    feature = "rocket"
))]
pub use value::status::StoredStatus;
pub use value::success::Succeeded;
pub use value::wrapper::Wrapper;
pub use value::{Settable, Storable};
pub use warm::{UserWarming, Warm, WarmCounts, WarmOutcome, WarmReport, Warmer, WarmerInfo};
pub use watch::{Change, ChangeKind, Watch};

/// Render a key as an attribute's `key = ".."` does, for the operations of the handle.
///
/// Placeholders are expressions over variables in scope, and their values are escaped. The literal
/// is checked at compile time, as an attribute's is. Returns a `String`: the path of the entry that
/// a function with this `key` has, if none of its arguments is hashed.
///
/// ```
/// use cache_runtime::{Cache, cacheable, key};
///
/// #[cacheable(key = "posts:<<slug>>")]
/// fn get_post(slug: &str) -> String {
///     format!("the post {slug}")
/// }
///
/// let cache = Cache::builder().build()?;
/// cache.scope_sync(|| get_post("a:b"));
/// let slug = "a:b";
/// assert_eq!(key!("posts:<<slug>>"), "posts:a%3Ab");
/// assert_eq!(cache.blocking().get(&key!("posts:<<slug>>"))?, Some("the post a:b".to_owned()));
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[cfg(feature = "macros")]
#[macro_export]
macro_rules! key {
    ($($template:tt)*) => {
        $crate::__private::key!($crate $($template)*)
    };
}

/// Render a pattern as an attribute's `patterns = [".."]` does, for [`Cache::delete_pattern`].
///
/// The wildcards are those of the literal: a value is escaped, so a `*` in it matches only a `*`.
/// The literal is checked at compile time, as an attribute's is. Returns a `String`.
///
/// ```
/// use cache_runtime::{Cache, pattern};
///
/// let cache = Cache::builder().build()?.blocking();
/// cache.set("search:rust:1", &1, 60)?;
/// let term = "*";
/// assert_eq!(pattern!("search:<<term>>:*"), "search:%2A:*");
/// assert_eq!(cache.delete_pattern(&pattern!("search:<<term>>:*"))?, 0);
/// let term = "rust";
/// assert_eq!(cache.delete_pattern(&pattern!("search:<<term>>:*"))?, 1);
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[cfg(feature = "macros")]
#[macro_export]
macro_rules! pattern {
    ($($template:tt)*) => {
        $crate::__private::pattern!($crate $($template)*)
    };
}
