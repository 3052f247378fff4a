//! Arguments that the background can not own.

use cache_runtime::cacheable;

#[cacheable(key = "a:<<slug>>", stale = "1m", refresh = "background")]
async fn by_reference(slug: &str) -> u32 {
    slug.len() as u32
}

#[cacheable(key = "b", stale = "1m", refresh = "background", skip(value))]
async fn generic<T: Send + Clone + 'static>(value: T) -> u32 {
    drop(value);
    1
}

struct Repo;

impl Repo {
    #[cacheable(key = "c", stale = "1m", refresh = "background")]
    async fn method(&self) -> u32 {
        1
    }
}

fn main() {}
