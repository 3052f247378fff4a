use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::Instant;

use crate::model::{ROOM, SLUGS};
use crate::peers::{cached, moka, ours, quick_cache};
use crate::report::table::figure;
use crate::report::{Goal, Table};
use crate::round::{Contender, measure};
use crate::settings::Settings;
use crate::stats::named;

const OURS: &str = "cache-runtime";
const BARE: &str = "quick_cache, prebuilt key";
const NAMES: [&str; 5] = [
    BARE,
    "quick_cache, formatted key",
    OURS,
    "cached, concurrent",
    "moka, formatted key",
];

pub(super) fn run(settings: Settings) -> Vec<Table> {
    ours::install();
    let (slug, ready) = (SLUGS[0].as_str(), "posts:hot");
    let (plain, moka) = (quick_cache::store(ROOM), moka::store(ROOM));
    plain.insert(ready.to_owned(), quick_cache::shared(&plain, slug));
    let calls: [Box<dyn Fn(usize) + Sync>; 5] = [
        Box::new(|count| repeat(count, || plain.get(ready))),
        Box::new(|count| repeat(count, || quick_cache::shared(&plain, slug))),
        Box::new(|count| repeat(count, || ours::shared(slug))),
        Box::new(|count| repeat(count, || cached::shared(slug))),
        Box::new(|count| repeat(count, || moka::shared(&moka, slug))),
    ];
    let contenders = NAMES.iter().zip(&calls).flat_map(|(name, calls)| {
        [1, 2].map(|threads| {
            let name = format!(
                "{name}, {threads} thread{}",
                if threads == 1 { "" } else { "s" }
            );
            Contender::timed(&name, move |keys| {
                together(threads, keys.len(), calls.as_ref())
            })
        })
    });
    let all = measure(settings.plan(60, 20_000), contenders.collect());
    let growth = |name: &str| {
        let one = named(&all, &format!("{name}, 1 thread"));
        named(&all, &format!("{name}, 2 threads")).ratio_to(one)
    };
    let title = "Two threads on one hot key";
    let mut table = Table::of(
        "two-threads",
        title,
        "ns per call, on each thread",
        &all,
        &format!("{BARE}, 1 thread"),
    )
    .goal(Goal::at_most(
        "slowdown from one thread to two / quick_cache's",
        growth(OURS) / growth(BARE),
        1.0,
    ));
    table.remark("vs one thread", |row| {
        row.strip_suffix(", 2 threads")
            .map_or_else(String::new, |name| figure(growth(name)))
    });
    vec![table]
}

/// Call in a loop. The loop is in here, so that the indirect call is timed once for all.
fn repeat<T>(count: usize, call: impl Fn() -> T) {
    for _ in 0..count {
        black_box(call());
    }
}

/// Measure from the start of the first thread to the end of the last.
fn together(threads: usize, count: usize, calls: &(dyn Fn(usize) + Sync)) -> std::time::Duration {
    let barrier = Arc::new(Barrier::new(threads));
    std::thread::scope(|scope| {
        let start = |_| {
            let barrier = Arc::clone(&barrier);
            scope.spawn(move || {
                barrier.wait();
                let started = Instant::now();
                calls(count);
                (started, Instant::now())
            })
        };
        let running: Vec<_> = (0..threads).map(start).collect();
        let times: Vec<_> = running
            .into_iter()
            .map(|thread| thread.join().expect("the task doesn't panic"))
            .collect();
        let first = times.iter().map(|(started, _)| *started).min();
        let last = times.iter().map(|(_, ended)| *ended).max();
        last.zip(first)
            .map_or_else(Default::default, |(last, first)| last - first)
    })
}
