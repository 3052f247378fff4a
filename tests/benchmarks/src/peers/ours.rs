//! `cache-runtime`: what this repository is about.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cache_runtime::{Cache, cacheable};

use crate::model::{Filters, LIFETIME, Post};

/// More than any section puts there, by our own count of bytes.
const CAPACITY: usize = 8 << 30;

/// The process's default: a memory store.
pub fn install() {
    // A second section finds it installed.
    let _ = memory().install();
}

/// A memory store.
pub fn memory() -> Cache {
    let builder = Cache::builder()
        .memory_capacity(CAPACITY)
        .default_ttl(lifetime());
    builder.build().expect("the settings are valid")
}

static STORES: LazyLock<[Cache; 3]> = LazyLock::new(|| std::array::from_fn(|_| memory()));

/// Redis.
pub fn redis(url: &str) -> Cache {
    let builder = Cache::builder()
        .prefix("app")
        .redis(url)
        .default_ttl(lifetime());
    // One server in one test run does not fall silent; a loaded machine may look like it.
    let builder = builder.response_timeout(Duration::from_secs(10));
    let builder = builder.invalidation_timeout(Duration::from_secs(120));
    builder.build().expect("the settings are valid")
}

/// Memory in front of Redis.
pub fn near(url: &str) -> Cache {
    let builder = Cache::builder()
        .prefix("app")
        .redis(url)
        .default_ttl(lifetime());
    let builder = builder.response_timeout(Duration::from_secs(10));
    // It must not lose its trust while other contenders have the processor.
    let builder = builder.near_silence(Duration::from_secs(30)).near(CAPACITY);
    builder.build().expect("the settings are valid")
}

fn lifetime() -> Duration {
    Duration::from_secs(LIFETIME)
}

/// Each of these four has a store of its own, as each function of the other contenders has: none finds in the processor's caches what
/// another one has just read, and no store is larger than the others.
#[cacheable(key = "posts:<<slug>>", ttl = 3600)]
pub fn shared(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = &STORES[0])]
pub async fn shared_async(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = &STORES[1])]
pub fn value(slug: &str) -> Post {
    Post::of(slug)
}

#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = &STORES[2])]
pub async fn value_async(slug: &str) -> Post {
    Post::of(slug)
}

#[cacheable(key = "posts:<<topic>>:<<slug>>:<<page>>", ttl = 3600)]
pub fn three(topic: &str, slug: &str, page: u32) -> Arc<Post> {
    Arc::new(Post::of(&format!("{topic}{slug}{page}")))
}

#[cacheable(key = "posts:list", ttl = 3600)]
pub fn hashed(filters: &Filters) -> Arc<Post> {
    Arc::new(Post::of(&filters.author))
}

/// As `shared_async`, on a cache that is given.
#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = cache, skip(cache))]
pub async fn shared_at(cache: &Cache, slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

/// As `value_async`, on a cache that is given.
#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = cache, skip(cache))]
pub async fn value_at(cache: &Cache, slug: &str) -> Post {
    Post::of(slug)
}

/// A new entry whose value is there already: what remains is the store's work.
#[cacheable(key = "posts:<<id>>", ttl = 3600, cache = cache, skip(cache, post))]
pub fn fill(cache: &Cache, id: usize, post: &Arc<Post>) -> Arc<Post> {
    Arc::clone(post)
}

/// One of a herd's callers; the body counts its runs.
#[cacheable(key = "herd:<<id>>", ttl = 3600, cache = cache, skip(cache))]
pub async fn herd(cache: &Cache, id: usize) -> Arc<Post> {
    Arc::new(crate::sections::herd::body(id).await)
}
