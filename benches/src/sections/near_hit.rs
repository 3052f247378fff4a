use std::time::{Duration, Instant};

use cache_runtime::Cache;
use tokio::runtime::Runtime;

use crate::model::{ENTRIES, SLUGS};
use crate::peers::ours;
use crate::report::{Goal, Table};
use crate::round::{Contender, measure};
use crate::runtimes::{all_threads, as_task};
use crate::server::Server;
use crate::settings::Settings;
use crate::stats::named;

const NEAR: &str = "cache-runtime, near cache";
const MEMORY: &str = "cache-runtime, memory";
const REDIS: &str = "cache-runtime, Redis";

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let (server, runtime) = (Server::start(), all_threads());
    let near = ours::near(&server.url());
    let caches = [near.clone(), ours::memory(), ours::redis(&server.url())];
    let contenders = [NEAR, MEMORY, REDIS]
        .iter()
        .zip(caches)
        .map(|(name, cache)| {
            let contender = hits(name, &runtime, cache);
            // A Redis hit takes several hundred times as long.
            contender.thinned(if *name == REDIS { 20 } else { 1 })
        });
    let contenders = contenders.collect();
    settle(&server, &runtime, &near);
    let all = measure(settings.plan(100, 4_000).warmed(), contenders);
    let of = |name| named(&all, name);
    let title = "A near-cache hit, a memory hit and a Redis hit, one caller";
    let table = Table::of("near-hit", title, "ns per call", &all, MEMORY)
        .goal(Goal::at_least(
            "Redis hit / near-cache hit",
            of(REDIS).ratio_to(of(NEAR)),
            300.0,
        ))
        .goal(Goal::at_most(
            "near-cache hit / memory hit",
            of(NEAR).ratio_to(of(MEMORY)),
            1.3,
        ));
    vec![table]
}

fn hits<'a>(name: &str, runtime: &'a Runtime, cache: Cache) -> Contender<'a> {
    let batch = move |keys: &[usize]| {
        let (cache, keys) = (cache.clone(), keys.to_vec());
        as_task(runtime, async move {
            let started = Instant::now();
            for key in keys {
                std::hint::black_box(ours::shared_at(&cache, &SLUGS[key]).await);
            }
            started.elapsed()
        })
    };
    // All entries are stored before the first round.
    batch(&(0..ENTRIES).collect::<Vec<_>>());
    Contender::timed(name, batch)
}

/// Read until Redis gets no more commands: after a first read an entry may not be in the near cache
/// yet.
fn settle(server: &Server, runtime: &Runtime, near: &Cache) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let before = server.info("total_commands_processed");
        let near = near.clone();
        as_task(runtime, async move {
            for slug in SLUGS.iter() {
                ours::shared_at(&near, slug).await;
            }
        });
        // Heartbeats, and the two `INFO` of this function.
        if server.info("total_commands_processed") - before < 50 {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "the near cache doesn't hold the entries that were read"
        );
    }
}
