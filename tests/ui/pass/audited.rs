//! `audit` on all kinds of function, under strict lints.
#![deny(warnings, clippy::all, clippy::pedantic, unused)]
#![allow(clippy::needless_pass_by_value, clippy::unused_async)]

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, cacheable};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[cacheable(key = "rows:<<id>>", ttl = "10m", audit = 0.01)]
async fn owned(id: u32, #[cfg(any())] gone: Gone, #[cfg(all())] here: u8) -> u32 {
    id + u32::from(here)
}

#[cacheable(key = "errors:<<id>>", audit)]
async fn with_an_error_that_is_not_send(id: u32) -> Outcome<u32> {
    std::future::ready(()).await;
    Ok(id)
}

#[cacheable(key = "changed:<<text>>:<<id>>", audit, cache_none, skip(unused))]
async fn changed(mut text: String, mut id: u32, unused: Vec<u8>) -> Option<String> {
    if id == 0 {
        return None;
    }
    id += 1;
    text.push_str(&id.to_string());
    Some(text)
}

#[cacheable(key = "sync:<<id>>", audit = 1, early, stale = "1m")]
fn sync(id: u32, (left, _): (u32, u32), mut count: u32) -> Arc<u32> {
    count += 1;
    let held = Rc::new(id + left + count);
    Arc::new(*held)
}

#[cacheable(
    key = "closures:<<limit>>",
    audit = 0.5,
    ttl = |value: &u32| Duration::from_secs(u64::from(*value + limit)),
    unless = |value| *value > limit && name.is_empty(),
    skip(name),
)]
async fn closures(limit: u32, name: String) -> u32 {
    limit
}

#[cacheable(key = "borrowing", audit, condition = flag, cache = cache, skip(cache))]
async fn given(cache: Cache, flag: bool) -> u32 {
    u32::from(flag)
}

#[cacheable(audit, detached, stale_if_error = "1h", companions)]
async fn detached(id: u32) -> Result<u32, String> {
    let id = u8::try_from(id).map_err(|error| error.to_string())?;
    Ok(id.into())
}

fn is_send<T: Send>(_: T) {}

fn main() {
    let cache = Cache::builder().audit(1.0).build().expect("memory builds");
    is_send(owned(1, 2));
    is_send(changed(String::new(), 1, Vec::new()));
    is_send(closures(1, String::new()));
    is_send(given(cache.clone(), true));
    is_send(detached(1));
    is_send(detached_refresh(1));
    drop(with_an_error_that_is_not_send(1));
    assert_eq!(*cache.scope_sync(|| sync(1, (2, 3), 4)), 8);
    assert_eq!(*cache.scope_sync(|| sync(1, (2, 3), 4)), 8);
}
