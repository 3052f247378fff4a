//! Several attributes on one function, in either order, under any path.
use cache_runtime::{Cache, cacheable, invalidate};

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

async fn check() {
    let cache = Cache::current();
    for _ in 0..2 {
        cache
            .set("lists:1:a", &1, None)
            .await
            .expect("a cache in memory");
        cache
            .set("feeds:1", &1, None)
            .await
            .expect("a cache in memory");
        assert_eq!(read_first(1).await, Ok((1, "1".to_owned())));
        assert_eq!(write_first(2), Some(2));
        assert_eq!(narrow(3).await, 3);
    }
    assert_eq!(write_first_no_cache(1), Some(1));
    assert_eq!(writes_only(1), 1);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 3);
    // Hits invalidate as well: twice each of the two keys, and at last the entry of `read_first`.
    assert_eq!(cache.stats().invalidated, 5);
}
