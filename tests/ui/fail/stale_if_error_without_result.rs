//! Functions that return no error.

use cache_runtime::cacheable;

#[cacheable(key = "a", stale_if_error = "1h")]
async fn number() -> u32 {
    1
}

#[cacheable(key = "b", stale_if_error = "1h")]
async fn list() -> Option<Vec<u32>> {
    None
}

fn main() {}
