//! `async_trait` methods: below the trait's attribute ours sees a boxed future.
use cache_runtime::{Cache, cacheable, invalidate};

#[async_trait::async_trait]
trait Store {
    async fn find(&self, id: String, page: Option<u32>) -> Result<Option<String>, std::io::Error>;
    async fn rename(&mut self, id: &str, mut name: String) -> Result<String, std::io::Error>;
    async fn count() -> u64;
    async fn ignore(&self, _: u64, id: u64) -> u64;
}

struct Db {
    prefix: String,
    cache: Cache,
}

#[async_trait::async_trait]
impl Store for Db {
    #[cacheable(key = "names:<<self.prefix>>:<<id>>", cache = self.cache, ttl = 60)]
    async fn find(&self, id: String, page: Option<u32>) -> Result<Option<String>, std::io::Error> {
        if id.is_empty() {
            return Ok(None);
        }
        std::future::ready(()).await;
        Ok(Some(format!("{}{id}{page:?}", self.prefix)))
    }

    #[invalidate(patterns = ["names:<<self.prefix>>:<<id>>", "names:<<result>>:*"])]
    #[tracing::instrument(skip_all)]
    async fn rename(&mut self, id: &str, mut name: String) -> Result<String, std::io::Error> {
        name.push_str(id);
        self.prefix = name.clone();
        Ok(name)
    }

    #[cacheable]
    async fn count() -> u64 {
        7
    }

    #[cacheable(key = "ignored:<<id>>")]
    async fn ignore(&self, _: u64, id: u64) -> u64 {
        id
    }
}

#[async_trait::async_trait(?Send)]
trait Local {
    #[cacheable(key = "local:<<id>>")]
    async fn with_default(&self, id: u64) -> u64 {
        id
    }
}

async fn check(cache: &Cache) {
    let mut db = Db {
        prefix: "p".to_owned(),
        cache: cache.clone(),
    };
    for _ in 0..2 {
        assert_eq!(
            db.find("a".to_owned(), None)
                .await
                .ok()
                .flatten()
                .as_deref(),
            Some("paNone")
        );
        assert_eq!(Db::count().await, 7);
        assert_eq!((db.ignore(1, 5).await, db.ignore(2, 5).await), (5, 5));
        assert_eq!(Local::with_default(&db, 1).await, 1);
    }
    assert_eq!(
        db.rename("a", "q".to_owned()).await.as_deref().ok(),
        Some("qa")
    );
}

impl Local for Db {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check(&cache)).await;
    assert_eq!(cache.stats().hits, 6);
    assert_eq!(cache.stats().invalidated, 1);
}
