//! An unknown value of `refresh`.

use cache_runtime::cacheable;

#[cacheable(key = "rows", stale = "1m", refresh = "later")]
async fn rows() -> u32 {
    1
}

fn main() {}
