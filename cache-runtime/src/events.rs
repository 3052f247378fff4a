//! The cache's events for `tracing`: target `cache`, at `info` for functions with `debug = true`,
//! otherwise at `debug`.

use std::fmt::Display;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Level, enabled};

use crate::report::{self, CallOutcome};
use crate::site::Origin;

/// Return whether anyone is interested in a function's events, so that they are formatted only then:
/// a subscriber, a logger, or an open report. If none is, as usual, this takes two loads.
#[inline]
pub(crate) fn wanted(debug: bool) -> bool {
    let level = if debug { Level::INFO } else { Level::DEBUG };
    (level <= LevelFilter::current() && is_enabled(debug)) || report::is_open() || is_logged(debug)
}

#[cold]
fn is_enabled(debug: bool) -> bool {
    if debug {
        enabled!(target: "cache", Level::INFO)
    } else {
        enabled!(target: "cache", Level::DEBUG)
    }
}

/// Return whether the program's logger is interested. `tracing` passes events on to it as long as
/// the program has no subscriber.
#[cfg(feature = "log")]
#[inline]
fn is_logged(debug: bool) -> bool {
    let level = if debug {
        log::Level::Info
    } else {
        log::Level::Debug
    };
    level <= log::max_level() && is_logger_interested(level)
}

/// Once the program has a subscriber, `tracing` passes no events on.
#[cfg(feature = "log")]
#[cold]
fn is_logger_interested(level: log::Level) -> bool {
    !tracing::dispatcher::has_been_set() && log::log_enabled!(target: "cache", level)
}

#[cfg(not(feature = "log"))]
#[inline]
fn is_logged(_: bool) -> bool {
    false
}

/// Return whether a subscriber or a logger is interested in warnings.
pub(crate) fn warnings_wanted() -> bool {
    #[cfg(feature = "log")]
    if is_logger_interested(log::Level::Warn) {
        return true;
    }
    enabled!(target: "cache", Level::WARN)
}

macro_rules! event {
    ($origin:expr, $key:expr, $op:literal, $($message:tt)+) => {
        if $origin.debug {
            tracing::info!(target: "cache", function = $origin.function, key = $key, op = $op, $($message)+);
        } else {
            tracing::debug!(target: "cache", function = $origin.function, key = $key, op = $op, $($message)+);
        }
    };
}

/// A call begins. The arguments are formatted only if a subscriber or a logger records the message:
/// an open report doesn't.
pub(crate) fn call(origin: Origin, arguments: &dyn Display, key: &str) {
    let function = origin.function;
    event!(
        origin,
        key,
        "call",
        "[Cache] {function} | Args: {{{arguments}}} | Key: {key}"
    );
}

pub(crate) fn hit(origin: Origin, key: &str) {
    report::ended(key, CallOutcome::Hit);
    event!(origin, key, "hit", "[Cache] HIT: {key}");
}

/// A hit in the near cache.
#[cfg(feature = "redis")]
pub(crate) fn near_hit(origin: Origin, key: &str) {
    report::ended(key, CallOutcome::Near);
    event!(origin, key, "hit", "[Cache] HIT: {key}");
}

pub(crate) fn miss(origin: Origin, key: &str) {
    report::ended(key, CallOutcome::Miss);
    event!(origin, key, "miss", "[Cache] MISS: {key}");
}

/// A miss of a call that doesn't compute for the cache: it waited too long, waits for itself, or the
/// store is out of reach.
pub(crate) fn bypass(origin: Origin, key: &str) {
    event!(origin, key, "miss", "[Cache] MISS: {key}");
}

pub(crate) fn wait(origin: Origin, key: &str) {
    report::ended(key, CallOutcome::Wait);
    event!(origin, key, "wait", "[Cache] WAIT: {key}");
}

/// An expired value is served.
pub(crate) fn stale(origin: Origin, key: &str) {
    report::ended(key, CallOutcome::Stale);
    event!(origin, key, "stale", "[Cache] STALE: {key}");
}

pub(crate) fn set(origin: Origin, key: &str, ttl: Duration) {
    let ttl = ttl.as_secs_f64();
    event!(origin, key, "set", "[Cache] SET: {key} (TTL: {ttl}s)");
}

pub(crate) fn invalidate(origin: Origin, pattern: &str, count: u64) {
    event!(
        origin,
        pattern,
        "invalidate",
        "[Cache] INVALIDATE: {pattern} ({count} keys)"
    );
}

/// An invalidation couldn't be sent and will be replayed.
#[cfg(feature = "redis")]
pub(crate) fn postponed(origin: Origin, pattern: &str, error: &dyn Display) {
    event!(
        origin,
        pattern,
        "postpone",
        "[Cache] POSTPONED: {pattern}: {error}"
    );
}

/// A value isn't stored because of its size; nor will others of its kind be.
pub(crate) fn too_large(function: &str, key: &str, (bytes, limit): (usize, usize), fix: &str) {
    tracing::warn!(
        target: "cache", function, key, op = "too_large", bytes, limit,
        "[Cache] TOO LARGE: {key}: the value takes {bytes} bytes, more than the limit of {limit}; \
         {fix}. Further such values of `{function}` are counted but not logged"
    );
}

/// A value isn't stored for another reason.
pub(crate) fn not_stored(function: &str, key: &str, error: &dyn Display) {
    tracing::warn!(
        target: "cache", function, key, op = "not_stored",
        "[Cache] NOT STORED: {key}: {error}. Further such values of `{function}` are counted but not logged"
    );
}

/// A value that memory stores and Redis would refuse.
pub(crate) fn memory_only(function: &str, key: &str, error: &dyn Display) {
    tracing::warn!(
        target: "cache", function, key, op = "memory_only",
        "[Cache] MEMORY ONLY: {key}: {error}. Memory stores the value as it is, but Redis wouldn't \
         store it. Builds with debug assertions check the first value of each function (here \
         `{function}`)"
    );
}

/// A write-through of a path that has several entries.
pub(crate) fn variants(function: &str, key: &str, reader: &str) {
    tracing::warn!(
        target: "cache", function, key, op = "not_stored",
        "[Cache] NOT STORED: {key}: `{reader}` has several entries for one path of this template, by \
         arguments or values of the context that are hashed, by its type parameters or by an `owner`, \
         so `{function}` can't replace all of them, and removes them instead: mention each argument of \
         `{reader}` in its key or in `skip`, and each name of its `context` in its key; or write \
         `#[invalidate]` in place of `#[write_through]`"
    );
}

/// A write-through with a value of the context that its key doesn't mention.
pub(crate) fn hashed_context(function: &str, key: &str) {
    tracing::warn!(
        target: "cache", function, key, op = "not_stored",
        "[Cache] NOT STORED: {key}: `context` of `{function}` names a value that the key doesn't \
         mention, and functions that read with it have several entries for one path, of which \
         `{function}` can't replace all, so it removes them instead: mention each name of `context` \
         in the key of both, or write `#[invalidate]` in place of `#[write_through]`"
    );
}

/// A call without a key.
pub(crate) fn no_key(function: &str, key: &str, error: &str) {
    tracing::warn!(
        target: "cache", function, key, op = "error",
        "[Cache] ERROR: {key}: {error}, so the call isn't cached. Further such calls of `{function}` are counted but not logged"
    );
}

/// A placeholder of a pattern without a value.
pub(crate) fn widened(function: &str, patterns: &str, reason: &str) {
    tracing::warn!(
        target: "cache", function, key = patterns, op = "error",
        "[Cache] ERROR: {patterns}: {reason}, so the placeholder is `*`, and every entry that it matches is invalidated. Further such calls of `{function}` are counted but not logged"
    );
}

/// A write-through whose key can't be rendered.
pub(crate) fn unkeyed_write(function: &str, key: &str, reason: &str) {
    tracing::warn!(
        target: "cache", function, key, op = "error",
        "[Cache] ERROR: {key}: {reason}, so the value isn't stored, the placeholder is `*`, and every entry that the key then matches is invalidated. Further such calls of `{function}` are counted but not logged"
    );
}

/// The values of a function with `each` can't be told apart.
pub(crate) fn misaligned(function: &str, items: usize) {
    tracing::warn!(
        target: "cache", function, op = "not_stored", items,
        "[Cache] NOT STORED: {function}: its `Vec` must have one value for each of the {items} \
         items, in their order, and has another length; return a map, or a `Vec<Option<T>>`"
    );
}

/// A failure that no caller sees: a function's options and the cache's configuration don't fit
/// together.
pub(crate) fn misconfigured(function: &str, reason: &str) {
    tracing::warn!(target: "cache", function, op = "configuration", "[Cache] {function}: {reason}");
}

/// Redis is used with the default prefix, which every program without a prefix of its own shares.
#[cfg(feature = "redis")]
pub(crate) fn unnamed_prefix(prefix: &str) {
    tracing::warn!(
        target: "cache",
        op = "configuration",
        "[Cache] the key prefix is the default, `{prefix}`: all programs with this prefix on one \
         Redis overwrite each other's entries, and `clear` in one removes the entries of all; set \
         a prefix of your own with `Cache::builder().prefix(\"my-app\")` or \
         `CACHE_KEY_PREFIX=my-app`"
    );
}

/// An audit has found a stale entry.
pub(crate) fn stale_entry(
    function: &str,
    key: &str,
    template: &str,
    age: Duration,
    writes: &str,
    finding: &dyn Display,
) {
    let age = age.as_secs_f64();
    tracing::warn!(
        target: "cache", function, key, op = "audit", template, age, writes,
        "[Cache] AUDIT: {finding}"
    );
}

/// An audit couldn't tell whether the entry is stale.
pub(crate) fn unaudited(origin: Origin, key: &str, reason: &str) {
    event!(
        origin,
        key,
        "audit",
        "[Cache] AUDIT FAILED: {key}: {reason}"
    );
}

pub(crate) fn error(function: &str, key: &str, error: &dyn Display) {
    tracing::warn!(target: "cache", function, key, op = "error", "[Cache] ERROR: {key}: {error}");
}
