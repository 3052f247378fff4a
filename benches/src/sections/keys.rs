use crate::model::{FILTERS, ROOM, SLUGS};
use crate::peers::{cached, ours, quick_cache};
use crate::report::Table;
use crate::round::{Contender, measure};
use crate::settings::Settings;

const ONE: &str = "cache-runtime, one placeholder";

pub(super) fn run(settings: Settings) -> Vec<Table> {
    ours::install();
    let (one, three) = (quick_cache::store(ROOM), quick_cache::store(ROOM));
    let hashed = ::quick_cache::sync::Cache::new(ROOM);
    let slug = |key: usize| SLUGS[key].as_str();
    let page = |key: usize| key as u32 % 100;
    let contenders = vec![
        Contender::call(ONE, |key| ours::shared(slug(key))),
        Contender::call("cache-runtime, three placeholders", |key| {
            ours::three("databases", slug(key), page(key))
        }),
        Contender::call("cache-runtime, a hashed struct", |key| {
            ours::hashed(&FILTERS[key])
        }),
        Contender::call("cached, one argument", |key| cached::shared(slug(key))),
        Contender::call("cached, three arguments", |key| {
            cached::three("databases", slug(key), page(key))
        }),
        Contender::call("cached, a cloned struct", |key| {
            cached::hashed(&FILTERS[key])
        }),
        Contender::call("quick_cache, one in format!", |key| {
            quick_cache::shared(&one, slug(key))
        }),
        Contender::call("quick_cache, three in format!", |key| {
            quick_cache::three(&three, "databases", slug(key), page(key))
        }),
        Contender::call("quick_cache, a struct as key", |key| {
            quick_cache::hashed(&hashed, &FILTERS[key])
        }),
    ];
    let all = measure(
        settings.plan(150, 5_000).over_all_keys().warmed(),
        contenders,
    );
    vec![Table::of(
        "keys",
        "Cost of the key: a memory hit on Arc",
        "ns per call",
        &all,
        ONE,
    )]
}
