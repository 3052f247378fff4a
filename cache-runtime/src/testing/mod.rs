//! Help for tests of programs that cache.
//!
//! Each test has a cache of its own, so tests run in parallel and none depends on another: enter it
//! with [`Cache::scope`](crate::Cache::scope), with `scope_sync`, or with the `ScopeLayer` of the
//! feature `tower` for a server that runs in tasks of its own.
//!
//! ```
//! use std::time::Duration;
//! use cache_runtime::{assert_cached, assert_hit, assert_miss, assert_not_cached};
//! use cache_runtime::{cacheable, invalidate, testing};
//!
//! #[cacheable(key = "posts:<<slug>>", ttl = 600)]
//! async fn post(slug: &str) -> String {
//!     format!("the post {slug}")
//! }
//!
//! #[invalidate(patterns = ["posts:<<slug>>:*"])]
//! async fn update(slug: &str) {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let cache = testing::cache();
//! cache.scope(async {
//!     assert_miss!(cache, post("a").await);
//!     assert_eq!(assert_hit!(cache, post("a").await), "the post a");
//!     assert_cached!(cache, "posts:a");
//!     update("a").await;
//!     assert_not_cached!(cache, "posts:a");
//!     assert_miss!(cache, post("a").await);
//!     cache.clock().advance(Duration::from_secs(601));
//!     assert_miss!(cache, post("a").await);
//! })
//! .await;
//! # }
//! ```

#[cfg(feature = "tower")]
mod scope_layer;

use crate::clock::Clock;
use crate::core::Cache;
use crate::topology::topology;

#[cfg(feature = "tower")]
pub use scope_layer::{ScopeFuture, ScopeLayer, ScopeService};

/// Return a new cache in memory, whose [`clock`](Cache::clock) moves only when the test moves it.
///
/// It reads nothing from the environment, so `REDIS_URL` doesn't change what a test does.
///
/// ```
/// use cache_runtime::testing;
///
/// let (one, other) = (testing::cache(), testing::cache());
/// one.blocking().set("answer", &42, 60)?;
/// assert!(!other.blocking().exists("answer")?, "each is a cache of its own");
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
pub fn cache() -> Cache {
    let builder = Cache::builder().prefix("test").clock(Clock::manual());
    // The settings are constants, and valid.
    builder
        .build()
        .unwrap_or_else(|error| unreachable!("a cache in memory can be built: {error}"))
}

/// Assert that a write's patterns can remove the entries of a read, for any arguments. Each is named
/// by its function, or by its path: `update_post`, `posts::update_post`.
///
/// An attribute's key and the pattern that removes it are two literals, since a macro can't see the
/// value of a constant. This shows that they belong together.
///
/// ```standalone_crate
/// use cache_runtime::{cacheable, invalidate, testing};
///
/// #[cacheable(key = "posts:<<slug>>")]
/// fn post(slug: &str) -> String {
///     slug.to_owned()
/// }
///
/// #[invalidate(patterns = ["posts:<<slug>>:*"])]
/// fn update(slug: &str) {}
///
/// testing::assert_invalidates("update", "post");
/// ```
///
/// # Panics
///
/// If no function of the name has the attribute, or if no pattern of the write can match a key of
/// the read. The message shows both.
#[track_caller]
pub fn assert_invalidates(write: &str, read: &str) {
    let topology = topology();
    let is = |module: &str, function: &str, name: &str| {
        let path = format!("{module}::{function}");
        function == name || path == name || path.ends_with(&format!("::{name}"))
    };
    let writes = topology.writes.iter();
    let writes: Vec<_> = writes
        .filter(|node| is(node.module, node.function, write))
        .collect();
    let reads = topology.reads.iter();
    let reads: Vec<_> = reads
        .filter(|node| is(node.module, node.function, read))
        .collect();
    assert!(
        !writes.is_empty(),
        "no function `{write}` has `#[invalidate]`"
    );
    assert!(!reads.is_empty(), "no function `{read}` has `#[cacheable]`");
    let removed: Vec<&str> = writes
        .iter()
        .flat_map(|node| topology.removed_by(node))
        .map(|node| node.template.as_str())
        .collect();
    for node in reads {
        assert!(
            removed.contains(&node.template.as_str()),
            "`{write}` doesn't remove the entries of `{read}`: its patterns are {:?}, and the key is {:?}",
            writes
                .iter()
                .flat_map(|node| &node.patterns)
                .collect::<Vec<_>>(),
            node.template,
        );
    }
}

/// Assert that an expression makes cached calls and runs no body, and return its value. The calls
/// must use this cache: put the assertion into its scope.
///
/// See the [module](crate::testing) for an example.
///
/// # Panics
///
/// If a call of the expression ran its body, or if there was no call.
#[macro_export]
macro_rules! assert_hit {
    ($cache:expr, $call:expr $(,)?) => {{
        let before = $cache.stats();
        let value = $call;
        $crate::testing::__assert_hit(&before, &$cache.stats(), ::core::stringify!($call));
        value
    }};
}

/// Assert that an expression makes cached calls and that at least one of them runs its body, and
/// return its value. The calls must use this cache: put the assertion into its scope.
///
/// See the [module](crate::testing) for an example.
///
/// # Panics
///
/// If every call was answered without its body, or if there was no call.
#[macro_export]
macro_rules! assert_miss {
    ($cache:expr, $call:expr $(,)?) => {{
        let before = $cache.stats();
        let value = $call;
        $crate::testing::__assert_miss(&before, &$cache.stats(), ::core::stringify!($call));
        value
    }};
}

/// Assert that a key is cached. The key is that of [`Cache::get`](crate::Cache::get).
///
/// See the [module](crate::testing) for an example.
///
/// # Panics
///
/// If the key isn't cached, or if the store fails.
#[macro_export]
macro_rules! assert_cached {
    ($cache:expr, $key:expr $(,)?) => {
        $crate::testing::__assert_cached(
            &$cache,
            ::core::convert::AsRef::<str>::as_ref(&$key),
            true,
        )
    };
}

/// Assert that a key isn't cached. The key is that of [`Cache::get`](crate::Cache::get).
///
/// See the [module](crate::testing) for an example.
///
/// # Panics
///
/// If the key is cached, or if the store fails.
#[macro_export]
macro_rules! assert_not_cached {
    ($cache:expr, $key:expr $(,)?) => {
        $crate::testing::__assert_cached(
            &$cache,
            ::core::convert::AsRef::<str>::as_ref(&$key),
            false,
        )
    };
}

#[doc(hidden)]
#[track_caller]
pub fn __assert_hit(before: &crate::Stats, after: &crate::Stats, call: &str) {
    let misses = after.misses - before.misses;
    assert!(
        misses == 0,
        "`{call}` should be a hit, and {misses} of its calls ran the body"
    );
    assert!(
        answered(after) > answered(before),
        "`{call}` should be a hit, and made no cached call on this cache"
    );
}

#[doc(hidden)]
#[track_caller]
pub fn __assert_miss(before: &crate::Stats, after: &crate::Stats, call: &str) {
    assert!(
        after.misses > before.misses,
        "`{call}` should be a miss, and {} of its calls ran the body",
        match answered(after) - answered(before) {
            0 => "none, since it made no cached call on this cache,",
            _ => "none",
        }
    );
}

fn answered(stats: &crate::Stats) -> u64 {
    stats.hits + stats.waits + stats.stale
}

#[doc(hidden)]
#[track_caller]
pub fn __assert_cached(cache: &Cache, key: &str, expected: bool) {
    match cache.blocking().exists(key) {
        Ok(found) if found == expected => {}
        Ok(true) => panic!("`{key}` should not be cached, and it is"),
        Ok(false) => panic!("`{key}` should be cached, and it isn't"),
        Err(error) => panic!("`{key}` can't be looked up: {error}"),
    }
}
