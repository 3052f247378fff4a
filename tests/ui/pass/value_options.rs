//! `ttl` and `unless` see the innermost stored value.
use cache_runtime::cacheable;
use std::sync::Arc;
use std::time::Duration;

#[cacheable(key = "seconds:<<id>>", ttl = |text: &String| text.len() as u64)]
async fn seconds(id: u64) -> Result<Option<String>, String> {
    Ok(Some(id.to_string()))
}

#[cacheable(key = "arguments:<<id>>", ttl = |_: &u64| Duration::from_secs(base), skip(base))]
fn with_argument(id: u64, base: u64) -> u64 {
    id + base
}

#[cacheable(key = "inferred:<<id>>", ttl = |text| 5 + text.len() as u64, unless = |text: &String| text.is_empty())]
async fn inferred(id: u64) -> Result<Option<Arc<String>>, String> {
    Ok(Some(Arc::new(id.to_string())))
}

#[cacheable(key = "whole:<<id>>", ttl = |_| 5, unless = |value: &_| *value == id)]
fn whole_seconds(id: u64) -> u64 {
    id
}

#[cacheable(key = "maybe:<<id>>", ttl = |text: &str| (!text.is_empty()).then_some(Duration::MAX))]
fn default_for_some(id: u64) -> Option<String> {
    Some(id.to_string())
}

#[cacheable(key = "lists:<<id>>", unless = Vec::is_empty, cache_none)]
fn function(id: u64) -> Option<Arc<Vec<u64>>> {
    Some(Arc::new(vec![id]))
}

async fn check() {
    for _ in 0..2 {
        assert_eq!(seconds(1).await, Ok(Some("1".to_owned())));
        assert_eq!(inferred(1).await, Ok(Some(Arc::new("1".to_owned()))));
        assert_eq!((with_argument(1, 2), with_argument(2, 0)), (3, 2));
        assert_eq!(
            (whole_seconds(1), default_for_some(1)),
            (1, Some("1".to_owned()))
        );
        assert_eq!(function(1).as_deref(), Some(&vec![1]));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = cache_runtime::Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    // Of `with_argument`, one call has a lifetime of zero; `whole_seconds` is never stored.
    assert_eq!(cache.stats().hits, 5);
}
