//! Caching for Rust services: one attribute on a read, one on a write, and the cache is right and fast.
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
//! [`macro@cacheable`] and [`macro@invalidate`] say what the attributes take. [`Cache`] is the handle: its builder chooses the
//! store, [`Cache::install`] makes it the process's default, [`Cache::scope`] that of a test, and its explicit
//! operations serve what no attribute says.
//!
//! The module `guide` explains each topic with examples: getting started, keys, invalidation, staleness, values, the near
//! cache, the manual API, testing and observability.
//!
//! # Words
//!
//! A **template** is a key literal; `<<slug>>` in it is a **placeholder**. Rendered for one call it is a **path**,
//! `posts:hello`. Arguments that the template doesn't name are hashed into a **variant**, `posts:hello#k3v9..`. The **key**,
//! `<prefix>:<path>[#<variant>]`, is one string in Redis. A **pattern** is a glob over paths.
//!
//! # Limits
//!
//! * A caller waits for another's computation at most [`CacheBuilder::wait_timeout`]; then it runs the body too.
//! * A call within its own computation runs the body: the body calls the function with the same key, or a `select!`
//!   holds the leader unpolled and the same task calls again. A blocking caller inside an async runtime doesn't
//!   wait for an async leader, since it might hold the leader's thread.
//! * A function with `#[invalidate]` makes a future that is `Send` if its return type is.
//! * In an annotated function with `#[track_caller]`, `Location::caller()` is a place within the function: the body is
//!   called by the cache. Companions and callers are not affected.
//! * The type name of type and const parameters enters the variant. As type arguments, types of two versions of one crate, two local
//!   types of one name, and two closures of one function have the same name.
//! * An invalidation that can't reach Redis is queued in memory and sent before this process serves another cached
//!   read; a crash of the process loses the queue. Until then other processes may see the old value, for at most
//!   its lifetime. A Redis that restarts from a snapshot is told the invalidations of the last
//!   [`CacheBuilder::replay_window`] again, not those before.
//! * Keys that are written to Redis past the cache aren't in its index, and patterns don't find them.
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `macros` | yes | the attributes |
//! | `redis` | yes | the Redis store |
//! | `sentinel` | yes | `CacheBuilder::redis_sentinel`: the master that sentinels know |
//! | `tls` | | Redis over TLS, `rediss://`, by rustls; it brings ring as a provider, and uses the program's if there is one |
//! | `bincode` | yes | bincode as the codec of stored bytes |
//! | `postcard` | | postcard as another, and the default where `bincode` is off |
//! | `lz4` | | `CacheBuilder::compress_over` with LZ4; Rust alone |
//! | `zstd` | | the same with Zstandard, which is used where both are on; builds its C library, so it needs a C compiler |
//! | `axum` | | `axum::Json<T>` as a return type |
//!
//! Without a compact codec, and for values that none can carry, bytes are MessagePack with names. [`CacheBuilder::codec`]
//! chooses. Entries carry codec and compression, so a build reads what any other wrote if it has the feature; else they are
//! misses.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod __private;
mod builder;
mod cache;
mod clock;
mod core;
mod current;
mod entry;
mod error;
mod events;
mod flight;
#[cfg(all(doc, feature = "macros", feature = "redis"))]
pub mod guide;
mod key;
mod pattern;
mod read;
// Under shuttle nothing waits by the clock, so the thread has nothing to do there.
#[cfg_attr(shuttle, allow(dead_code))]
mod runtime;
mod site;
mod stats;
mod store;
mod sync;
mod topology;
pub mod ttl;
mod value;
mod write;

pub use crate::core::Cache;
pub use builder::CacheBuilder;
pub use cache::{BlockingCache, Health, KeyAndValue};
#[cfg(feature = "macros")]
pub use cache_macros::{CacheKey, cacheable, invalidate};
pub use clock::Clock;
pub use entry::Codec;
pub use error::CacheError;
pub use key::cache_key::{CacheKey, KeyWriter};
pub use key::escape::escape;
pub use stats::{SiteStats, Stats};
pub use topology::{DeadPattern, ReadNode, Topology, WriteNode, topology};
pub use value::{Settable, Storable};

/// Render a key as an attribute's `key = ".."` does, for the operations of the handle.
///
/// Placeholders are expressions over what is in scope, and their values are escaped. The literal is checked when it is
/// compiled, as an attribute's is. Returns a `String`: the path of the entry that a function with this `key` has, if none of
/// its arguments is hashed.
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
/// The wildcards are those of the literal: a value is escaped, so that no `*` in it matches anything else. The literal is checked
/// when it is compiled, as an attribute's is. Returns a `String`.
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
