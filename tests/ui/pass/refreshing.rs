//! `stale`, `stale_if_error`, `early`, `jitter` and `refresh` on all kinds of function.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, cacheable, invalidate};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[cacheable(key = "rows:<<id>>", ttl = "10m", stale = "1m", early = true, jitter = 0.1)]
async fn owned(id: u32, #[cfg(any())] gone: Gone, #[cfg(all())] here: u8) -> u32 {
    id + u32::from(here)
}

#[cacheable(key = "errors:<<id>>", stale = 60, refresh = "background")]
async fn with_an_error_that_is_not_send(id: u32) -> Outcome<u32> {
    std::future::ready(()).await;
    Ok(id)
}

#[cacheable(key = "kept:<<slug>>", stale_if_error = "1h")]
async fn kept(slug: &str) -> Result<String, std::io::Error> {
    Ok(slug.to_owned())
}

#[cacheable(key = "aliased", stale_if_error = "1h", stale = "1m")]
async fn aliased() -> std::io::Result<Option<Arc<String>>> {
    Ok(None)
}

// What the closures capture, they copy.
#[cacheable(
    key = "closures:<<limit>>",
    stale = "1m",
    ttl = |value: &u32| Duration::from_secs(u64::from(*value + limit)),
    unless = |value| *value > limit,
    skip(name),
)]
async fn closures(limit: u32, name: String) -> u32 {
    limit + name.len() as u32
}

#[cacheable(key = "local", stale = "1m", skip(local))]
async fn not_send(local: Rc<u32>) -> u32 {
    *local
}

#[cacheable(key = "told", stale = "1m", refresh = "caller")]
async fn told(id: u32) -> u32 {
    let held = Rc::new(id);
    std::future::ready(()).await;
    *held
}

#[cacheable(key = "sync:<<id>>", early, cache_none)]
fn sync(id: u32) -> Option<u32> {
    Some(id)
}

#[cacheable(key = "generic:<<value>>", stale = "1m")]
fn generic<T: std::fmt::Display + Clone>(value: T) -> String {
    value.to_string()
}

#[cacheable(key = "array", stale = "1m", skip(bytes))]
fn of_const<const N: usize>(bytes: [u8; N]) -> usize {
    bytes.len()
}

#[cacheable(key = "stacked:<<id>>", stale = "1m")]
#[invalidate(patterns = ["others:<<result>>"])]
async fn stacked(id: u32) -> u32 {
    id
}

struct Repo<T> {
    cache: Cache,
    tenant: T,
}

impl<T: Clone + Send + Sync + std::fmt::Display + 'static> Repo<T> {
    #[cacheable(key = "<<self.tenant>>:rows:<<id>>", stale = "1m", cache = self.cache)]
    async fn method(&self, id: u32) -> u32 {
        id
    }

    #[cacheable(key = "rows:<<tenant>>", stale = "1m", companions = false)]
    async fn associated(tenant: T) -> String {
        tenant.to_string()
    }
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    let cache = Cache::builder().build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(cache.clone().scope(async {
        assert_eq!(owned(1, 2).await, 3);
        assert_eq!(owned_refresh(1, 2).await, 3);
        assert_eq!(assert_send(with_an_error_that_is_not_send(1)).await.unwrap(), 1);
        assert_eq!(assert_send(kept("a")).await.unwrap(), "a");
        assert_eq!(aliased().await.unwrap(), None);
        assert_eq!(closures(1, "a".to_owned()).await, 2);
        assert_eq!(not_send(Rc::new(1)).await, 1);
        assert_eq!(told(1).await, 1);
        assert_eq!(stacked(1).await, 1);
        let repo = Repo { cache, tenant: "t" };
        assert_eq!(assert_send(repo.method(1)).await, 1);
        assert_eq!(Repo::associated("t").await, "t");
    }));
    assert_eq!(sync(1), Some(1));
    assert_eq!(generic(&String::from("a")), "a");
    assert_eq!(of_const([1, 2]), 2);
}
