//! Several attributes on one function, in either order, under any path.
use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "posts:<<id>>")]
#[invalidate(patterns = ["lists:*"])]
#[invalidate(patterns = ["feeds:<<result.1>>"], when = "always")]
async fn read_first(id: u64) -> Result<(u64, String), String> {
    Ok((id, id.to_string()))
}

#[invalidate(patterns = ["lists:<<id>>:*"])]
#[tracing::instrument(skip_all)]
#[cache_runtime::invalidate(patterns = ["feeds:<<result>>"])]
#[cache_runtime::cacheable(key = "posts:<<id>>")]
fn write_first(id: u64) -> Option<u64> {
    Some(id)
}

#[invalidate(patterns = ["posts:<<id>>"], when = "before")]
#[invalidate(patterns = ["lists:*"])]
fn writes_only(id: u64) -> u64 {
    id
}

// A pattern that names another resource reaches nothing of its own.
#[cacheable(key = "users:<<id>>:posts")]
#[invalidate(patterns = ["users:<<id>>:likes:*"])]
async fn narrow(id: u64) -> u64 {
    id
}

fn main() {
    let _ = read_first_cache_key(1);
    let _ = write_first_no_cache(1);
}
