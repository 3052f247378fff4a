//! `#[write_through]` on every kind of function, under strict lints.
#![deny(warnings, clippy::all, clippy::pedantic)]
use async_trait::async_trait;
use cache_runtime::{Cache, Invalidations, context, invalidate, write_through};
use std::rc::Rc;
use std::sync::Arc;

#[write_through(key = "posts:<<slug>>", ttl = 600)]
async fn plain(slug: &str, title: String) -> Result<String, Rc<str>> {
    if title.is_empty() {
        return Err(slug.into());
    }
    Ok(title)
}

#[invalidate(patterns = ["lists:<<result>>:*"])]
#[write_through(key = "posts:<<slug>>", ttl = "10m", version = 2, debug)]
#[invalidate(patterns = ["users:*"])]
fn stacked(slug: String, title: &str) -> Option<Arc<String>> {
    drop(slug);
    Some(Arc::new(title.to_owned()))
}

#[write_through(
    key = "posts:<<slug.as_ref()>>",
    ttl = |title| u64::try_from(title.len()).unwrap_or(1),
    unless = |title: &String| title.is_empty(),
    cache_none = true
)]
async fn generic<S: AsRef<str> + Clone, const N: usize>(slug: S, titles: [String; N]) -> Option<String> {
    titles.into_iter().next()
}

#[write_through(key = "posts:<<slug>>", tx = &tx)]
async fn owned_transaction(tx: Invalidations, slug: &str) -> String {
    drop(tx);
    slug.to_owned()
}

#[write_through(key = "posts:<<slug>>", tx = none)]
async fn no_transaction(tx: u32, slug: &str) -> String {
    format!("{slug}{tx}")
}

#[invalidate(patterns = ["lists:<<r#type>>"], context(r#type))]
#[write_through(
    key = "posts:<<user_id>>:<<_tab>>",
    context(user_id, r#type, locale),
    ttl = u64::try_from(user_id.len() + r#type.len()).unwrap_or(1)
)]
async fn of_the_request(_tab: u32, title: String) -> Result<String, Rc<str>> {
    Ok(title)
}

#[write_through(key = "posts:<<user_id.to_uppercase()>>", context(user_id))]
fn of_the_request_blocking() -> u32 {
    1
}

struct Repo {
    id: u32,
    cache: Cache,
}

impl Repo {
    #[write_through(key = "repos:<<self.id>>", cache = self.cache)]
    async fn save(&mut self, value: u32) -> u32 {
        self.id += value;
        self.id
    }
}

#[async_trait]
trait Store {
    async fn put(&self, id: u32) -> Result<u32, String>;
}

#[async_trait]
impl Store for Repo {
    #[write_through(key = "stores:<<id>>")]
    async fn put(&self, id: u32) -> Result<u32, String> {
        Ok(id + self.id)
    }
}

fn main() {
    let cache = Cache::builder().build().expect("a memory cache");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let run = async {
        assert!(plain("a", String::new()).await.is_err());
        assert_eq!(plain("a", "x".to_owned()).await.as_deref(), Ok("x"));
        assert_eq!(cache.get("posts:a").await.ok().flatten(), Some("x".to_owned()));
        assert!(stacked("b".to_owned(), "y").is_some());
        assert_eq!(generic("c", ["z".to_owned()]).await.as_deref(), Some("z"));
        let tx = cache.invalidations();
        owned_transaction(tx.clone(), "d").await;
        assert!(!tx.is_empty());
        no_transaction(1, "e").await;
        assert!(of_the_request(1, "f".to_owned()).await.is_ok());
        assert_eq!(context::scope_sync([("user_id", "ada")], of_the_request_blocking), 1);
        assert_eq!(cache.get("posts:ADA").await.ok().flatten(), Some(1_u32));
        let mut repo = Repo { id: 1, cache: cache.clone() };
        assert_eq!(repo.save(2).await, 3);
        assert_eq!(cache.get("repos:1").await.ok().flatten(), Some(3_u32));
        assert_eq!(repo.put(4).await, Ok(7));
    };
    runtime.expect("a runtime").block_on(cache.scope(run));
}
