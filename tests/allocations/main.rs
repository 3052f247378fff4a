//! Allocations of a hit: none if the value is shared, otherwise those of its `clone`. They are
//! counted on the calling thread alone, so the cache's own threads don't matter. The counting
//! allocator comes from a crate, because this workspace has no unsafe code.
#![allow(missing_docs, clippy::unwrap_used)]

mod http;

use std::sync::Arc;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use cache_runtime::{Cache, cacheable};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tests::{PATIENCE, RedisServer};

const HITS: u64 = 200;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Post {
    slug: String,
    tags: Vec<String>,
    likes: u32,
}

fn post(slug: &str) -> Post {
    Post {
        slug: slug.to_owned(),
        tags: vec!["rust".to_owned(), "caching".to_owned()],
        likes: 3,
    }
}

#[cacheable(key = "posts:<<slug>>", ttl = 600, cache = cache, skip(cache))]
fn shared(cache: &Cache, slug: &str) -> Arc<Post> {
    Arc::new(post(slug))
}

#[cacheable(key = "async:<<slug>>", ttl = 600, cache = cache, skip(cache))]
async fn shared_async(cache: &Cache, slug: &str) -> Arc<Post> {
    Arc::new(post(slug))
}

#[cacheable(key = "three:<<topic>>:<<slug>>:<<page>>", ttl = 600, cache = cache, skip(cache))]
fn three(cache: &Cache, topic: &str, slug: String, page: u32) -> Arc<Post> {
    Arc::new(post(&format!("{topic}{slug}{page}")))
}

#[cacheable(key = "number:<<id>>", ttl = 600, cache = cache, skip(cache))]
fn number(cache: &Cache, id: i64) -> Arc<Post> {
    Arc::new(post(&id.to_string()))
}

#[cacheable(key = "option:<<slug>>", ttl = 600, cache_none = true, cache = cache, skip(cache))]
fn option(cache: &Cache, slug: &str) -> Option<Arc<Post>> {
    (slug != "none").then(|| Arc::new(post(slug)))
}

#[cacheable(key = "result:<<slug>>", ttl = 600, cache = cache, skip(cache))]
fn result(cache: &Cache, slug: &str) -> Result<Arc<Post>, String> {
    Ok(Arc::new(post(slug)))
}

#[cacheable(key = "stale:<<slug>>", ttl = 600, stale = 60, early = true, cache = cache, skip(cache))]
async fn stale(cache: &Cache, slug: &str) -> Arc<Post> {
    Arc::new(post(slug))
}

#[cacheable(key = "list", ttl = 600, cache = cache, skip(cache))]
fn hashed(cache: &Cache, author: &str, tags: &[String], page: u32) -> Arc<Post> {
    Arc::new(post(&format!("{author}{tags:?}{page}")))
}

#[cacheable(key = "value:<<slug>>", ttl = 600, cache = cache, skip(cache))]
fn value(cache: &Cache, slug: &str) -> Post {
    post(slug)
}

#[cacheable(key = "value-async:<<slug>>", ttl = 600, cache = cache, skip(cache))]
async fn value_async(cache: &Cache, slug: &str) -> Post {
    post(slug)
}

/// A function on the current cache.
#[cacheable(key = "current:<<slug>>", ttl = 600)]
fn current(slug: &str) -> Arc<Post> {
    Arc::new(post(slug))
}

/// Assert the number of allocations of each hit, once the entry is cached. Its fill may still be
/// running.
fn of_hits(what: &str, expected: u64, mut call: impl FnMut()) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while measure(&mut call).count_total != expected {
        assert!(
            Instant::now() < deadline,
            "{what}: no hit makes {expected} allocations"
        );
        std::thread::yield_now();
    }
    let all = measure(|| (0..HITS).for_each(|_| call()));
    assert_eq!(all.count_total, HITS * expected, "{what}");
}

/// Return the value of a future that is ready at the first poll.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    future.now_or_never()
}

fn of_all_kinds(cache: &Cache, fill: impl Fn(&Cache)) {
    fill(cache);
    let (slug, tags) = ("my-post", ["rust".to_owned()]);
    let nothing = |what: &str, call: &mut dyn FnMut()| of_hits(what, 0, call);
    nothing("sync", &mut || drop(shared(cache, slug)));
    nothing("async", &mut || drop(ready(shared_async(cache, slug))));
    let mut slugs = vec![String::from("my-post"); 2 * HITS as usize + 100_000];
    let mut taken = move || slugs.pop().unwrap_or_default();
    nothing("three placeholders", &mut || {
        drop(three(cache, "rust", taken(), 7));
    });
    nothing("an integer", &mut || drop(number(cache, -1234)));
    nothing("`Option`", &mut || drop(option(cache, slug)));
    nothing("`None`", &mut || drop(option(cache, "none")));
    nothing("`Result`", &mut || drop(result(cache, slug)));
    nothing("stale", &mut || drop(ready(stale(cache, slug))));
    nothing("hashed", &mut || drop(hashed(cache, "alice", &tags, 2)));

    let original = post(slug);
    let clone = measure(|| drop(original.clone())).count_total;
    assert_eq!(clone, 4, "the slug, and a list of two texts");
    of_hits("by value", clone, || drop(value(cache, slug)));
    of_hits("by value, async", clone, || {
        drop(ready(value_async(cache, slug)));
    });
}

/// Store the async entries, which on Redis are not ready at the first poll.
fn fill(cache: &Cache) {
    futures_executor::block_on(async {
        shared_async(cache, "my-post").await;
        stale(cache, "my-post").await;
        value_async(cache, "my-post").await;
    });
}

fn are_near(cache: &Cache) -> bool {
    let slug = "my-post";
    ready(shared_async(cache, slug)).is_some()
        && ready(stale(cache, slug)).is_some()
        && ready(value_async(cache, slug)).is_some()
}

#[test]
fn a_hit_in_memory_allocates_only_the_clone_of_its_value() {
    let cache = Cache::builder().build().unwrap();
    of_all_kinds(&cache, fill);
    assert_eq!(cache.stats().misses, 11, "all other calls were hits");
    cache.scope_sync(|| of_hits("in a scope", 0, || drop(current("my-post"))));
}

#[test]
fn a_hit_in_the_near_cache_allocates_only_the_clone_of_its_value() {
    let server = RedisServer::start();
    // A busy machine must not empty the near cache.
    let cache = Cache::builder()
        .redis(server.url())
        .response_timeout(PATIENCE)
        .near_max_silence(Duration::from_secs(60))
        .near_cache(1 << 20)
        .build()
        .unwrap();
    of_all_kinds(&cache, |cache| {
        // Entries computed before their connection tracked keys enter the near cache at a later
        // read, which takes more than one poll.
        let deadline = Instant::now() + Duration::from_secs(60);
        while !are_near(cache) {
            assert!(
                Instant::now() < deadline,
                "the entries are in the near cache"
            );
            fill(cache);
        }
    });
    assert_eq!(cache.stats().errors, 0);
}
