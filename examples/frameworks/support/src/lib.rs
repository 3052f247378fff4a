//! Code that the programs share: a stand-in for a database, and an HTTP client for their tests.

mod client;
mod database;

pub use client::{Client, Response};
pub use database::{Database, Down, Note};

use cache_runtime::{Cache, CacheBuilder, CacheError, SiteStats};

/// Build a program's cache: on Redis if `REDIS_URL` is set, otherwise in memory.
///
/// It is cleared, since each program begins with a new database, and entries in Redis may be from
/// an earlier run.
///
/// # Errors
///
/// The builder's errors, and that Redis can't be reached.
pub fn cache(prefix: &str) -> Result<Cache, CacheError> {
    let cache = CacheBuilder::from_env()?.default_prefix(prefix).build()?;
    cache.blocking().clear()?;
    Ok(cache)
}

/// Return the hits and misses of one annotated function.
pub fn hits_and_misses(cache: &Cache, function: &str) -> (u64, u64) {
    let of_it = |site: &SiteStats| site.function == function;
    let site = cache.stats().sites.into_iter().find(of_it);
    site.map_or((0, 0), |site| (site.hits, site.misses))
}
