//! `cache-runtime`, by its attributes.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cache_runtime::{Cache, cacheable};

use crate::model::{Filters, LIFETIME, Post};

/// More than any section stores, as `cache-runtime` weighs entries.
const CAPACITY: usize = 8 << 30;

/// Install a memory store as the process's default.
pub fn install() {
    // Refused if an earlier section has done so.
    let _ = memory().install();
}

/// Build a memory store.
pub fn memory() -> Cache {
    let builder = Cache::builder()
        .memory_capacity(CAPACITY)
        .default_ttl(lifetime());
    builder.build().expect("the settings are valid")
}

static STORES: LazyLock<[Cache; 3]> = LazyLock::new(|| std::array::from_fn(|_| memory()));

/// Build a cache on Redis.
pub fn redis(url: &str) -> Cache {
    let builder = Cache::builder()
        .prefix("app")
        .redis(url)
        .default_ttl(lifetime());
    // The server doesn't fail during a run, but a loaded machine may look as if it did.
    let builder = builder.response_timeout(Duration::from_secs(10));
    let builder = builder.invalidation_timeout(Duration::from_secs(120));
    builder.build().expect("the settings are valid")
}

/// Build a cache on Redis with a near cache.
pub fn near(url: &str) -> Cache {
    let builder = Cache::builder()
        .prefix("app")
        .redis(url)
        .default_ttl(lifetime());
    let builder = builder.response_timeout(Duration::from_secs(10));
    // It must stay trusted while other contenders run.
    let builder = builder
        .near_max_silence(Duration::from_secs(30))
        .near_cache(CAPACITY);
    builder.build().expect("the settings are valid")
}

fn lifetime() -> Duration {
    Duration::from_secs(LIFETIME)
}

/// The first of four functions, each of which has a store of its own, like each function of the
/// other contenders: none finds in the processor's caches what another has just read, and all
/// stores have the same size.
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

static SHARED: LazyLock<[Cache; 2]> = LazyLock::new(|| std::array::from_fn(|_| memory()));

/// Three functions in one store, as a program has them.
pub const SHARED_IN_ONE_STORE: [fn(&str) -> Arc<Post>; 3] = [post, page, feed];

/// The same by value, in another store.
pub const VALUES_IN_ONE_STORE: [fn(&str) -> Post; 3] = [post_value, page_value, feed_value];

#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = &SHARED[0])]
fn post(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[cacheable(key = "pages:<<slug>>", ttl = 3600, cache = &SHARED[0])]
fn page(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[cacheable(key = "feeds:<<slug>>", ttl = 3600, cache = &SHARED[0])]
fn feed(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

/// Reads an entry of one of the three functions, by its position.
pub async fn shared_in_one_store(which: usize, slug: &str) -> Arc<Post> {
    match which {
        0 => post_async(slug).await,
        1 => page_async(slug).await,
        _ => feed_async(slug).await,
    }
}

#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = &SHARED[0])]
async fn post_async(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[cacheable(key = "pages:<<slug>>", ttl = 3600, cache = &SHARED[0])]
async fn page_async(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[cacheable(key = "feeds:<<slug>>", ttl = 3600, cache = &SHARED[0])]
async fn feed_async(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = &SHARED[1])]
fn post_value(slug: &str) -> Post {
    Post::of(slug)
}

#[cacheable(key = "pages:<<slug>>", ttl = 3600, cache = &SHARED[1])]
fn page_value(slug: &str) -> Post {
    Post::of(slug)
}

#[cacheable(key = "feeds:<<slug>>", ttl = 3600, cache = &SHARED[1])]
fn feed_value(slug: &str) -> Post {
    Post::of(slug)
}

/// Return the misses of both stores so far.
pub fn misses_in_one_store() -> u64 {
    SHARED.iter().map(|cache| cache.stats().misses).sum()
}

/// `shared_async` on a given cache.
#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = cache, skip(cache))]
pub async fn shared_at(cache: &Cache, slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

/// `value_async` on a given cache.
#[cacheable(key = "posts:<<slug>>", ttl = 3600, cache = cache, skip(cache))]
pub async fn value_at(cache: &Cache, slug: &str) -> Post {
    Post::of(slug)
}

/// Inserts an entry whose value exists already, so that only the store's work is measured.
#[cacheable(key = "posts:<<id>>", ttl = 3600, cache = cache, skip(cache, post))]
pub fn fill(cache: &Cache, id: usize, post: &Arc<Post>) -> Arc<Post> {
    Arc::clone(post)
}

/// One caller of a stampede; the body counts its runs.
#[cacheable(key = "herd:<<id>>", ttl = 3600, cache = cache, skip(cache))]
pub async fn herd(cache: &Cache, id: usize) -> Arc<Post> {
    Arc::new(crate::slow_query::slow_query(id).await)
}
