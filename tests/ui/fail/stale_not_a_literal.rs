//! A stale time that is known at run time only.

use cache_runtime::cacheable;

#[cacheable(key = "rows", stale = std::time::Duration::from_secs(60), stale_if_error = "soon")]
async fn rows() -> Result<u32, ()> {
    Ok(1)
}

fn main() {}
