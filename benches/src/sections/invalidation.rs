use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{BlockingCache, Cache};

use crate::model::{LIFETIME, Post};
use crate::peers::quick_cache::Indexed;
use crate::peers::{ours, plain_redis, quick_cache};
use crate::report::Table;
use crate::report::table::figure;
use crate::round::{Contender, Plan, measure};
use crate::server::Server;
use crate::settings::Settings;

/// The number of keys that one pattern matches.
const MATCHES: usize = 100;
const OURS: &str = "cache-runtime";
const WALK: &str = "quick_cache, retain";
const SCAN: &str = "SCAN and UNLINK";

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let sizes: &[usize] = if settings.quick {
        &[10_000, 50_000]
    } else {
        &[10_000, 100_000, 1_000_000]
    };
    let plan = |size| settings.plan(if size > 100_000 { 9 } else { 31 }, 1);
    let mut memory = Table::new(
        "invalidation-memory",
        "Invalidate 100 keys by pattern, in memory",
        "µs",
    );
    let mut redis = Table::new(
        "invalidation-redis",
        "Invalidate 100 keys by pattern, on Redis",
        "µs",
    );
    for &size in sizes {
        append(&mut memory, size, in_memory(size, plan(size)));
        append(&mut redis, size, on_redis(size, plan(size)));
    }
    memory.reference = Some(format!("{WALK} at the same number of keys"));
    redis.reference = Some(format!("{SCAN} at the same number of keys"));
    vec![memory, redis]
}

fn append(table: &mut Table, size: usize, found: Table) {
    let size = figure(size as f64);
    for mut row in found.rows {
        row.name = format!("{}, {size} keys", row.name);
        table.rows.push(row);
    }
}

fn in_memory(size: usize, plan: Plan) -> Table {
    let post = &Arc::new(Post::of("a-post"));
    let (plain, indexed) = (&quick_cache::store(size * 2), &Indexed::new(size * 2));
    let cache = ours::memory().blocking();
    let contenders = vec![
        ours(&cache, size),
        removing(
            WALK,
            size,
            |ids| ids.for_each(|id| plain.insert(key(id), Arc::clone(post))),
            |group| {
                let prefix = prefix(group);
                plain.retain(|key, _| !key.starts_with(&prefix));
            },
        ),
        removing(
            "quick_cache and BTreeMap",
            size,
            |ids| ids.for_each(|id| indexed.insert(key(id), Arc::clone(post))),
            |group| {
                let (from, to) = (prefix(group), format!("posts:{group};"));
                let found: Vec<String> = {
                    let index = indexed.index.lock().expect("no thread panics");
                    index.range(from..to).map(|(key, ())| key.clone()).collect()
                };
                found.iter().for_each(|key| indexed.remove(key));
            },
        ),
    ];
    table(plan, contenders, WALK)
}

fn on_redis(size: usize, plan: Plan) -> Table {
    let server = Server::start();
    let cache: Cache = ours::redis(&server.url());
    let (cache, mut scanning, mut listing) = (cache.blocking(), server.connect(), server.connect());
    let again = |ids| store(&cache, ids);
    let contenders = vec![
        ours(&cache, size),
        removing(SCAN, 0, again, move |group| {
            plain_redis::scan_and_unlink(&mut scanning, &format!("app:{}*", prefix(group)));
        }),
        removing("KEYS and UNLINK", 0, again, move |group| {
            plain_redis::list_and_unlink(&mut listing, &format!("app:{}*", prefix(group)));
        }),
    ];
    // All contenders delete from the same keys: each puts them back before the next one's turn.
    table(plan, contenders, SCAN)
}

fn table(plan: Plan, contenders: Vec<Contender<'_>>, reference: &str) -> Table {
    let all: Vec<_> = measure(plan, contenders)
        .iter()
        .map(|one| one.map(|ns| ns / 1e3))
        .collect();
    Table::of("", "", "", &all, reference)
}

fn ours<'a>(cache: &'a BlockingCache, size: usize) -> Contender<'a> {
    removing(
        OURS,
        size,
        |ids| store(cache, ids),
        |group| {
            let removed = cache
                .delete_pattern(&format!("posts:{group}:*"))
                .expect("the store answers");
            assert_eq!(
                removed as usize, MATCHES,
                "the pattern matches its group and nothing else"
            );
        },
    )
}

/// Store `size` keys first. Then each batch deletes a group, and puts it back untimed.
fn removing<'a>(
    name: &str,
    size: usize,
    mut store: impl FnMut(Range<usize>) + 'a,
    mut remove: impl FnMut(usize) + 'a,
) -> Contender<'a> {
    store(0..size);
    // A contender that shares another's keys uses the groups of the smallest size, which exist in
    // all.
    let groups = if size == 0 { 100 } else { size / MATCHES };
    Contender::timed(name, move |keys| {
        let group = keys[0] % groups;
        let started = Instant::now();
        remove(group);
        let elapsed = started.elapsed();
        store(group * MATCHES..(group + 1) * MATCHES);
        elapsed
    })
}

fn store(cache: &BlockingCache, ids: Range<usize>) {
    let ids: Vec<usize> = ids.collect();
    for some in ids.chunks(5_000) {
        let entries = some.iter().map(|id| (key(*id), *id as u64));
        let stored = cache.set_many(entries, Duration::from_secs(LIFETIME));
        stored.expect("the store answers");
    }
}

fn prefix(group: usize) -> String {
    format!("posts:{group}:")
}

fn key(id: usize) -> String {
    format!("{}{id}", prefix(id / MATCHES))
}
