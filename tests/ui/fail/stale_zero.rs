//! A stale time of zero.

use cache_runtime::cacheable;

#[cacheable(key = "rows", stale = 0, stale_if_error = "0s")]
async fn rows() -> Result<u32, ()> {
    Ok(1)
}

fn main() {}
