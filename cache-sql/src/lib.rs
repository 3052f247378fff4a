//! Database transactions for [`cache_runtime`]: invalidate after COMMIT, cache nothing that was
//! never committed, and lose nothing in a crash.
//!
//! A write that invalidates within its transaction does so too early: a reader between the
//! invalidation and COMMIT reads the old row and caches it again. And a cached read within a
//! transaction caches a row that may be rolled back. Begin transactions with `Db` of this crate
//! instead, and name them with `tx = tx` in the attributes:
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # mod example {
//! use cache_runtime::{Cache, Transactional};
//! use cache_sql::{Db, Transaction};
//! use sqlx::Sqlite;
//!
//! async fn rename(tx: &mut Transaction<'_, Sqlite>, slug: &str) -> Result<(), sqlx::Error> {
//!     tx.invalidations().add("posts:*"); // or #[invalidate(.., tx = tx)]
//!     let update = sqlx::query("UPDATE posts SET title = 'B' WHERE slug = ?").bind(slug);
//!     update.execute(tx.as_mut()).await?;
//!     Ok(())
//! }
//!
//! # pub async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! # let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
//! # let pool = pool.connect("sqlite::memory:").await?;
//! # sqlx::query("CREATE TABLE posts (slug TEXT, title TEXT)").execute(&pool).await?;
//! let cache = Cache::builder().build()?;
//! let db = Db::new(&cache, pool.clone());
//! let mut tx = db.begin().await?;
//! rename(&mut tx, "a").await?;
//! tx.commit().await?; // COMMIT, then all patterns once, awaited
//!
//! // Ok commits, Err rolls back. Inside, cached functions run uncached.
//! db.transaction(async |tx| rename(tx, "a").await).await?;
//! # Ok(())
//! # }
//! # }
//! # #[cfg(feature = "sqlite")]
//! # tokio::runtime::Runtime::new().unwrap().block_on(example::run()).unwrap();
//! ```
//!
//! # Which outcome invalidates
//!
//! | outcome | invalidates |
//! |---|---|
//! | committed | yes, before the commit returns |
//! | rolled back, or dropped without a commit | no |
//! | COMMIT fails, and its error proves that the database rolled back | no |
//! | COMMIT fails otherwise: its outcome is unknown | yes, and again after 1 and 10 seconds |
//! | the future of the commit is dropped | it finishes without its caller |
//!
//! # Outbox
//!
//! A process that dies between COMMIT and the invalidation leaves stale entries until their TTL
//! ends. With `Db::with_outbox`, a commit writes its patterns into the table `cache_outbox` first,
//! in the same transaction, and the row is deleted after the invalidation. A relay, `spawn_relay` or
//! `relay_once`, invalidates the rows that are left. The table is almost always empty.
//!
//! `Db::create_outbox` creates the table; [`schema`] returns its text, for migrations.
//!
//! | database | needs | how relays share the rows |
//! |---|---|---|
//! | Postgres | 12 | `FOR UPDATE SKIP LOCKED` |
//! | SQLite | | `BEGIN IMMEDIATE`, for at most 100 ms while Redis is waited for |
//! | MySQL, MariaDB | 8.0.13, 10.6 | `FOR UPDATE SKIP LOCKED` |
//!
//! Relays and deletions use READ COMMITTED, so that they conflict with no transaction of the
//! program, whatever its isolation. MySQL refuses that with `binlog_format = STATEMENT`.
//!
//! Relays of rusqlite hold no transaction while Redis is waited for. If two take a row, it is
//! invalidated twice, which is harmless.
//!
//! # Writes past the program
//!
//! A struct with [`CacheModel`](macro@cache_runtime::CacheModel) names the entries that depend on a
//! row of its table. [`triggers`](crate::triggers()) turns it into triggers that write these patterns
//! into the outbox, whichever program changes the table, and a relay invalidates them. For SeaORM,
//! `sea_orm::after_save` and `sea_orm::after_delete` add the patterns of a model to the transaction.
//!
//! # Features
//!
//! | feature | what |
//! |---|---|
//! | `postgres`, `sqlite`, `mysql` | `Db` for transactions of sqlx 0.9, on these databases |
//! | `sea-orm` | the module `sea_orm`, for transactions of SeaORM 2 |
//! | `rusqlite` | the module `rusqlite`, for transactions of rusqlite 0.39, the newest that links the same SQLite as sqlx 0.9 |
//!
//! # Minimum supported Rust version
//!
//! 1.94, since sqlx and SeaORM need it. `cache-runtime` alone needs an older one.

#![cfg_attr(docsrs, feature(doc_cfg))]
// Each library uses a part of the modules that they share.
#![cfg_attr(
    not(all(feature = "_sqlx", feature = "rusqlite", feature = "sea-orm")),
    allow(dead_code, unused_imports)
)]

mod commit;
#[cfg(feature = "_sqlx")]
mod db;
mod detached;
mod dialect;
#[cfg(all(doc, feature = "rusqlite", feature = "sea-orm", feature = "sqlite"))]
pub mod guide;
mod outbox;
mod outcome;
mod relay;
#[cfg(feature = "rusqlite")]
pub mod rusqlite;
#[cfg(feature = "_sqlx")]
mod savepoint;
#[cfg(feature = "sea-orm")]
pub mod sea_orm;
mod settle;
#[cfg(feature = "_sqlx")]
mod transaction;
mod triggers;

#[cfg(feature = "_sqlx")]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite")))
)]
pub use db::Db;
pub use dialect::Dialect;
#[cfg(feature = "_sqlx")]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite")))
)]
pub use outbox::OutboxDatabase;
pub use outbox::schema;
pub use relay::{Relay, RelayError};
#[cfg(feature = "_sqlx")]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite")))
)]
pub use savepoint::Savepoint;
#[cfg(feature = "_sqlx")]
#[cfg_attr(
    docsrs,
    doc(cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite")))
)]
pub use transaction::Transaction;
pub use triggers::{drop_triggers, triggers};
