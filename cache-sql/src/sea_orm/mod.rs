//! Transactions of SeaORM that invalidate after COMMIT.
//!
//! ```
//! use cache_runtime::{Cache, Transactional};
//! use cache_sql::sea_orm::{Db, Transaction};
//! use sea_orm::{ConnectionTrait, Database, DbErr};
//!
//! async fn rename(tx: &Transaction, slug: &str) -> Result<(), DbErr> {
//!     tx.execute_unprepared(&format!("UPDATE posts SET title = 'B' WHERE slug = '{slug}'")).await?;
//!     tx.invalidations().add("posts:*"); // or #[invalidate(.., tx = tx)]
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = Cache::builder().build()?;
//! let db = Db::new(&cache, Database::connect("sqlite::memory:").await?);
//! # db.connection().execute_unprepared("CREATE TABLE posts (slug TEXT, title TEXT)").await?;
//! let tx = db.begin().await?;
//! rename(&tx, "a").await?;
//! tx.commit().await?; // COMMIT, then all patterns once, awaited
//!
//! // Ok commits, Err rolls back. Inside, cached functions run uncached.
//! db.transaction(async |tx| rename(tx, "a").await).await?;
//! # Ok(())
//! # }
//! ```

mod connection;
mod db;
mod hooks;
mod outbox;
mod savepoint;
mod transaction;

pub use db::Db;
pub use hooks::{after_delete, after_save};
pub use savepoint::Savepoint;
pub use transaction::Transaction;
