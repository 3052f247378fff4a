//! Functions of every kind that can be audited.

use std::time::Duration;

use cache_runtime::{Cache, cacheable, context};
use tests::{PATIENCE, RedisServer, on_both_stores, until, until_blocking};

use super::support::{Results, Table, on_both, until_ended, until_settled};
use crate::common::Runs;

#[cacheable(
    key = "kinds:sync:<<id>>",
    audit = 1.0,
    skip(table),
    companions = false
)]
fn sync(table: Table, id: u32) -> u32 {
    table.row(id)
}

#[test]
fn a_blocking_function_is_audited_without_a_runtime() {
    let server = RedisServer::start();
    let builder = || {
        let builder = Cache::builder()
            .prefix("quickpost")
            .response_timeout(PATIENCE);
        builder
            .audit_limit(u32::MAX)
            .clock(cache_runtime::Clock::manual())
    };
    let memory = builder().build().unwrap();
    let redis = builder().redis(server.url()).build().unwrap();
    for cache in [memory, redis] {
        let table = Table::default();
        let read = || cache.scope_sync(|| sync(table.clone(), 1));
        assert_eq!((read(), read()), (0, 0));
        until_blocking("it ends", || Results::of(&cache).ok == 1);
        table.set(1, 5);
        assert_eq!(read(), 0);
        until_blocking("it is found", || {
            cache.clock().advance(Duration::from_millis(500));
            Results::of(&cache).stale == 1
        });
        assert_eq!(table.runs.count(), 5);
    }
}

#[tokio::test]
async fn a_blocking_function_is_audited_on_a_thread_that_may_block() {
    #[cacheable(key = "kinds:blocks", audit = 1.0, skip(runs), companions = false)]
    fn blocks(runs: Runs) -> u32 {
        if runs.next() > 1 {
            // It panics on a thread that drives a runtime.
            tokio::runtime::Handle::current().block_on(tokio::task::yield_now());
        }
        7
    }
    on_both(|cache| async move {
        let runs = Runs::default();
        for _ in 0..2 {
            let (cache, runs) = (cache.clone(), runs.clone());
            let call = move || cache.scope_sync(|| blocks(runs));
            assert_eq!(tokio::task::spawn_blocking(call).await.unwrap(), 7);
        }
        assert_eq!(until_ended(&cache, 1).await.ok, 1);
    })
    .await;
}

#[cacheable(
    key = "kinds:stale:<<id>>",
    audit = 1.0,
    ttl = 600,
    stale = "10m",
    early = true,
    skip(table),
    companions = false
)]
async fn stale(table: Table, id: u32) -> u32 {
    table.row(id)
}

#[cacheable(
    key = "kinds:kept:<<id>>",
    audit = 1.0,
    ttl = 600,
    stale_if_error = "10m",
    refresh = "caller",
    skip(table),
    companions = false
)]
async fn kept(table: Table, id: u32) -> Result<u32, String> {
    Ok(table.row(id))
}

#[cacheable(
    key = "kinds:detached:<<id>>",
    audit = 1.0,
    detached = true,
    skip(table),
    companions = false
)]
async fn detached(table: Table, id: u32) -> u32 {
    table.row(id)
}

#[cacheable(
    key = "kinds:detached-stale:<<id>>",
    audit = 1.0,
    detached = true,
    stale = "1m",
    skip(table),
    companions = false
)]
async fn detached_stale(table: Table, id: u32) -> u32 {
    table.row(id)
}

#[tokio::test]
async fn functions_that_refresh_or_are_detached_are_audited() {
    on_both(|cache| async move {
        let table = Table::default();
        let read = || async {
            // One audit runs at a time: each function has a turn.
            let pause = || tokio::time::sleep(Duration::from_millis(2));
            let one = stale(table.clone(), 1).await;
            pause().await;
            let two = kept(table.clone(), 1).await.unwrap();
            pause().await;
            let three = detached(table.clone(), 1).await;
            pause().await;
            let four = detached_stale(table.clone(), 1).await;
            pause().await;
            [one, two, three, four]
        };
        assert_eq!(read().await, [0; 4]);
        let all = ["stale", "kept", "detached", "detached_stale"];
        let counts = |of: fn(&cache_runtime::observe::FunctionSnapshot) -> u64| {
            let functions = cache.snapshot().functions;
            all.iter().all(|name| {
                let function = format!("{}::{name}", module_path!());
                functions
                    .iter()
                    .any(|one| one.function == function && of(one) > 0)
            })
        };
        until("each is ok", || async {
            assert_eq!(read().await, [0; 4]);
            counts(|one| one.audits_ok)
        })
        .await;
        table.set(1, 3);
        until("each is stale", || async {
            assert_eq!(read().await, [0; 4]);
            cache.clock().advance(Duration::from_millis(100));
            counts(|one| one.audits_stale)
        })
        .await;
        assert_eq!(cache.audits().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_stale_value_is_refreshed_and_not_audited() {
    let clock = cache_runtime::Clock::manual();
    let builder = super::support::audited(Cache::builder(), &clock);
    let cache = builder.build().unwrap();
    let test = async {
        let table = Table::default();
        stale(table.clone(), 1).await;
        table.set(1, 3);
        clock.advance(Duration::from_secs(601));
        assert_eq!(stale(table.clone(), 1).await, 0);
        until("it is refreshed", || async {
            stale(table.clone(), 1).await == 3
        })
        .await;
        let results = until_ended(&cache, 1).await;
        assert_eq!((results.stale, results.raced), (0, 0));
    };
    cache.scope(test).await;
}

#[tokio::test]
async fn arguments_of_every_form_are_cloned_for_each_run() {
    struct Pair<A, B>(A, B);
    impl<A: Clone, B: Clone> Clone for Pair<A, B> {
        fn clone(&self) -> Self {
            Self(self.0.clone(), self.1.clone())
        }
    }
    #[cacheable(key = "kinds:forms:<<id>>:<<name>>", audit = 1.0, skip(table, unused), unless = |text| text.len() == limit, companions = false)]
    async fn forms(
        Pair(table, id): Pair<Table, u32>,
        mut name: String,
        limit: usize,
        unused: Vec<u8>,
    ) -> String {
        name.push_str(&table.row(id).to_string());
        name
    }
    on_both(|cache| async move {
        let table = Table::default();
        let read = || forms(Pair(table.clone(), 1), "a".to_owned(), 100, vec![1]);
        assert_eq!(read().await, "a0");
        assert_eq!(read().await, "a0");
        assert_eq!(until_ended(&cache, 1).await.ok, 1);
        table.set(1, 4);
        assert_eq!(read().await, "a0");
        assert_eq!(until_settled(&cache, 2).await.stale, 1);
    })
    .await;
}

#[tokio::test]
async fn the_body_sees_the_context_of_the_call() {
    #[cacheable(
        key = "kinds:mine:<<user_id>>",
        context(user_id),
        audit = 1.0,
        skip(table),
        companions = false
    )]
    async fn mine(table: Table) -> String {
        table.runs.next();
        context::get("user_id").unwrap_or_default().to_string()
    }
    on_both(|cache| async move {
        let table = Table::default();
        for _ in 0..2 {
            let call = context::scope([("user_id", 7)], mine(table.clone()));
            assert_eq!(call.await, "7");
        }
        assert_eq!(until_ended(&cache, 1).await.ok, 1);
    })
    .await;
}

#[tokio::test]
async fn an_owned_entry_is_audited() {
    #[cacheable(key = "kinds:owned:<<owner>>", owner = owner, audit = 1.0, skip(table), companions = false)]
    async fn owned(table: Table, owner: u32) -> u32 {
        table.row(owner)
    }
    on_both_stores(|cache| async move {
        let table = Table::default();
        owned(table.clone(), 1).await;
        owned(table.clone(), 1).await;
        assert_eq!(until_ended(&cache, 1).await.ok, 1);
        let stats = cache.owner_stats(1).await.unwrap();
        assert_eq!((stats.hits, stats.misses), (1, 1), "an audit is no call");
    })
    .await;
}

#[tokio::test]
async fn a_converted_value_is_audited() {
    /// A type of another crate.
    struct Foreign(u32);
    #[cacheable(key = "kinds:foreign:<<id>>", audit = 1.0, skip(table), value = |foreign| foreign.0, response = Foreign, companions = false)]
    async fn foreign(table: Table, id: u32) -> Result<Foreign, String> {
        Ok(Foreign(table.row(id)))
    }
    #[cacheable(key = "kinds:foreign-sync:<<id>>", audit = 1.0, skip(table), value = |foreign| foreign.0, response = Foreign, companions = false)]
    fn foreign_sync(table: Table, id: u32) -> Foreign {
        Foreign(table.row(id))
    }
    on_both(|cache| async move {
        let table = Table::default();
        for _ in 0..2 {
            assert_eq!(foreign(table.clone(), 1).await.unwrap().0, 0);
        }
        until_ended(&cache, 1).await;
        for _ in 0..2 {
            let (cache, table) = (cache.clone(), table.clone());
            let call = move || cache.scope_sync(|| foreign_sync(table, 1)).0;
            assert_eq!(tokio::task::spawn_blocking(call).await.unwrap(), 0);
        }
        assert_eq!(until_ended(&cache, 2).await.ok, 2);
        table.set(1, 3);
        assert_eq!(foreign(table.clone(), 1).await.unwrap().0, 0);
        assert_eq!(until_settled(&cache, 3).await.stale, 1);
    })
    .await;
}

#[tokio::test]
async fn an_entry_of_the_near_cache_is_audited() {
    let server = RedisServer::start();
    let clock = cache_runtime::Clock::manual();
    let builder = super::support::audited(Cache::builder(), &clock).prefix("quickpost");
    let builder = builder.response_timeout(PATIENCE).near_cache(1 << 20);
    let builder = builder.near_max_silence(Duration::from_secs(60));
    let cache = builder.redis(server.url()).build().unwrap();
    let test = async {
        let table = Table::default();
        stale_near(table.clone(), 1).await;
        until("the near cache answers", || async {
            stale_near(table.clone(), 1).await;
            cache.snapshot().total().near_hits > 0
        })
        .await;
        until_settled(&cache, 1).await;
        table.set(1, 3);
        until("it is found", || async {
            stale_near(table.clone(), 1).await;
            clock.advance(Duration::from_millis(100));
            Results::of(&cache).stale == 1
        })
        .await;
        let results = Results::of(&cache);
        assert_eq!((results.failed, results.raced), (0, 0), "{results:?}");
        assert!(
            cache.audits()[0].age < Duration::from_secs(60),
            "{:?}",
            cache.audits()
        );
    };
    cache.scope(test).await;
}

#[cacheable(
    key = "kinds:near:<<id>>",
    audit = 1.0,
    skip(table),
    companions = false
)]
async fn stale_near(table: Table, id: u32) -> u32 {
    table.row(id)
}
