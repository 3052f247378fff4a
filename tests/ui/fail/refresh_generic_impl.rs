//! The type parameter of an `impl`, which the attribute can't see, and which may borrow.

use cache_runtime::cacheable;

struct Repo<T>(T);

impl<T: Clone + Send + Sync + serde::Serialize> Repo<T> {
    #[cacheable(key = "rows", stale = "1m", companions = false)]
    async fn rows(tenant: T) -> u32 {
        drop(tenant);
        1
    }
}

fn main() {}
