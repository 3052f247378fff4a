use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::runtime::Runtime;

use crate::model::{Post, SLUGS};
use crate::peers::{cached, hitbox, ours, plain_redis};
use crate::report::{Goal, Table};
use crate::round::{Contender, Plan, measure};
use crate::runtimes::all_threads;
use crate::server::Server;
use crate::settings::Settings;
use crate::stats::named;

const BY_HAND: &str = "redis by hand";
const OURS: &str = "cache-runtime";

/// Use one server and one runtime for all tables: the store that `cached`'s macro makes is a
/// `static`.
pub(super) fn run(settings: Settings) -> Vec<Table> {
    let (server, runtime) = (Server::start(), all_threads());
    cached::URL.get_or_init(|| server.url());
    let entries_alone = settings.plan(0, 0).over_all_keys().without_rounds();
    measure(entries_alone, contenders(&server, &runtime, 64, old));
    let crowds = [(1, 60, 1_000), (64, 40, 6_400), (512, 40, 10_240)];
    let mut tables: Vec<Table> = crowds
        .into_iter()
        .map(|(callers, rounds, batch)| {
            let plan = settings.plan(rounds, settings.of(batch, batch / 10));
            hits(&server, &runtime, callers, plan)
        })
        .collect();
    for (callers, batch, bound) in [(1, 200, 1.15), (64, 6_400, 1.0)] {
        let plan = settings.plan(40, settings.of(batch, batch / 10));
        tables.push(fill(&server, &runtime, callers, plan, bound));
    }
    tables
}

/// Return the slug of a stored entry.
fn old(key: usize) -> String {
    SLUGS[key].clone()
}

fn hits(server: &Server, runtime: &Runtime, callers: usize, plan: Plan) -> Table {
    let before = server.info("keyspace_misses");
    let samples = measure(plan, contenders(server, runtime, callers, old));
    let missed = server.info("keyspace_misses") - before;
    // A few come from new connections.
    assert!(missed < 100, "{missed} misses were measured as hits");
    let rates: Vec<_> = samples.iter().map(|one| one.map(|ns| 1e9 / ns)).collect();
    let name = format!("redis-hit-{callers}");
    let crowd = named_callers(callers);
    let title = format!("Redis hits: GET and decode, {crowd}");
    let table = Table::of(
        &name,
        &title,
        "hits per second (more is better)",
        &rates,
        BY_HAND,
    );
    if callers > 64 {
        return table;
    }
    let ratio = named(&rates, OURS).ratio_to(named(&rates, BY_HAND));
    let what = format!("Redis hits per second / by hand, {crowd}");
    let bound = if callers == 1 { 0.95 } else { 0.97 };
    table.goal(Goal::at_least(&what, ratio, bound))
}

fn named_callers(callers: usize) -> String {
    let s = if callers == 1 { "" } else { "s" };
    format!("{callers} caller{s}")
}

/// Measure misses: look, compute, store. Each slug is new.
fn fill(server: &Server, runtime: &Runtime, callers: usize, plan: Plan, bound: f64) -> Table {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let contenders = contenders(server, runtime, callers, |_| {
        format!("a-new-post-{:07}", NEXT.fetch_add(1, Ordering::Relaxed))
    });
    let all: Vec<_> = measure(plan, contenders)
        .iter()
        .map(|one| one.map(|ns| ns / 1e3))
        .collect();
    let crowd = named_callers(callers);
    let table = Table::of(
        &format!("redis-fill-{callers}"),
        &format!("Redis miss and fill, {crowd}"),
        "µs per call",
        &all,
        BY_HAND,
    );
    let ratio = named(&all, OURS).ratio_to(named(&all, BY_HAND));
    let what = format!("Redis miss and fill / by hand, {crowd}");
    table.goal(Goal::at_most(&what, ratio, bound))
}

fn contenders<'a, S>(
    server: &Server,
    runtime: &'a Runtime,
    callers: usize,
    slug: S,
) -> Vec<Contender<'a>>
where
    S: Fn(usize) -> String + Clone + Send + 'static,
{
    let connection = runtime.block_on(plain_redis::connect(&server.url()));
    let cache = ours::redis(&server.url());
    let hitbox = Arc::new(
        hitbox_fn::Cache::builder()
            .backend(hitbox::redis(&server.url()))
            .policy(hitbox::policy())
            .build(),
    );
    vec![
        crowd(BY_HAND, runtime, callers, &slug, move |slug| {
            let connection = connection.clone();
            async move { plain_redis::value(connection, &slug).await }
        }),
        crowd(OURS, runtime, callers, &slug, move |slug| {
            let cache = cache.clone();
            async move { ours::value_at(&cache, &slug).await }
        }),
        crowd("cached", runtime, callers, &slug, |slug| async move {
            cached::on_redis(&slug).await.expect("the server answers")
        }),
        crowd("hitbox", runtime, callers, &slug, move |slug| {
            let hitbox = Arc::clone(&hitbox);
            async move {
                hitbox::value(slug)
                    .cache(hitbox)
                    .await
                    .unwrap_or_else(|never| match never {})
            }
        }),
    ]
}

/// Build a contender of `callers` tasks that share the keys.
fn crowd<'a, S, F, C>(
    name: &str,
    runtime: &'a Runtime,
    callers: usize,
    slug: &S,
    call: C,
) -> Contender<'a>
where
    S: Fn(usize) -> String + Clone + Send + 'static,
    F: Future<Output = Post> + Send + 'static,
    C: Fn(String) -> F + Clone + Send + 'static,
{
    let slug = slug.clone();
    Contender::timed(name, move |keys| {
        let share = |caller| {
            keys.iter()
                .skip(caller)
                .step_by(callers)
                .map(|key| slug(*key))
                .collect()
        };
        let shares: Vec<Vec<String>> = (0..callers).map(share).collect();
        runtime.block_on(async {
            let started = Instant::now();
            let start = |slugs: Vec<String>| {
                let call = call.clone();
                tokio::spawn(async move {
                    for slug in slugs {
                        black_box(call(slug).await);
                    }
                })
            };
            let tasks: Vec<_> = shares.into_iter().map(start).collect();
            for task in tasks {
                task.await.expect("the task doesn't panic");
            }
            started.elapsed()
        })
    })
}
