//! Free functions, async and sync, with every option.
use cache_runtime::{cacheable, invalidate, ttl};
use std::time::Duration;

#[cacheable]
async fn bare(id: u64) -> u64 {
    id
}

#[cacheable()]
fn bare_sync(id: u64) -> u64 {
    id
}

#[cacheable(
    key = "sums:<<a>>:{{b.unwrap_or(1)}}",
    ttl = "1h30m",
    skip(trace),
    condition = a > 0,
    unless = |sum| *sum == 0,
    cache_none,
    version = 2,
    debug = true,
    companions,
)]
async fn all(a: u32, b: Option<u32>, trace: &str) -> u32 {
    let _ = trace;
    a + b.unwrap_or(1)
}

#[cacheable(key = "presets:<<id>>", ttl = preset("user_profile"), cache_none = false, debug)]
fn with_preset(id: u32) -> Option<u32> {
    Some(id)
}

#[cacheable(key = "constants:<<id>>", ttl = ttl::SHORT)]
fn with_constant(id: u32) -> u32 {
    id
}

#[cacheable(key = "durations:<<id>>", ttl = Duration::from_secs(u64::from(seconds)))]
fn with_duration(id: u32, seconds: u32) -> u32 {
    id + seconds
}

#[cacheable(key = "closures:<<id>>", ttl = |value: &u32| Duration::from_secs(u64::from(*value)))]
async fn with_closure(id: u32) -> Result<Option<u32>, String> {
    Ok(Some(id))
}

#[invalidate(patterns = ["sums:*", "presets:<<id>>"], when = "always", condition = id > 1, debug)]
async fn write(id: u32) {
    let _ = id;
}

#[invalidate(patterns = "sums:[a-c]?\\*", when = "before", debug = false)]
fn write_sync() {}

fn main() {}
