use std::time::{Duration, Instant};

use cache_runtime::{Cache, invalidate};
use redis::AsyncCommands;
use tokio::runtime::Runtime;

use crate::peers::{ours, plain_redis};
use crate::report::{Goal, Table};
use crate::round::{Contender, measure};
use crate::runtimes::all_threads;
use crate::server::Server;
use crate::settings::Settings;
use crate::stats::named;

const BY_HAND: &str = "DEL of known keys, by hand";
const OURS: &str = "cache-runtime, four patterns";
const OURS_BY_KEY: &str = "cache-runtime, delete_many";
const LIFETIME: u64 = 600;

/// A write of a blog: the old and the new name of a post, the lists, and the author's page.
#[invalidate(
    cache = cache,
    patterns = ["posts:<<slug>>:*", "posts:<<title>>:*", "posts:list:*", "users:<<author>>:*"]
)]
async fn rename(cache: &Cache, slug: &str, title: &str, author: usize) {}

/// The keys that such a write removes.
fn keys(id: usize) -> [String; 5] {
    [
        format!("posts:{id}"),
        format!("posts:{id}:comments"),
        format!("posts:{id}-renamed"),
        "posts:list:1".to_owned(),
        format!("users:{id}:page"),
    ]
}

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let (server, runtime) = (Server::start(), all_threads());
    let samples: Vec<_> = measure(settings.plan(60, 100), contenders(&server, &runtime))
        .iter()
        .map(|one| one.map(|ns| ns / 1e3))
        .collect();
    let ratio = named(&samples, OURS).ratio_to(named(&samples, BY_HAND));
    let table = Table::of(
        "write-redis",
        "A write that removes five keys from Redis",
        "µs per write",
        &samples,
        BY_HAND,
    );
    let what = "A write with four patterns / DEL of its keys by hand";
    vec![table.goal(Goal::at_most(what, ratio, 3.0))]
}

fn contenders<'a>(server: &Server, runtime: &'a Runtime) -> Vec<Contender<'a>> {
    let connection = runtime.block_on(plain_redis::connect(&server.url()));
    let cache = ours::redis(&server.url());
    let (by_patterns, by_keys) = (cache.clone(), cache);
    vec![
        each(BY_HAND, runtime, move |id, time| {
            let mut connection = connection.clone();
            Box::pin(async move {
                let keys = keys(id).map(|key| format!("hand:{key}"));
                for key in &keys {
                    let set = connection.set_ex::<_, _, ()>(key, "a value", LIFETIME);
                    set.await.expect("the server answers");
                }
                time.start();
                let removed: u64 = connection.del(&keys).await.expect("the server answers");
                time.stop();
                assert_eq!(removed, 5);
            })
        }),
        each(OURS, runtime, move |id, time| {
            let cache = by_patterns.clone();
            Box::pin(async move {
                store(&cache, id).await;
                time.start();
                rename(&cache, &id.to_string(), &format!("{id}-renamed"), id).await;
                time.stop();
            })
        }),
        each(OURS_BY_KEY, runtime, move |id, time| {
            let cache = by_keys.clone();
            Box::pin(async move {
                store(&cache, id).await;
                time.start();
                let removed = cache.delete_many(keys(id)).await;
                time.stop();
                assert_eq!(removed.expect("the server answers"), 5);
            })
        }),
    ]
}

async fn store(cache: &Cache, id: usize) {
    let entries = keys(id).map(|key| (key, "a value".to_owned()));
    let stored = cache.set_many(entries, LIFETIME).await;
    stored.expect("the server answers");
}

/// The time of the writes alone, without what prepares them.
#[derive(Default)]
struct Stopwatch {
    started: Option<Instant>,
    sum: Duration,
}

impl Stopwatch {
    fn start(&mut self) {
        self.started = Some(Instant::now());
    }

    fn stop(&mut self) {
        self.sum += self
            .started
            .take()
            .map_or(Duration::ZERO, |at| at.elapsed());
    }
}

type Write<'w> = std::pin::Pin<Box<dyn Future<Output = ()> + 'w>>;

/// A contender that prepares and times each write.
fn each<'a>(
    name: &str,
    runtime: &'a Runtime,
    write: impl for<'w> Fn(usize, &'w mut Stopwatch) -> Write<'w> + 'a,
) -> Contender<'a> {
    Contender::timed(name, move |ids| {
        let mut time = Stopwatch::default();
        runtime.block_on(async {
            for &id in ids {
                write(id, &mut time).await;
            }
        });
        time.sum
    })
}
