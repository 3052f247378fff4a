//! The options that cache errors, under strict lints, in each kind of function.
#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(missing_docs)]

use std::time::Duration;

use cache_runtime::{Cache, cacheable};

/// An error that implements nothing.
enum Error {
    NotFound,
    Busy(u32),
}

type Loaded<T> = Result<T, Error>;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum StoredError {
    NotFound,
}

struct Posts {
    cache: Cache,
    life: Duration,
}

impl Posts {
    #[cacheable(
        key = "a:<<id>>",
        skip(self),
        cache = self.cache,
        cache_err = |e| matches!(e, Error::NotFound),
        err_ttl = self.life,
        err = || Error::NotFound,
        unless = |value| *value == 0
    )]
    async fn get(&self, id: u32) -> Loaded<u32> {
        match id {
            1 => Ok(id),
            2 => Err(Error::Busy(id)),
            _ => Err(Error::NotFound),
        }
    }
}

#[cacheable(key = "b:<<id>>", cache_err = |_: &StoredError| true, err_ttl = "30s", ttl = |value| u64::from(*value))]
fn stored(id: u32) -> Result<u32, StoredError> {
    (id == 1).then_some(id).ok_or(StoredError::NotFound)
}

#[cacheable(key = "c:<<id>>:<<text>>", cache_err = |_| id > 3, err_ttl = 30)]
async fn consumed(id: u32, text: String) -> Result<String, StoredError> {
    let taken = text;
    if id > 3 {
        return Err(StoredError::NotFound);
    }
    Ok(taken)
}

fn main() {
    let cache = Cache::builder().build().unwrap();
    let life = Duration::from_secs(30);
    let posts = Posts { cache: cache.clone(), life };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..2 {
            assert!(matches!(posts.get(1).await, Ok(1)));
            assert!(matches!(posts.get(2).await, Err(Error::Busy(2))));
            assert!(matches!(posts.get(3).await, Err(Error::NotFound)));
        }
    });
    assert_eq!((cache.stats().hits, cache.stats().misses), (2, 4));
    cache.scope_sync(|| {
        assert_eq!(stored(1), Ok(1));
        assert_eq!(stored(2), Err(StoredError::NotFound));
        assert_eq!(stored(2), Err(StoredError::NotFound));
    });
    assert_eq!(cache.stats().hits, 3);
    let _ = consumed(1, String::new());
}
