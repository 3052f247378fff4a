//! Repeat one kind of call on one thread: `instructions <kind> <times>`. `run.sh` runs it under
//! callgrind with two counts, whose difference is the cost of the calls. Hits in the near cache need
//! a server, `REDIS_URL`.
#![allow(missing_docs)]

mod http;

use std::cell::Cell;
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, cacheable};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Post {
    slug: String,
    title: String,
    tags: Vec<String>,
}

#[derive(Serialize)]
struct Filters {
    author: String,
    tags: Vec<String>,
    page: u32,
}

fn post() -> Post {
    Post {
        slug: SLUG.to_owned(),
        title: "t".repeat(40),
        tags: vec!["rust".to_owned(), "caching".to_owned()],
    }
}

const SLUG: &str = "my-first-post-17";

#[cacheable(key = "posts:<<slug>>", ttl = 3600)]
fn shared(slug: &str) -> Arc<Post> {
    Arc::new(post())
}

/// Read the entry of `shared`.
#[cacheable(key = "posts:<<slug>>", ttl = 3600)]
async fn shared_async(slug: &str) -> Arc<Post> {
    Arc::new(post())
}

#[cacheable(key = "values:<<slug>>", ttl = 3600)]
fn value(slug: &str) -> Post {
    post()
}

#[cacheable(key = "posts:<<topic>>:<<slug>>:<<page>>", ttl = 3600)]
fn three(topic: &str, slug: &str, page: u32) -> Arc<Post> {
    Arc::new(post())
}

#[cacheable(key = "posts:list", ttl = 3600)]
fn hashed(filters: &Filters) -> Arc<Post> {
    Arc::new(post())
}

#[cacheable(key = "options:<<slug>>", ttl = 3600, cache_none = true)]
fn none(slug: &str) -> Option<Arc<Post>> {
    None
}

#[cacheable(key = "stale:<<slug>>", ttl = 3600, stale = 60)]
async fn stale(slug: &str) -> Arc<Post> {
    Arc::new(post())
}

static POST: LazyLock<Arc<Post>> = LazyLock::new(|| Arc::new(post()));

/// A miss whose computation costs next to nothing.
#[cacheable(key = "missing:<<id>>", ttl = 3600)]
fn missing(id: u64) -> Arc<Post> {
    Arc::clone(&POST)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, times] = arguments.as_slice() else {
        panic!("usage: instructions <kind> <times>");
    };
    let times = times.parse().expect("<times> is a number");
    let (place, kind) = kind
        .split_once('-')
        .expect("memory-<kind>, near-<kind>, miss-<kind> or http-<kind>");
    match place {
        "http" => return http::run(kind, times),
        "miss" => return misses(kind, times),
        _ => {}
    }
    cache(place).install().expect("it is the first");
    run(kind, times);
}

fn cache(place: &str) -> Cache {
    let builder = Cache::builder();
    let builder = match place {
        "memory" => builder,
        "near" => {
            let url = std::env::var("REDIS_URL").expect("`REDIS_URL` says where a Redis is");
            // Slow execution under callgrind must not empty the near cache.
            let patient = builder.redis(url).response_timeout(Duration::from_secs(60));
            patient
                .near_cache(1 << 20)
                .near_max_silence(Duration::from_secs(120))
        }
        other => panic!("`{other}` is neither `memory` nor `near`"),
    };
    builder.build().expect("the settings are valid")
}

fn run(kind: &str, times: u64) {
    let filters = Filters {
        author: "alice".to_owned(),
        tags: vec!["rust".to_owned(), "caching".to_owned()],
        page: 3,
    };
    fill(&filters);
    match kind {
        "sync" => counted(times, || shared(SLUG)),
        "async" => counted(times, || polled(shared_async(SLUG))),
        "value" => counted(times, || value(SLUG)),
        "three" => counted(times, || three("rust", SLUG, 7)),
        "hashed" => counted(times, || hashed(&filters)),
        "none" => counted(times, || none(SLUG)),
        "stale" => counted(times, || polled(stale(SLUG))),
        other => panic!("no hit is of kind `{other}`"),
    }
}

/// Count misses in memory: those of a store with room, or those of a full one, of which each evicts
/// an entry.
fn misses(kind: &str, times: u64) {
    let (capacity, filled) = match kind {
        "roomy" => (64 << 20, 1_000),
        "full" => (2 << 20, 12_000),
        other => panic!("no miss is of kind `{other}`"),
    };
    let cache = Cache::builder().memory_capacity(capacity).build();
    let cache = cache.expect("the settings are valid");
    cache.clone().install().expect("it is the first");
    let id = Cell::new(0);
    let call = || missing(id.replace(id.get() + 1));
    for _ in 0..filled {
        call();
    }
    counted(times, call);
    let stats = cache.stats();
    assert_eq!(stats.fills, filled + times, "every call missed");
    let stored = futures_executor::block_on(cache.store_stats());
    let evicted = stored.expect("memory can't fail").evictions;
    assert_eq!(evicted >= times, kind == "full", "{evicted} evicted");
}

/// The loop that callgrind measures, selected by this name.
#[inline(never)]
fn counted<T>(times: u64, call: impl Fn() -> T) {
    for _ in 0..times {
        black_box(call());
    }
}

/// Compute all entries. A call that is ready at its first poll was answered in this process.
fn fill(filters: &Filters) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        shared(SLUG);
        value(SLUG);
        three("rust", SLUG, 7);
        hashed(filters);
        none(SLUG);
        futures_executor::block_on(async {
            shared_async(SLUG).await;
            stale(SLUG).await;
        });
        if polled(shared_async(SLUG)).is_some() && polled(stale(SLUG)).is_some() {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "the entries are in the near cache"
        );
        // Give the pushes time, since each call is slow under callgrind.
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn polled<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
