//! Annotated functions inside of functions, and recursion.
use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "fib:<<n>>")]
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

#[cacheable(key = "deep:<<n>>")]
async fn deep(n: u64) -> u64 {
    if n == 0 {
        0
    } else {
        Box::pin(deep(n - 1)).await + 1
    }
}

fn outer() -> u64 {
    #[cacheable(key = "inner:<<n>>")]
    fn inner(n: u64) -> u64 {
        n
    }
    #[invalidate(patterns = ["inner:*"])]
    fn forget() {}
    forget();
    inner(1)
}

fn main() {
    let cache = cache_runtime::Cache::builder().build().expect("a cache");
    cache.scope_sync(|| {
        assert_eq!(fib(50), 12_586_269_025);
        assert_eq!((outer(), outer()), (1, 1));
        drop(deep(3));
    });
    // Without the cache this would not end.
    assert_eq!(cache.stats().misses, 53);
}
