use std::sync::Arc;

use cache_runtime::Cache;

use crate::model::{ENTRIES, Post, READY, ROOM, SLUGS};
use crate::peers::{cached, hitbox, moka, ours, quick_cache};
use crate::report::{Goal, Table};
use crate::round::{Contender, measure};
use crate::runtimes::one_thread;
use crate::settings::Settings;
use crate::stats::named;

const READY_KEY: &str = "quick_cache, prebuilt key";
const READY_VALUE: &str = "quick_cache, prebuilt key, by value";
const OURS: &str = "cache-runtime, Arc";
const OURS_ASYNC: &str = "cache-runtime, Arc, async";
const OURS_VALUE: &str = "cache-runtime, by value";
const CACHED: &str = "cached, concurrent, Arc";
const CACHED_UNBOUNDED: &str = "cached, concurrent, unbounded, Arc";
const CACHED_VALUE: &str = "cached, concurrent, by value";

pub(super) fn run(settings: Settings) -> Vec<Table> {
    ours::install();
    let (runtime, plain, ready) = (
        one_thread(),
        quick_cache::store(ROOM),
        quick_cache::store(ROOM),
    );
    let moka = moka::store(ROOM);
    let hitbox = hitbox_fn::Cache::builder()
        .backend(hitbox::memory())
        .policy(hitbox::policy())
        .build();
    let values = ::quick_cache::sync::Cache::new(ROOM);
    for (key, slug) in READY.iter().zip(SLUGS.iter()) {
        ready.insert(key.clone(), Arc::new(Post::of(slug)));
    }
    for (key, slug) in READY.iter().zip(SLUGS.iter()) {
        values.insert(key.clone(), Post::of(slug));
    }
    let slug = |key: usize| SLUGS[key].as_str();
    let contenders = vec![
        Contender::call(READY_KEY, |key| ready.get(READY[key].as_str())),
        Contender::call("quick_cache, formatted key", |key| {
            quick_cache::shared(&plain, slug(key))
        }),
        Contender::call("moka, formatted key", |key| moka::shared(&moka, slug(key))),
        Contender::call(OURS, |key| ours::shared(slug(key))),
        Contender::future(OURS_ASYNC, &runtime, |key| ours::shared_async(slug(key))),
        Contender::call(CACHED, |key| cached::shared(slug(key))),
        Contender::future("cached, concurrent, Arc, async", &runtime, |key| {
            cached::shared_async(slug(key))
        }),
        Contender::call(CACHED_UNBOUNDED, |key| cached::unbounded(slug(key))),
        Contender::call("cached, one lock, Arc", |key| cached::one_lock(slug(key))),
        Contender::call(READY_VALUE, |key| values.get(READY[key].as_str())),
        Contender::call(OURS_VALUE, |key| ours::value(slug(key))),
        Contender::future("cache-runtime, by value, async", &runtime, |key| {
            ours::value_async(slug(key))
        }),
        Contender::call(CACHED_VALUE, |key| cached::value(slug(key))),
        Contender::call("cached, concurrent, unbounded, by value", |key| {
            cached::value_unbounded(slug(key))
        }),
        Contender::future("hitbox on moka, by value, async", &runtime, |key| {
            // The macro wants arguments that it can keep.
            let call = hitbox::value(SLUGS[key].clone()).cache(&hitbox);
            async move { call.await }
        })
        .thinned(5),
    ];
    let before = Cache::current().stats().misses;
    let plan = settings.plan(150, 5_000);
    let all = measure(plan.over_all_keys().warmed(), contenders);
    let missed = Cache::current().stats().misses - before;
    assert!(missed <= 4 * ENTRIES as u64, "misses were measured as hits");
    let of = |name| named(&all, name);
    let table = Table::of(
        "memory-hit",
        "Memory hit among 10,000 posts of 1 KB",
        "ns per call",
        &all,
        READY_KEY,
    )
    .goal(Goal::at_most(
        "memory hit on Arc / cached, concurrent",
        of(OURS).ratio_to(of(CACHED)),
        0.75,
    ))
    .goal(Goal::at_most(
        "memory hit on Arc / cached, concurrent, unbounded",
        of(OURS).ratio_to(of(CACHED_UNBOUNDED)),
        0.75,
    ))
    .goal(Goal::at_most(
        "memory hit on Arc / quick_cache, prebuilt key",
        of(OURS).ratio_to(of(READY_KEY)),
        1.6,
    ))
    .goal(Goal::at_most(
        "async hit - sync hit, ns",
        of(OURS_ASYNC).above(of(OURS)),
        30.0,
    ))
    .goal(Goal::at_most(
        "memory hit by value / cached, concurrent",
        of(OURS_VALUE).ratio_to(of(CACHED_VALUE)),
        0.85,
    ));
    vec![table]
}
