//! A memory hit as a program has it: several functions in one store, and other code has used the
//! processor's caches meanwhile.

use std::cell::Cell;
use std::sync::Arc;

use crate::model::{ENTRIES, Post, ROOM, SLUGS};
use crate::peers::{cached, moka, ours, quick_cache};
use crate::report::{Goal, Table};
use crate::round::{Contender, measure};
use crate::runtimes::one_thread;
use crate::settings::Settings;
use crate::stats::named;

const FUNCTIONS: usize = 3;
const NAMES: [&str; FUNCTIONS] = ["posts", "pages", "feeds"];

const READY_KEY: &str = "quick_cache, prebuilt key";
const OURS: &str = "cache-runtime, Arc";
const OURS_ASYNC: &str = "cache-runtime, Arc, async";
const OURS_VALUE: &str = "cache-runtime, by value";
const CACHED: &str = "cached, concurrent, Arc";
const CACHED_VALUE: &str = "cached, concurrent, by value";

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let runtime = one_thread();
    let (ready, moka) = (
        quick_cache::store(FUNCTIONS * ROOM),
        moka::store(FUNCTIONS * ROOM),
    );
    let keys = NAMES
        .map(|name| -> Vec<String> { SLUGS.iter().map(|slug| format!("{name}:{slug}")).collect() });
    // All entries first, function by function, so that only hits are measured.
    for (which, keys) in keys.iter().enumerate() {
        for (key, slug) in keys.iter().zip(SLUGS.iter()) {
            let post = || Arc::new(Post::of(slug));
            ready.insert(key.clone(), post());
            moka.insert(key.clone(), post());
            ours::SHARED_IN_ONE_STORE[which](slug);
            ours::VALUES_IN_ONE_STORE[which](slug);
            cached::THREE_SHARED[which](slug);
            cached::THREE_VALUES[which](slug);
        }
    }
    let turn = Cell::new(0);
    let next = || turn.replace((turn.get() + 1) % FUNCTIONS);
    let slug = |key: usize| SLUGS[key].as_str();
    let contenders = vec![
        Contender::call(READY_KEY, |key| ready.get(keys[next()][key].as_str())),
        Contender::call("moka, formatted key", |key| {
            moka.get(&format!("{}:{}", NAMES[next()], slug(key)))
        }),
        Contender::call(OURS, |key| ours::SHARED_IN_ONE_STORE[next()](slug(key))),
        Contender::future(OURS_ASYNC, &runtime, |key| {
            ours::shared_in_one_store(next(), slug(key))
        }),
        Contender::call(CACHED, |key| cached::THREE_SHARED[next()](slug(key))),
        Contender::call(OURS_VALUE, |key| {
            ours::VALUES_IN_ONE_STORE[next()](slug(key))
        }),
        Contender::call(CACHED_VALUE, |key| cached::THREE_VALUES[next()](slug(key))),
    ];
    let all = measure(settings.plan(300, 2_000), contenders);
    let missed = ours::misses_in_one_store();
    assert_eq!(
        missed,
        2 * (FUNCTIONS * ENTRIES) as u64,
        "misses were measured as hits"
    );
    let of = |name| named(&all, name);
    let table = Table::of(
        "one-store",
        "Memory hit of three functions that share a store of 30,000 posts of 1 KB",
        "ns per call",
        &all,
        READY_KEY,
    )
    .goal(Goal::at_most(
        "hit on Arc in a shared store / cached, concurrent",
        of(OURS).ratio_to(of(CACHED)),
        0.75,
    ))
    .goal(Goal::at_most(
        "hit on Arc in a shared store / quick_cache, prebuilt key",
        of(OURS).ratio_to(of(READY_KEY)),
        1.6,
    ))
    .goal(Goal::at_most(
        "hit by value in a shared store / cached, concurrent",
        of(OURS_VALUE).ratio_to(of(CACHED_VALUE)),
        0.85,
    ));
    vec![table]
}
