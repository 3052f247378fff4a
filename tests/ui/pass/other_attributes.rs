//! Doc comments and other attributes stay, above and below.
#![deny(unused_must_use)]
use cache_runtime::{cacheable, invalidate};

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

fn main() {}
