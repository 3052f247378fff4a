//! The implementation of `#[cacheable]`, in reading order.
//!
//! [`lookup`] is the generic shell that generated code calls; [`fast_path`] renders the key and
//! answers a hit in this process. A call that missed ([`call`]) is resolved ([`resolve`]) in
//! [`memory`], [`memory_stale`], [`redis`] or [`redis_stale`], which make a [`decision`]: take a
//! value, compute one, or bypass the cache. The two for Redis wait for a [`lease`] or take one.
//! [`run`] and [`future`] run the body of a [`computation`], and [`fill`] stores its value.
//! [`many`] does all of this for many entries at once. [`refresh`] recomputes entries that are still
//! cached, by their [`freshness`]; [`audit`] compares a cached value with a recomputed one;
//! [`negative`] caches errors. [`adapter`] is around all of it, for functions with `value` and
//! `response`.

pub mod adapter;
pub mod audit;
pub(crate) mod call;
pub(crate) mod computation;
pub(crate) mod decision;
pub(crate) mod detached;
pub mod each;
pub(crate) mod fast_path;
pub(crate) mod fill;
pub(crate) mod freshness;
pub(crate) mod future;
#[cfg(feature = "redis")]
mod lease;
pub(crate) mod lookup;
pub(crate) mod many;
mod memory;
mod memory_stale;
pub(crate) mod negative;
mod owned;
pub(crate) mod presets;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_stale;
pub(crate) mod refresh;
mod resolve;
pub(crate) mod run;
pub(crate) mod staleness;
