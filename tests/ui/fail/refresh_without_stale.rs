//! Nothing is ever stale here.

use cache_runtime::cacheable;

#[cacheable(key = "rows", jitter = 0.1, refresh = "caller")]
async fn rows() -> u32 {
    1
}

fn main() {}
