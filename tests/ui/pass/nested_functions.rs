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
    let _ = outer as fn() -> u64;
}
