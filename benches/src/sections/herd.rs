use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ::hitbox::concurrency::BroadcastConcurrencyManager;
use ::hitbox::policy::{ConcurrencyLimit, PolicyConfig};
use tokio::runtime::Runtime;

use crate::model::LIFETIME;
use crate::peers::{cached, hitbox, ours};
use crate::report::Table;
use crate::round::{Contender, measure};
use crate::runtimes::all_threads;
use crate::server::Server;
use crate::settings::Settings;
use crate::slow_query::RUNS;
use crate::stats::quantile;

const CALLERS: usize = 1_000;
const OURS: &str = "cache-runtime, memory";

type Runs = RefCell<BTreeMap<String, Vec<f64>>>;

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let (server, runtime, runs) = (Server::start(), all_threads(), Runs::default());
    let (memory, redis) = (ours::memory(), ours::redis(&server.url()));
    let one = ConcurrencyLimit::new(1).expect("1 is within its bounds");
    let policy = PolicyConfig::builder()
        .ttl(Duration::from_secs(LIFETIME))
        .concurrency(one);
    let hitbox = Arc::new(
        hitbox_fn::Cache::builder()
            .backend(hitbox::memory())
            .policy(policy.build())
            .concurrency_manager(BroadcastConcurrencyManager::new())
            .build(),
    );
    let ours = |cache: cache_runtime::Cache| {
        move |id| {
            let cache = cache.clone();
            async move { drop(ours::herd(&cache, id).await) }
        }
    };
    let contenders = vec![
        stampede(OURS, &runtime, &runs, ours(memory)),
        stampede("cache-runtime, Redis", &runtime, &runs, ours(redis)),
        stampede(
            "cached, sync_writes = \"by_key\"",
            &runtime,
            &runs,
            |id| async move {
                drop(cached::herd(id).await);
            },
        ),
        stampede("cached, concurrent", &runtime, &runs, |id| async move {
            drop(cached::herd_unsaid(id).await);
        }),
        stampede("hitbox, concurrency(1)", &runtime, &runs, move |id| {
            let hitbox = Arc::clone(&hitbox);
            async move { drop(hitbox::herd(id as u64).cache(hitbox).await) }
        }),
    ];
    let all = measure(settings.plan(20, 1), contenders);
    let all: Vec<_> = all.iter().map(|one| one.map(|ns| ns / 1e6)).collect();
    let title = "Stampede: 1,000 callers of one missing key, body of 20 ms";
    let mut table = Table::of(
        "herd",
        title,
        "ms until the last caller returns",
        &all,
        OURS,
    );
    let runs = runs.borrow();
    table.remark("body runs", |name| {
        format!("{:.0}", quantile(&runs[name], 0.5))
    });
    vec![table]
}

/// Build a contender whose batch is one stampede on a key of its own.
fn stampede<'a, F>(
    name: &str,
    runtime: &'a Runtime,
    runs: &'a Runs,
    call: impl Fn(usize) -> F + 'a,
) -> Contender<'a>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut id, of) = (0, name.to_owned());
    Contender::timed(name, move |_| {
        id += 1;
        RUNS.store(0, Ordering::Relaxed);
        let elapsed = runtime.block_on(async {
            let started = Instant::now();
            let tasks: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(call(id))).collect();
            for task in tasks {
                task.await.expect("the task doesn't panic");
            }
            started.elapsed()
        });
        let count = RUNS.load(Ordering::Relaxed) as f64;
        runs.borrow_mut().entry(of.clone()).or_default().push(count);
        elapsed
    })
}
