//! Doc comments and other attributes stay, above and below.
#![deny(unused_must_use)]
use cache_runtime::{Cache, cacheable, invalidate};

/// Has a doc comment.
#[must_use]
#[tracing::instrument]
#[cacheable(key = "above:<<id>>")]
#[inline]
pub async fn instrument_above(id: u64) -> u64 {
    id
}

#[cacheable(key = "below:<<id>>")]
#[tracing::instrument(skip(id))]
#[allow(deprecated)]
pub fn instrument_below(id: u64) -> Result<u64, String> {
    #![allow(clippy::needless_return)]
    //! An inner doc comment.
    return Ok(old(id));
}

#[deprecated]
fn old(id: u64) -> u64 {
    id
}

#[tracing::instrument(skip_all)]
#[invalidate(patterns = ["below:<<id>>"])]
#[cfg(all())]
async fn write(id: u64) -> Result<(), std::io::Error> {
    std::fs::metadata("/")?;
    let _ = id;
    Ok(())
}

#[cfg(any())]
#[cacheable(key = "absent:<<id>>")]
fn absent(id: Missing) -> Missing {
    id
}

#[cacheable(key = "absent:<<id>>")]
#[cfg(any())]
fn absent_below(id: Missing) -> Missing {
    id
}

#[cacheable(key = "optional")]
fn optional_argument(#[cfg(any())] missing: Missing, #[cfg(all())] page: u32) -> u32 {
    page
}

/// # Safety
/// None is needed.
#[cacheable(key = "unsafe:<<id>>")]
unsafe fn dangerous(id: u64) -> u64 {
    id
}

async fn check() {
    for _ in 0..2 {
        assert_eq!(instrument_above(1).await, 1);
        assert_eq!(instrument_below(2), Ok(2));
        assert_eq!(optional_argument(3), 3);
    }
    assert!(write(2).await.is_ok());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 3);
    assert_eq!(cache.stats().invalidated, 1);
}
