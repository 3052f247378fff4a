//! The futures are `Send` where the body is, so that servers can spawn them.
use cache_runtime::{Cache, cacheable, invalidate};

struct Users {
    cache: Cache,
}

impl Users {
    #[cacheable(key = "users:<<id>>", cache = self.cache, ttl = |name: &String| name.len() as u64)]
    async fn user(&self, id: String) -> Result<String, String> {
        Ok(id)
    }
}

#[cacheable(key = "posts:<<slug>>", unless = |text| text.is_empty())]
async fn get(slug: String) -> Option<String> {
    std::future::ready(()).await;
    Some(slug)
}

#[cacheable(key = "posts:<<slug>>:both")]
#[invalidate(patterns = ["posts:<<slug>>", "lists:<<result>>"])]
async fn both(slug: String) -> String {
    std::future::ready(()).await;
    slug
}

#[invalidate(patterns = ["posts:<<slug>>", "posts:<<result>>"])]
async fn write(slug: String) -> String {
    std::future::ready(()).await;
    slug
}

// After an error nothing is invalidated, so it isn't held.
#[invalidate(patterns = ["posts:<<slug>>", "posts:<<result>>"])]
async fn boxed_write(slug: String) -> Result<Option<String>, Box<dyn std::error::Error>> {
    std::future::ready(()).await;
    Ok(Some(slug))
}

#[cacheable(key = "both:<<slug>>")]
#[invalidate(patterns = ["posts:<<slug>>"])]
#[invalidate(patterns = ["lists"], when = "before")]
async fn boxed_both(slug: String) -> Result<String, Box<dyn std::error::Error>> {
    std::future::ready(()).await;
    Ok(slug)
}

#[cacheable(key = "detached:<<slug>>", unless = |text| text.is_empty(), detached)]
async fn detached(slug: String) -> Result<Option<String>, Box<dyn std::error::Error>> {
    std::future::ready(()).await;
    Ok(Some(slug))
}

// The error isn't `Send`, and the body doesn't hold one across an await.
#[cacheable(key = "boxed:<<slug>>", unless = |text| text.is_empty())]
async fn boxed(slug: String) -> Result<Option<String>, Box<dyn std::error::Error>> {
    std::future::ready(()).await;
    if slug.is_empty() {
        return Err("empty".into());
    }
    Ok(Some(slug))
}

#[cacheable(key = "rc:<<slug>>")]
async fn unsendable_error(slug: &str) -> Result<String, std::rc::Rc<str>> {
    std::future::ready(()).await;
    if slug.is_empty() {
        Err("empty".into())
    } else {
        Ok(slug.to_owned())
    }
}

#[cacheable(key = "generic:<<slug>>", skip(db))]
async fn generic<D: Sync + ?Sized>(db: &D, slug: &str) -> Result<Vec<u8>, String> {
    let _ = db;
    std::future::ready(()).await;
    Ok(slug.into())
}

// A body that isn't `Send` may be cached all the same.
#[cacheable(key = "local:<<slug>>")]
async fn local(slug: &str) -> usize {
    let shared = std::rc::Rc::new(slug.len());
    std::future::ready(()).await;
    *shared
}

fn assert_send<T: Send>(_: T) {}

async fn check(users: &Users) {
    assert_send(users.user("a".to_owned()));
    assert_send(get("a".to_owned()));
    assert_send(get_refresh("a".to_owned()));
    assert_send(get_invalidate("a".to_owned()));
    assert_send(both("a".to_owned()));
    assert_send(write("a".to_owned()));
    assert_send(boxed_write("a".to_owned()));
    assert_send(boxed_both("a".to_owned()));
    assert_send(detached("a".to_owned()));
    assert_send(boxed("a".to_owned()));
    assert_send(boxed_refresh("a".to_owned()));
    assert_send(boxed_no_cache("a".to_owned()));
    assert_send(unsendable_error("a"));
    assert_send(generic(&1, "a"));
    assert_send(generic_no_cache(&1, "a"));
    for _ in 0..2 {
        assert_eq!(local("abc").await, 3);
        assert_eq!(
            boxed("a".to_owned()).await.ok().flatten().as_deref(),
            Some("a")
        );
        assert!(boxed(String::new()).await.is_err());
        assert_eq!(unsendable_error("").await, Err("empty".into()));
        assert_eq!(users.user("a".to_owned()).await.as_deref(), Ok("a"));
    }
    let spawned = tokio::spawn(get("a".to_owned()));
    assert_eq!(spawned.await.ok().flatten().as_deref(), Some("a"));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache
        .scope(check(&Users {
            cache: cache.clone(),
        }))
        .await;
    assert_eq!(cache.stats().hits, 3);
}
