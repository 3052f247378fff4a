//! Warmers of many shapes compile under strict lints, although only their companions are used.
#![deny(warnings, clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]

use std::cell::Cell;
use std::fmt::Debug;
use std::sync::Arc;

use cache_runtime::{Cache, Warm, WarmCounts, cacheable, warmer};

#[cacheable(key = "posts:<<id>>")]
async fn post(id: u32) -> Result<u32, String> {
    Ok(id)
}

/// Without arguments.
#[warmer("plain")]
async fn plain(warm: Warm) {
    warm.each(1..=3, post).await;
}

#[warmer(
    "everything",
    at_start = false,
    every = "1h30m",
    concurrency = 2,
    rate = 1_000,
    crate = cache_runtime
)]
async fn everything(
    mut warm: Warm,
    mut ids: Vec<u32>,
    (first, _): (u32, u32),
    _: &'static str,
    Wrapped(last): Wrapped,
) -> Result<WarmCounts, String> {
    ids.extend([first, last]);
    if ids.is_empty() {
        return Err("no ids".to_owned());
    }
    post(first).await?;
    warm = warm.with_concurrency(1);
    let counts = warm.try_each(ids, |id| async move { post(id).await }).await;
    Ok(counts)
}

#[derive(Clone)]
struct Wrapped(u32);

/// An argument that isn't `Sync`.
#[warmer("cells")]
async fn cells(warm: Warm, cell: Cell<u32>) -> WarmCounts {
    warm.each([cell.get()], post).await
}

#[warmer("generic")]
async fn generic<T, const N: usize>(warm: Warm, ids: [T; N]) -> Result<(), Box<dyn Debug>>
where
    T: Into<u32> + Clone + Send + 'static,
{
    warm.each(ids.map(Into::into), post).await;
    Ok(())
}

#[warmer("any")]
async fn any(warm: Warm, ids: impl Iterator<Item = u32> + Clone + Send + 'static) {
    warm.each(ids, post).await;
}

#[warmer("r-aw.1_0")]
async fn r#move(warm: Warm, r#type: Arc<u32>) {
    warm.each([*r#type], post).await;
}

struct Blog;

impl Blog {
    const POSTS: u32 = 3;

    #[warmer("associated")]
    async fn associated(warm: Warm) {
        warm.each(0..Self::POSTS, post).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().unwrap();
    for warmer in [
        plain_warmer(),
        everything_warmer(vec![4], (5, 6), "any", Wrapped(7)),
        cells_warmer(Cell::new(8)),
        generic_warmer([9_u32, 10]),
        any_warmer(11..=12),
        move_warmer(Arc::new(13)),
        Blog::associated_warmer(),
    ] {
        let name = warmer.name().to_owned();
        cache.add_warmer(warmer).unwrap();
        for _ in 0..2 {
            let report = cache.warm(&name, vec![]).await.unwrap();
            assert_eq!(report.error, None);
            assert!(report.counts.items > 0, "{report:?}");
        }
    }
    // By hand, too.
    everything(Warm::of(&cache), vec![], (1, 2), "", Wrapped(3)).await.unwrap();
    assert_eq!(cache.warmers().len(), 7);
}
