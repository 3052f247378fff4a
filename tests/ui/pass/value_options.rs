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

#[cacheable(key = "lists:<<id>>", unless = Vec::is_empty, cache_none)]
fn function(id: u64) -> Option<Arc<Vec<u64>>> {
    Some(Arc::new(vec![id]))
}

fn main() {}
