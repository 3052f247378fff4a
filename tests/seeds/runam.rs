//! RunAm: an API of errands and escrows, its models, its GraphQL queries and its commands.

use std::time::Duration;

use cache_runtime::{
    Cache, CacheError, CacheModel, Warm, assert_hit, assert_miss, cacheable, invalidate, key,
    pattern, warmer,
};
use serde::{Deserialize, Serialize};
use tests::{PATIENCE, RedisServer, on_both_stores, on_both_stores_with, until, until_blocking};

use crate::child::{is_child, rerun};
use crate::common::{assert_about, fill, present};
use crate::table::Table;

// The models. Each names the entries that are stale once a row has changed.

#[derive(Clone, CacheModel)]
#[cache(table = "users", patterns = ["user:<<id>>:*", "user_profile:<<id>>:*"])]
struct User {
    id: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CacheModel)]
#[cache(table = "user_profiles", patterns = ["user:<<user_id>>:*", "user_profile:<<user_id>>:*"])]
struct UserProfile {
    user_id: u64,
    full_name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CacheModel)]
#[cache(
    table = "errands",
    patterns = ["errand:<<id>>:*", "user_errands:<<user_id>>:*", "errand_list:*"]
)]
struct Errand {
    id: u64,
    user_id: u64,
    title: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CacheModel)]
#[cache(
    table = "escrows",
    patterns = ["escrow:<<id>>:*", "user_escrows:<<user_id>>:*", "errand_escrow:<<errand_id>>:*"]
)]
struct Escrow {
    id: u64,
    user_id: u64,
    errand_id: u64,
    amount: u64,
}

#[derive(Clone, Default)]
struct Db {
    profiles: Table<u64, UserProfile>,
    errands: Table<u64, Errand>,
    escrows: Table<u64, Escrow>,
    banks: Table<u64, String>,
}

impl Db {
    fn new() -> Self {
        let profile = |user_id| UserProfile {
            user_id,
            full_name: format!("user {user_id}"),
        };
        let errand = |id| Errand {
            id,
            user_id: id % 2,
            title: format!("errand {id}"),
        };
        let escrow = |id| Escrow {
            id,
            user_id: id % 2,
            errand_id: id,
            amount: 100,
        };
        Self {
            profiles: Table::with((0..2).map(|id| (id, profile(id)))),
            errands: Table::with((1..=4).map(|id| (id, errand(id)))),
            escrows: Table::with((1..=4).map(|id| (id, escrow(id)))),
            banks: Table::with([(1, "first bank".to_owned())]),
        }
    }
}

// The reads.

#[cacheable(key = "user:<<user_id>>:data", ttl = preset("user_profile"), skip(db))]
async fn user_data(db: &Db, user_id: u64) -> Option<String> {
    let profile = db.profiles.find(&user_id).await?;
    Some(profile.full_name)
}

#[cacheable(key = "user_profile:<<user_id>>", ttl = 600, skip(db))]
async fn get_user_profile(db: &Db, user_id: u64) -> Option<UserProfile> {
    db.profiles.find(&user_id).await
}

#[cacheable(key = "user_errands:<<user_id>>", ttl = preset("user_errands"), skip(db))]
async fn user_errands(db: &Db, user_id: u64) -> Vec<Errand> {
    db.errands.select(|errand| errand.user_id == user_id).await
}

#[cacheable(key = "errand:<<errand_id>>", ttl = preset("errand_detail"), skip(db))]
async fn errand(db: &Db, errand_id: u64) -> Option<Errand> {
    db.errands.find(&errand_id).await
}

#[cacheable(key = "escrow:<<escrow_id>>", skip(db))]
async fn escrow(db: &Db, escrow_id: u64) -> Option<Escrow> {
    db.escrows.find(&escrow_id).await
}

#[cacheable(key = "errand_escrow:<<errand_id>>", skip(db))]
async fn errand_escrow(db: &Db, errand_id: u64) -> Option<Escrow> {
    let of_errand = |escrow: &Escrow| escrow.errand_id == errand_id;
    db.escrows.select(of_errand).await.into_iter().next()
}

// The three queries of the schema: ordinary functions, which a resolver calls or is.

#[cacheable(key = "errand_list:all", ttl = preset("errand_list"), skip(db))]
async fn errands(db: &Db, page: u32) -> Vec<Errand> {
    let skipped = page as usize * 3;
    let errands = db.errands.select(|_| true).await;
    errands.into_iter().skip(skipped).take(3).collect()
}

#[cacheable(key = "user_escrows:<<viewer.id>>", ttl = preset("user_escrows"), skip(db))]
async fn my_escrows(db: &Db, viewer: &User) -> Vec<Escrow> {
    let id = viewer.id;
    db.escrows.select(|escrow| escrow.user_id == id).await
}

#[cacheable(key = "banks_list:<<country>>", ttl = preset("banks_list"), skip(db))]
async fn banks(db: &Db, country: &str) -> Vec<String> {
    db.banks.select(|_| true).await
}

#[invalidate(patterns = ["banks_list:*"])]
async fn add_bank(db: &Db, id: u64, name: &str) {
    db.banks.save(id, name.to_owned()).await;
}

/// Remove the entries that depend on a row, after it was saved or deleted.
async fn changed(cache: &Cache, row: &impl CacheModel) -> u64 {
    let mut removed = 0;
    for pattern in row.cache_patterns() {
        removed += cache.delete_pattern(&pattern).await.unwrap();
    }
    removed
}

// Configuration.

#[test]
fn the_environment_configures_the_cache() {
    let test = "runam::the_environment_configures_the_cache";
    if !is_child() {
        let server = RedisServer::start();
        let url = format!("{}/1", server.url().trim_end_matches('/'));
        let variables = [
            ("CACHE_ENABLED", "True"),
            ("CACHE_DEFAULT_TIMEOUT", "300"),
            ("CACHE_TIMEOUT_USER_PROFILE", "3600"),
            ("CACHE_TIMEOUT_USER_ERRANDS", "300"),
            ("CACHE_TIMEOUT_USER_ESCROWS", "300"),
            ("CACHE_TIMEOUT_ERRAND_LIST", "60"),
            ("CACHE_TIMEOUT_ERRAND_DETAIL", "300"),
            ("CACHE_TIMEOUT_BANKS_LIST", "86400"),
            ("CACHE_TIMEOUT_ROLES", "3600"),
        ];
        // In memory, and on Redis.
        rerun(test, &variables);
        rerun(test, &[&variables[..], &[("REDIS_URL", &*url)]].concat());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cache = Cache::current();
    // The timeout is the default one, which a busy machine may exceed at first.
    until_blocking("the health check passes", || {
        cache.blocking().health_check().is_ok()
    });
    let expected = match std::env::var_os("REDIS_URL") {
        Some(_) => "redis",
        None => "memory",
    };
    runtime.block_on(async {
        assert_eq!(cache.health().await.store, expected);
        let db = Db::new();
        user_data(&db, 1).await;
        user_errands(&db, 1).await;
        my_escrows(&db, &User { id: 1 }).await;
        errand(&db, 1).await;
        banks(&db, "NG").await;
        escrow(&db, 1).await;
        for (path, seconds) in [
            ("user:1:data", 3_600),
            ("user_errands:1", 300),
            ("user_escrows:1", 300),
            ("errand:1", 300),
            ("banks_list:NG", 86_400),
            ("escrow:1", 300),
        ] {
            assert_about(cache.ttl(path).await.unwrap(), seconds);
        }
        errands(&db, 0).await;
        let path = errands_cache_path(&db, 0);
        assert_about(cache.ttl(&path).await.unwrap(), 60);
    });
}

#[test]
fn the_environment_can_switch_the_cache_off() {
    let test = "runam::the_environment_can_switch_the_cache_off";
    if !is_child() {
        rerun(test, &[("CACHE_ENABLED", "False")]);
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let db = Db::new();
        for _ in 0..2 {
            banks(&db, "NG").await;
        }
        assert_eq!(db.banks.queries(), 2);
    });
}

// Utilities.

#[tokio::test]
async fn a_result_is_cached_and_has_its_own_invalidation() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for _ in 0..2 {
            get_user_profile(&db, 1).await.unwrap();
        }
        get_user_profile(&db, 0).await.unwrap();
        assert_eq!(db.profiles.queries(), 2);
        assert_about(cache.ttl("user_profile:1").await.unwrap(), 600);
        assert!(get_user_profile_invalidate(&db, 1).await.unwrap());
        assert!(!get_user_profile_invalidate(&db, 1).await.unwrap());
        assert_miss!(cache, get_user_profile(&db, 1).await).unwrap();
        assert_hit!(cache, get_user_profile(&db, 0).await).unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_helpers_are_operations_of_the_handle() {
    on_both_stores(|cache| async move {
        let (db, user_id) = (Db::new(), 7);
        let data = key!("user:<<user_id>>:data");
        assert_eq!(data, "user:7:data");
        cache.set(&data, "Ada", 3_600).await.unwrap();
        assert_eq!(
            cache.get::<String>(&data).await.unwrap().as_deref(),
            Some("Ada")
        );
        assert_about(cache.ttl(&data).await.unwrap(), 3_600);
        // Everything of this user, and nothing of user 70.
        fill(&cache, &["user:7", "user:7:roles", "user:70:data"]).await;
        let all = pattern!("user:<<user_id>>:*");
        assert_eq!(cache.delete_pattern(&all).await.unwrap(), 3);
        assert!(cache.exists("user:70:data").await.unwrap());
        // The rows of a query.
        for _ in 0..2 {
            let rows = cache.get_or_set("errand_list:open", 300, || db.errands.select(|_| true));
            assert_eq!(rows.await.len(), 4);
        }
        assert_eq!(db.errands.queries(), 1);
        assert_eq!(cache.clear().await.unwrap(), 2);
    })
    .await;
}

// Models.

#[tokio::test]
async fn a_changed_row_removes_the_entries_that_its_model_names() {
    const PATHS: [&str; 12] = [
        "user:1:data",
        "user:11:data",
        "user_profile:1",
        "user_errands:1",
        "user_errands:2",
        "errand:4",
        "errand:44",
        "errand_list:all",
        "escrow:9",
        "user_escrows:1",
        "errand_escrow:4",
        "banks_list:NG",
    ];
    /// Return what was removed from `PATHS`.
    async fn removed_by(cache: &Cache, row: &impl CacheModel) -> Vec<&'static str> {
        fill(cache, &PATHS).await;
        changed(cache, row).await;
        let left = present(cache, &PATHS).await;
        PATHS
            .into_iter()
            .filter(|path| !left.contains(path))
            .collect()
    }
    let errand = Errand {
        id: 4,
        user_id: 1,
        title: "a".to_owned(),
    };
    let escrow = Escrow {
        id: 9,
        user_id: 1,
        errand_id: 4,
        amount: 1,
    };
    let profile = UserProfile {
        user_id: 1,
        full_name: "Ada".to_owned(),
    };
    let stores = tests::Stores::new();
    for (store, cache) in &stores.caches {
        let user = removed_by(cache, &User { id: 1 }).await;
        assert_eq!(user, ["user:1:data", "user_profile:1"], "{store}");
        assert_eq!(removed_by(cache, &profile).await, user, "{store}");
        assert_eq!(
            removed_by(cache, &errand).await,
            ["user_errands:1", "errand:4", "errand_list:all"],
            "{store}"
        );
        assert_eq!(
            removed_by(cache, &escrow).await,
            ["escrow:9", "user_escrows:1", "errand_escrow:4"],
            "{store}"
        );
    }
}

#[tokio::test]
async fn reads_see_a_saved_row() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        assert_eq!(errand(&db, 1).await.unwrap().title, "errand 1");
        assert_eq!(user_errands(&db, 1).await.len(), 2);
        assert_eq!(errands(&db, 0).await[0].title, "errand 1");
        assert_eq!(errands(&db, 1).await.len(), 1);
        assert_eq!(errand_escrow(&db, 2).await.unwrap().amount, 100);
        let saved = Errand {
            id: 1,
            user_id: 1,
            title: "done".to_owned(),
        };
        db.errands.save(1, saved.clone()).await;
        // Both pages of the list, the errand and its user's errands.
        assert_eq!(changed(&cache, &saved).await, 4);
        assert_eq!(errand(&db, 1).await.unwrap().title, "done");
        assert_eq!(user_errands(&db, 1).await[0].title, "done");
        assert_eq!(errands(&db, 0).await[0].title, "done");
        assert_hit!(cache, errand_escrow(&db, 2).await).unwrap();
    })
    .await;
}

// GraphQL.

fn with_presets(builder: cache_runtime::CacheBuilder) -> cache_runtime::CacheBuilder {
    builder
        .preset("errand_list", Duration::from_secs(60))
        .preset("user_escrows", Duration::from_secs(300))
        .preset("banks_list", Duration::from_secs(86_400))
}

#[tokio::test]
async fn the_three_queries_are_cached_for_their_time_and_viewer() {
    on_both_stores_with(with_presets, |cache| async move {
        let db = Db::new();
        for _ in 0..2 {
            assert_eq!(errands(&db, 0).await.len(), 3);
            assert_eq!(banks(&db, "NG").await.len(), 1);
            for id in [0, 1] {
                let escrows = my_escrows(&db, &User { id }).await;
                assert!(escrows.iter().all(|escrow| escrow.user_id == id));
                assert_eq!(escrows.len(), 2);
            }
        }
        let queries = [
            &db.errands.queries(),
            &db.banks.queries(),
            &db.escrows.queries(),
        ];
        assert_eq!(queries, [&1, &1, &2]);
        let list = errands_cache_path(&db, 0);
        assert_about(cache.ttl(&list).await.unwrap(), 60);
        assert_about(cache.ttl("user_escrows:1").await.unwrap(), 300);
        assert_about(cache.ttl("banks_list:NG").await.unwrap(), 86_400);
        add_bank(&db, 2, "second bank").await;
        assert_eq!(banks(&db, "NG").await.len(), 2);
    })
    .await;
}

// Commands.

/// `clear_cache --all`, and `clear_cache --pattern "user:*"`: a program of the application, which
/// uses the same prefix.
async fn clear_cache(cache: &Cache, arguments: &[&str]) -> Result<u64, CacheError> {
    match arguments {
        ["--all"] => cache.clear().await,
        ["--pattern", pattern] => cache.delete_pattern(pattern).await,
        _ => {
            eprintln!("usage: clear_cache --all | --pattern PATTERN");
            Ok(0)
        }
    }
}

const PATHS: [&str; 5] = [
    "user:1",
    "user:1:data",
    "user_profile:1",
    "errand:1",
    "banks_list:NG",
];

#[tokio::test]
async fn a_command_clears_the_cache() {
    on_both_stores(|cache| async move {
        fill(&cache, &PATHS).await;
        assert_eq!(clear_cache(&cache, &[]).await.unwrap(), 0);
        assert_eq!(present(&cache, &PATHS).await, PATHS);
        assert_eq!(clear_cache(&cache, &["--all"]).await.unwrap(), 5);
        assert!(present(&cache, &PATHS).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_command_clears_one_pattern() {
    on_both_stores(|cache| async move {
        fill(&cache, &PATHS).await;
        let removed = clear_cache(&cache, &["--pattern", "user:*"]).await;
        assert_eq!(removed.unwrap(), 2);
        assert_eq!(present(&cache, &PATHS).await, PATHS[2..]);
    })
    .await;
}

/// Run the reads that should be cached before the first request.
#[warmer("start", at_start)]
async fn warm_up(warm: Warm, db: Db) {
    warm.each(["NG"], |country| banks(&db, country)).await;
    warm.each([0], |page| errands(&db, page)).await;
}

#[tokio::test]
async fn the_handle_clears_counts_and_is_warmed() {
    on_both_stores(|cache| async move {
        fill(&cache, &PATHS).await;
        assert_eq!(cache.clear().await.unwrap(), 5);
        let db = Db::new();
        cache.add_warmer(warm_up_warmer(db.clone())).unwrap();
        until("they are warm", || async {
            cache.warmers()[0].last.is_some()
        })
        .await;
        assert_hit!(cache, banks(&db, "NG").await);
        assert_hit!(cache, errands(&db, 0).await);
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.invalidated), (2, 5));
        let banks = stats
            .sites
            .iter()
            .find(|site| site.function == "banks" && site.module.ends_with("runam"));
        assert_eq!(banks.map(|site| site.hits), Some(1));
        assert!(cache.store_stats().await.unwrap().entries >= 2);
    })
    .await;
}

// Testing and troubleshooting.

#[cacheable(key = "doubled:<<value>>", ttl = 60)]
fn doubled(value: u64) -> u64 {
    value * 2
}

#[tokio::test]
async fn the_first_call_is_a_miss_and_the_second_a_hit() {
    on_both_stores(|cache| async move {
        assert_eq!(assert_miss!(cache, doubled(5)), 10);
        assert_eq!(assert_hit!(cache, doubled(5)), 10);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_value_is_gone() {
    on_both_stores(|cache| async move {
        cache.set("test_key", "test_value", 60).await.unwrap();
        let found: Option<String> = cache.get("test_key").await.unwrap();
        assert_eq!(found.as_deref(), Some("test_value"));
        assert!(cache.delete("test_key").await.unwrap());
        assert_eq!(cache.get::<String>("test_key").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_failing_redis_is_named_and_functions_run() {
    on_both_stores(|cache| async move {
        let health = cache.health_check().await.unwrap();
        assert!(health.healthy);
    })
    .await;
    let dead = Cache::builder()
        .redis("redis://127.0.0.1:1")
        .build()
        .unwrap();
    let test = async {
        let error = dead.health_check().await.unwrap_err();
        assert!(!error.to_string().is_empty());
        assert!(dead.set("test", "value", 60).await.is_err());
        // The application doesn't notice.
        assert_eq!(banks(&Db::new(), "NG").await, ["first bank"]);
    };
    dead.scope(test).await;
}

#[tokio::test]
async fn memory_is_bounded_and_evicted_entries_are_computed_again() {
    const LIMIT: u64 = 4 << 20;
    let value = || "x".repeat(10_000);
    async fn overfill(cache: &Cache, value: &str) {
        for number in 0..1_000 {
            cache
                .set(&format!("blobs:{number}"), value, 600)
                .await
                .unwrap();
        }
        let stats = cache.store_stats().await.unwrap();
        assert!(stats.evictions > 0, "{stats:?}");
        let db = Db::new();
        assert_eq!(cache.scope(banks(&db, "NG")).await.len(), 1);
    }
    let memory = Cache::builder().memory_capacity(LIMIT as usize);
    let memory = memory.build().unwrap();
    overfill(&memory, &value()).await;
    assert!(memory.store_stats().await.unwrap().bytes <= LIMIT);

    let server = RedisServer::start();
    let redis = Cache::builder().redis(server.url());
    let redis = redis.response_timeout(PATIENCE).build().unwrap();
    let used = redis.store_stats().await.unwrap().bytes;
    // As an operator does it. `volatile-lru` keeps the index, which `allkeys-lru` could evict.
    for (option, value) in [
        ("maxmemory", &*(used + LIMIT).to_string()),
        ("maxmemory-policy", "volatile-lru"),
    ] {
        let mut command = redis::cmd("CONFIG");
        let command = command.arg("SET").arg(option).arg(value);
        command.exec(&mut server.connect()).unwrap();
    }
    overfill(&redis, &value()).await;
}
