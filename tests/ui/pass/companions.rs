//! The four companions: names, arguments and visibility.
mod posts {
    use cache_runtime::cacheable;
    use std::fmt::Display;

    #[cacheable(key = "posts:<<slug>>", skip(db), ttl = 600)]
    pub async fn get_post<D: Display + Sync>(
        db: &D,
        slug: &str,
        page: u32,
    ) -> Result<String, String> {
        Ok(format!("{db}{slug}{page}"))
    }

    #[cacheable]
    pub(crate) fn count(id: u64) -> u64 {
        id
    }

    #[cacheable(companions = false)]
    pub fn alone(id: u64) -> u64 {
        id
    }

    pub fn alone_no_cache() {}
}

async fn use_them() -> Result<(), Box<dyn std::error::Error>> {
    let _: String = posts::get_post(&1, "a", 1).await?;
    let _: String = posts::get_post_no_cache(&1, "a", 1).await?;
    let _: String = posts::get_post_cache_key(&1, "a", 1);
    let _: bool = posts::get_post_invalidate(&1, "a", 1).await?;
    let _: String = posts::get_post_refresh(&1, "a", 1).await?;
    Ok(())
}

fn use_sync() -> Result<(), cache_runtime::CacheError> {
    let _: u64 = posts::count_no_cache(1);
    let _: String = posts::count_cache_key(1);
    let _: bool = posts::count_invalidate(1)?;
    let _: u64 = posts::count_refresh(1);
    let _: u64 = posts::alone(1);
    posts::alone_no_cache();
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = cache_runtime::Cache::builder().build().expect("a cache");
    cache.scope(use_them()).await.expect("no error");
    cache.scope_sync(use_sync).expect("no error");
    // Neither the uncached nor the refreshing one looks.
    assert_eq!(cache.stats().hits, 0);
}
