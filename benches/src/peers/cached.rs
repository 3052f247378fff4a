//! `cached` 4.1, by its macros. `&str` can't be its key, so `convert` makes a `String`: the least
//! that its documentation allows.

use std::sync::{Arc, OnceLock};

use cached::macros::{cached, concurrent_cached};
use cached::{AsyncRedisCache, ConcurrentCached};

use crate::model::{Filters, LIFETIME, Post};

/// With capacity and TTL, like the other contenders.
#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
pub fn shared(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
pub async fn shared_async(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

/// With capacity for more entries.
#[concurrent_cached(max_size = 200_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
pub fn roomy(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

/// Without capacity and TTL: its fastest store, which only grows.
#[concurrent_cached(key = "String", convert = { slug.to_owned() })]
pub fn unbounded(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

/// One lock around one map.
#[cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
pub fn one_lock(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
pub fn value(slug: &str) -> Post {
    Post::of(slug)
}

#[concurrent_cached(key = "String", convert = { slug.to_owned() })]
pub fn value_unbounded(slug: &str) -> Post {
    Post::of(slug)
}

/// Three functions. Each has a store of its own: that is how the macro works.
pub const THREE_SHARED: [fn(&str) -> Arc<Post>; 3] = [post, page, feed];

/// The same by value.
pub const THREE_VALUES: [fn(&str) -> Post; 3] = [post_value, page_value, feed_value];

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
fn post(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
fn page(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
fn feed(slug: &str) -> Arc<Post> {
    Arc::new(Post::of(slug))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
fn post_value(slug: &str) -> Post {
    Post::of(slug)
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
fn page_value(slug: &str) -> Post {
    Post::of(slug)
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { slug.to_owned() })]
fn feed_value(slug: &str) -> Post {
    Post::of(slug)
}

#[concurrent_cached(
    max_size = 20_000,
    ttl_secs = 3600,
    key = "(String, String, u32)",
    convert = { (topic.to_owned(), slug.to_owned(), page) }
)]
pub fn three(topic: &str, slug: &str, page: u32) -> Arc<Post> {
    Arc::new(Post::of(&format!("{topic}{slug}{page}")))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600, key = "Filters", convert = { filters.clone() })]
pub fn hashed(filters: &Filters) -> Arc<Post> {
    Arc::new(Post::of(&filters.author))
}

// The macro uses `id` for the key only.
#[allow(unused_variables)]
#[concurrent_cached(max_size = 2_000_000, ttl_secs = 3600, key = "String", convert = { format!("posts:{id}") })]
pub fn fill(id: usize, post: &Arc<Post>) -> Arc<Post> {
    Arc::clone(post)
}

pub fn remove_fill(id: usize) {
    let _ = FILL.cache_remove(&format!("posts:{id}"));
}

pub fn clear_fills() {
    let _ = FILL.cache_clear();
}

/// As its documentation recommends against stampedes.
#[cached(max_size = 20_000, ttl_secs = 3600, sync_writes = "by_key")]
pub async fn herd(id: usize) -> Arc<Post> {
    Arc::new(crate::slow_query::slow_query(id).await)
}

/// With the defaults.
#[concurrent_cached(max_size = 20_000, ttl_secs = 3600)]
pub async fn herd_unsaid(id: usize) -> Arc<Post> {
    Arc::new(crate::slow_query::slow_query(id).await)
}

/// The URL of its Redis: the macro's cache is a `static`.
pub static URL: OnceLock<String> = OnceLock::new();

#[concurrent_cached(
    map_error = |error| error.to_string(),
    ty = "AsyncRedisCache<String, Post>",
    create = r##"{
        AsyncRedisCache::builder("posts")
            .ttl(cached::time::Duration::from_secs(LIFETIME))
            .connection_string(URL.get().expect("the section says where"))
            .build()
            .await
            .expect("the server answers")
    }"##,
    key = "String",
    convert = { slug.to_owned() }
)]
pub async fn on_redis(slug: &str) -> Result<Post, String> {
    Ok(Post::of(slug))
}
