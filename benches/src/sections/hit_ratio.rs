use std::time::Duration;

use cache_runtime::{Cache, Clock, Eviction};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::model::Sequence;
use crate::report::table::figure;
use crate::report::{Goal, Table};
use crate::settings::Settings;
use crate::traces::{self, Trace};

/// Capacities, in percent of the distinct keys or of their bytes.
const SIZES: [usize; 3] = [2, 10, 30];
const OURS: &str = "cache-runtime";
const PEERS: [&str; 2] = ["quick_cache", "moka"];
/// Longer than a run.
const TTL: Duration = Duration::from_secs(1 << 31);

/// Size and cost of the value of a key.
#[derive(Clone, Copy)]
struct Item {
    /// Length of the value.
    len: usize,
    micros: u64,
}

/// A cache that a trace is run against.
trait Contender {
    /// Ask for a key, and store it if it isn't cached. Return whether it was.
    fn ask(&mut self, key: u32, item: Item) -> bool;
}

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let traces = traces::all(settings.traces, settings.quick);
    let weight = Ours::weight_of_an_empty_value();
    vec![hit_ratios(&traces, weight), compute_times(&traces, weight)]
        .into_iter()
        .flatten()
        .collect()
}

/// Compare hit ratios with equal numbers of entries of equal size.
fn hit_ratios(traces: &[Trace], weight: usize) -> [Table; 2] {
    let item = Item { len: 0, micros: 0 };
    let mut rows = Vec::new();
    for trace in traces {
        for size in SIZES {
            let entries = (trace.distinct * size).div_ceil(100);
            let of = |contender: &mut dyn Contender| {
                let hits = trace.keys.iter().filter(|key| contender.ask(**key, item));
                100.0 * hits.count() as f64 / trace.keys.len() as f64
            };
            let ours = of(&mut Ours::new(entries * weight, Eviction::HitRatio));
            let peers = [
                of(&mut Quick::new(entries, entries, 1)),
                of(&mut Moka::by_entries(entries)),
            ];
            rows.push((format!("{}, {size} %", trace.name), ours, peers));
        }
    }
    let means = means(&rows);
    let best = means.1[0].max(means.1[1]);
    let behind = rows
        .iter()
        .map(|(_, ours, peers)| peers[0].max(peers[1]) - ours);
    let behind = behind.fold(0.0, f64::max);
    let mut mean = Table::new(
        "hit-ratio",
        "Mean hit ratio over all traces and capacities",
        "% (more is better)",
    )
    .goal(Goal::at_least(
        "mean hit ratio / the better peer's",
        means.0 / best,
        1.02,
    ))
    .goal(Goal::at_most(
        "hit ratio behind the better peer, at worst, points",
        behind,
        2.0,
    ));
    push_all(&mut mean, means);
    let title = "Hit ratio by trace and capacity";
    let mut each = Table::new("hit-ratio-each", title, "% (more is better)");
    push_each(&mut each, &rows);
    [mean, each]
}

/// Compare the time that is spent on computing values, with sizes and times by a heavy-tailed
/// distribution, and equal numbers of bytes.
fn compute_times(traces: &[Trace], weight: usize) -> [Table; 2] {
    let mut rows = Vec::new();
    for trace in traces {
        let items = items(trace.distinct);
        let weights = items.iter().map(|item| weight + item.len);
        let all: usize = weights.sum();
        for size in SIZES {
            let capacity = all * size / 100;
            let entries = (trace.distinct * size).div_ceil(100);
            let of = |contender: &mut dyn Contender| {
                let mut micros = 0;
                for key in &trace.keys {
                    let item = items[*key as usize];
                    if !contender.ask(*key, item) {
                        micros += item.micros;
                    }
                }
                micros as f64 / 1e6
            };
            let ours = of(&mut Ours::new(capacity, Eviction::ComputeTime));
            let peers = [
                of(&mut Quick::new(capacity, entries, weight)),
                of(&mut Moka::new(capacity, weight)),
            ];
            let least = peers[0].min(peers[1]);
            let peers = peers.map(|peer| peer / least);
            rows.push((format!("{}, {size} %", trace.name), ours / least, peers));
        }
    }
    let means = means(&rows);
    let unit = "of the better peer's";
    let mut mean = Table::new(
        "hit-ratio-compute-time",
        "Time spent on computing, mean over all traces and capacities",
        unit,
    )
    .goal(Goal::at_most(
        "time spent on computing / the better peer's",
        means.0,
        0.85,
    ));
    push_all(&mut mean, means);
    let title = "Time spent on computing by trace and capacity";
    let mut each = Table::new("hit-ratio-compute-time-each", title, unit);
    push_each(&mut each, &rows);
    [mean, each]
}

/// Draw the size and the compute time of each key by a lognormal distribution.
fn items(count: usize) -> Vec<Item> {
    let mut random = Sequence::new(977);
    let mut unit = || (random.next_below(1 << 30) as f64 + 1.0) / f64::from(1 << 30);
    // Box and Muller, 1958.
    let mut normal = || (-2.0 * unit().ln()).sqrt() * (std::f64::consts::TAU * unit()).cos();
    let item = |_| Item {
        len: (1_000.0 * (1.2 * normal()).exp()).min(1e6) as usize,
        micros: (5_000.0 * (1.5 * normal()).exp()) as u64,
    };
    (0..count).map(item).collect()
}

type Row = (String, f64, [f64; 2]);

fn means(rows: &[Row]) -> (f64, [f64; 2]) {
    let mean = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
    (
        mean(&|row| row.1),
        [mean(&|row| row.2[0]), mean(&|row| row.2[1])],
    )
}

fn push_all(table: &mut Table, (ours, peers): (f64, [f64; 2])) {
    table.push(OURS, ours, None);
    for (name, figure) in PEERS.iter().zip(peers) {
        table.push(name, figure, None);
    }
}

fn push_each(table: &mut Table, rows: &[Row]) {
    table.remarks = Some(PEERS.join(", "));
    for (name, ours, peers) in rows {
        let peers = peers.map(figure).join(", ");
        table.push(&format!("{OURS}, {name}"), *ours, Some(peers));
    }
}

/// Our memory store. Its clock is moved by the time that a value takes to compute.
struct Ours {
    cache: Cache,
    clock: Clock,
}

impl Ours {
    fn new(capacity: usize, eviction: Eviction) -> Self {
        let clock = Clock::manual();
        let builder = Cache::builder()
            .memory_capacity(capacity)
            .eviction(eviction)
            .clock(clock.clone());
        let cache = builder.build().expect("the settings are valid");
        Self { cache, clock }
    }

    /// Return the weight of an entry without its value's bytes.
    fn weight_of_an_empty_value() -> usize {
        let mut one = Self::new(1 << 20, Eviction::default());
        one.ask(0, Item { len: 0, micros: 0 });
        one.cache.stats().bytes as usize
    }
}

impl Contender for Ours {
    fn ask(&mut self, key: u32, item: Item) -> bool {
        let mut hit = true;
        let _: String = self
            .cache
            .blocking()
            .get_or_set(&format!("{key:08}"), TTL, || {
                hit = false;
                self.clock.advance(Duration::from_micros(item.micros));
                "x".repeat(item.len)
            });
        hit
    }
}

struct Quick {
    cache: quick_cache::sync::Cache<u32, usize, Length>,
    weight: usize,
}

#[derive(Clone)]
struct Length;

impl Weighter<u32, usize> for Length {
    fn weight(&self, _: &u32, weight: &usize) -> u64 {
        *weight as u64
    }
}

impl Quick {
    /// One shard, which has more hits than several.
    fn new(capacity: usize, entries: usize, weight: usize) -> Self {
        let mut options = OptionsBuilder::new();
        options
            .shards(1)
            .estimated_items_capacity(entries)
            .weight_capacity(capacity as u64);
        let options = options.build().expect("the settings are valid");
        let hasher = DefaultHashBuilder::default();
        let cache =
            quick_cache::sync::Cache::with_options(options, Length, hasher, Default::default());
        Self { cache, weight }
    }
}

impl Contender for Quick {
    fn ask(&mut self, key: u32, item: Item) -> bool {
        let hit = self.cache.get(&key).is_some();
        if !hit {
            self.cache.insert(key, self.weight + item.len);
        }
        hit
    }
}

struct Moka {
    cache: moka::sync::Cache<u32, u32>,
    weight: usize,
}

impl Moka {
    /// Without a weigher, which has more hits than one that gives each entry the weight 1.
    fn by_entries(entries: usize) -> Self {
        Self {
            cache: moka::sync::Cache::new(entries as u64),
            weight: 1,
        }
    }

    fn new(capacity: usize, weight: usize) -> Self {
        let builder = moka::sync::Cache::builder()
            .max_capacity(capacity as u64)
            .weigher(|_, weight: &u32| *weight);
        Self {
            cache: builder.build(),
            weight,
        }
    }
}

impl Contender for Moka {
    fn ask(&mut self, key: u32, item: Item) -> bool {
        let hit = self.cache.get(&key).is_some();
        if !hit {
            self.cache.insert(key, (self.weight + item.len) as u32);
        }
        // Otherwise the outcome would depend on when its maintenance happens to run.
        self.cache.run_pending_tasks();
        hit
    }
}
