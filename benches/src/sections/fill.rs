use std::sync::Arc;
use std::time::Instant;

use crate::model::Post;
use crate::peers::quick_cache::Indexed;
use crate::peers::{cached, moka, ours, quick_cache};
use crate::report::table::figure;
use crate::report::{Goal, Table};
use crate::round::{Contender, Plan, measure};
use crate::settings::Settings;
use crate::stats::named;

const BARE: &str = "quick_cache insert";
const OURS: &str = "cache-runtime, with its index";

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let sizes = [
        ("fill-10k", 10_000),
        ("fill-1m", settings.of(1_000_000, 50_000)),
    ];
    sizes
        .into_iter()
        .map(|(name, size)| at(name, size, settings.plan(60, 1_000)))
        .collect()
}

fn at(name: &str, size: usize, plan: Plan) -> Table {
    let post = &Arc::new(Post::of("a-post"));
    let cache = &ours::memory();
    let plain = &quick_cache::store(size * 2);
    let indexed = &Indexed::new(size * 2);
    let moka = &moka::store(size * 2);
    let key = |id: usize| format!("posts:{id}");
    let blocking = cache.blocking();
    let contenders = vec![
        filling(
            BARE,
            size,
            |id| plain.insert(key(id), Arc::clone(post)),
            |id| {
                plain.remove(&key(id));
            },
        ),
        filling(
            "quick_cache and BTreeMap insert",
            size,
            |id| indexed.insert(key(id), Arc::clone(post)),
            |id| {
                indexed.remove(&key(id));
            },
        ),
        filling(
            OURS,
            size,
            |id| drop(ours::fill(cache, id, post)),
            move |id| {
                blocking.delete(&key(id)).expect("memory doesn't fail");
            },
        ),
        filling(
            "cached, concurrent",
            size,
            |id| drop(cached::fill(id, post)),
            cached::remove_fill,
        ),
        filling(
            "moka insert",
            size,
            |id| moka.insert(key(id), Arc::clone(post)),
            |id| {
                moka.invalidate(&key(id));
            },
        ),
    ];
    let all = measure(plan, contenders);
    cached::clear_fills();
    let size = figure(size as f64);
    let title = format!("Insert an entry in memory, beside {size} others");
    let ratio = named(&all, OURS).ratio_to(named(&all, BARE));
    Table::of(name, &title, "ns per call", &all, BARE).goal(Goal::at_most(
        &format!("insert beside {size} entries / quick_cache insert"),
        ratio,
        4.0,
    ))
}

/// Insert `size` entries first, untimed. Then time new ones, which are removed after each batch so
/// that the size stays the same.
fn filling<'a>(
    name: &str,
    size: usize,
    mut insert: impl FnMut(usize) + 'a,
    mut remove: impl FnMut(usize) + 'a,
) -> Contender<'a> {
    (0..size).for_each(&mut insert);
    Contender::timed(name, move |keys| {
        let new = size..size + keys.len();
        let started = Instant::now();
        new.clone().for_each(&mut insert);
        let elapsed = started.elapsed();
        new.for_each(&mut remove);
        elapsed
    })
}
