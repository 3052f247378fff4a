use std::time::Instant;

use cache_runtime::{Cache, CacheModel, Invalidations, invalidate};
use cache_sql::{Db, Dialect, Transaction, triggers};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};
use tokio::runtime::Runtime;

use crate::model::ENTRIES;
use crate::peers::ours;
use crate::report::Table;
use crate::round::{Contender, measure};
use crate::runtimes::one_thread;
use crate::settings::Settings;

const AT_ONCE: &str = "cache-runtime, #[invalidate]";
const COLLECTED: &str = "cache-runtime, tx and commit";

const NO_CACHE: &str = "sqlx, no cache";
const AROUND: &str = "sqlx, #[invalidate] around the transaction";
const TX: &str = "cache-sql, tx";
const OUTBOX: &str = "cache-sql, tx and outbox";

const ALONE: &str = "cache-runtime, the invalidations alone";
const RELAY: &str = "cache-sql, relay_once";

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let runtime = one_thread();
    vec![
        collect(settings, &runtime),
        write(settings, &runtime),
        relay(settings, &runtime),
    ]
}

#[invalidate(cache = cache, patterns = ["posts:<<id>>:*", "lists:<<id>>:*"])]
async fn note(cache: &Cache, id: usize) {}

#[invalidate(patterns = ["posts:<<id>>:*", "lists:<<id>>:*"], tx = tx)]
async fn note_in(tx: &Invalidations, id: usize) {}

/// The cost of `tx` without a database.
fn collect(settings: Settings, runtime: &Runtime) -> Table {
    let cache = ours::memory();
    let (at_once, collected) = (&cache, &cache);
    let contenders = vec![
        Contender::future(AT_ONCE, runtime, |id| note(at_once, id)),
        Contender::future(COLLECTED, runtime, |id| async move {
            let invalidations = collected.invalidations();
            note_in(&invalidations, id).await;
            invalidations.commit().await.expect("memory doesn't fail")
        }),
    ];
    let samples = measure(settings.plan(200, 1_000), contenders);
    Table::of(
        "transactions-collect",
        "Invalidate two patterns in memory, at once and collected",
        "ns per write",
        &samples,
        AT_ONCE,
    )
}

async fn update(connection: &mut SqliteConnection, id: usize) -> sqlx::Result<()> {
    let update = sqlx::query("UPDATE posts SET likes = likes + 1 WHERE id = ?");
    update.bind(id as i64).execute(connection).await?;
    Ok(())
}

async fn like(pool: &SqlitePool, id: usize) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    update(&mut tx, id).await?;
    tx.commit().await
}

#[invalidate(cache = cache, patterns = ["posts:<<id>>:*", "lists:<<id>>:*"])]
async fn like_around(cache: &Cache, pool: &SqlitePool, id: usize) -> sqlx::Result<()> {
    like(pool, id).await
}

#[invalidate(patterns = ["posts:<<id>>:*", "lists:<<id>>:*"], tx = tx)]
async fn like_in(tx: &mut Transaction<'_, Sqlite>, id: usize) -> sqlx::Result<()> {
    update(tx.as_mut(), id).await
}

async fn like_and_commit(db: &Db<Sqlite>, id: usize) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    like_in(&mut tx, id).await?;
    tx.commit().await
}

/// BEGIN, one UPDATE, COMMIT, each contender in a database of its own.
fn write(settings: Settings, runtime: &Runtime) -> Table {
    let cache = ours::memory();
    let pools = [(); 4].map(|()| runtime.block_on(posts()));
    let [no_cache, around, tx, outbox] = &pools;
    let tx = Db::new(&cache, tx.clone());
    let outbox = Db::new(&cache, outbox.clone()).with_outbox();
    let created = runtime.block_on(outbox.create_outbox());
    created.expect("the table is created");

    let (cache, tx, outbox) = (&cache, &tx, &outbox);
    let contenders = vec![
        Contender::future(NO_CACHE, runtime, |id| async move {
            like(no_cache, id).await.expect("the write succeeds");
        }),
        Contender::future(AROUND, runtime, |id| async move {
            let liked = like_around(cache, around, id).await;
            liked.expect("the write succeeds");
        }),
        Contender::future(TX, runtime, |id| async move {
            like_and_commit(tx, id).await.expect("the write succeeds");
        }),
        Contender::future(OUTBOX, runtime, |id| async move {
            like_and_commit(outbox, id)
                .await
                .expect("the write succeeds");
        }),
    ];
    let samples: Vec<_> = measure(settings.plan(100, 200), contenders)
        .iter()
        .map(|one| one.map(|ns| ns / 1e3))
        .collect();
    Table::of(
        "transactions-write",
        "A write in a transaction: SQLite in memory, entries in memory",
        "µs per write",
        &samples,
        NO_CACHE,
    )
}

/// The entries that depend on a row of the table.
#[derive(CacheModel)]
#[cache(table = "posts", patterns = ["posts:<<id>>:*", "lists:<<id>>:*"])]
struct Post {
    id: i64,
}

/// A backlog of rows, written by triggers, since those of a commit are deleted by the commit.
fn relay(settings: Settings, runtime: &Runtime) -> Table {
    let cache = ours::memory();
    let pool = runtime.block_on(posts());
    let db = Db::new(&cache, pool);
    runtime.block_on(async {
        db.create_outbox().await.expect("the table is created");
        for statement in triggers::<Post>(Dialect::Sqlite, cache.prefix()) {
            let created = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(db.pool());
            created.await.expect("the trigger is created");
        }
    });
    let (alone, db) = (&cache, &db);
    let contenders = vec![
        Contender::timed(ALONE, |ids| {
            runtime.block_on(async {
                let started = Instant::now();
                let invalidations = alone.invalidations();
                for id in 0..ids.len() {
                    invalidations.add(&format!("posts:{id}:*"));
                    invalidations.add(&format!("lists:{id}:*"));
                }
                invalidations.commit().await.expect("memory doesn't fail");
                started.elapsed()
            })
        }),
        Contender::timed(RELAY, |ids| {
            runtime.block_on(async {
                let touch = sqlx::query("UPDATE posts SET likes = likes + 1 WHERE id < ?");
                let touched = touch.bind(ids.len() as i64).execute(db.pool()).await;
                touched.expect("the write succeeds");
                let started = Instant::now();
                let relayed = db.relay_once().await.expect("memory doesn't fail");
                let took = started.elapsed();
                assert_eq!(relayed, ids.len() as u64, "one row for each post");
                took
            })
        }),
    ];
    let rates: Vec<_> = measure(settings.plan(30, 1_000), contenders)
        .iter()
        .map(|one| one.map(|ns| 1e9 / ns))
        .collect();
    Table::of(
        "transactions-relay",
        "A relay on 1,000 rows with two patterns each: SQLite and entries in memory",
        "rows per second (more is better)",
        &rates,
        ALONE,
    )
}

/// Open a database in memory with a row for each post. It is its connection's, so there is one.
async fn posts() -> SqlitePool {
    let options = SqlitePoolOptions::new().max_connections(1);
    let pool = options.connect("sqlite::memory:").await;
    let pool = pool.expect("SQLite opens in memory");
    let table = "CREATE TABLE posts (id INTEGER PRIMARY KEY, likes INTEGER NOT NULL DEFAULT 0)";
    let created = sqlx::query(table).execute(&pool).await;
    created.expect("the table is created");
    let fill = "WITH RECURSIVE ids (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM ids LIMIT ?)
        INSERT INTO posts (id) SELECT id FROM ids";
    let filled = sqlx::query(fill).bind(ENTRIES as i64).execute(&pool).await;
    filled.expect("the table is filled");
    pool
}
