//! Transactions of rusqlite that invalidate after COMMIT.
//!
//! All of it blocks its thread, as rusqlite does. In async code, call it where blocking is allowed,
//! such as in `tokio::task::spawn_blocking`.
//!
//! ```
//! use cache_runtime::{Cache, Transactional};
//! use cache_sql::rusqlite::{Db, Transaction};
//!
//! fn rename(tx: &Transaction<'_>, slug: &str) -> rusqlite::Result<()> {
//!     tx.execute("UPDATE posts SET title = 'B' WHERE slug = ?", [slug])?;
//!     tx.invalidations().add("posts:*"); // or #[invalidate(.., tx = tx)]
//!     Ok(())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cache = Cache::builder().build()?;
//! let db = Db::new(&cache);
//! let mut connection = rusqlite::Connection::open_in_memory()?;
//! # connection.execute_batch("CREATE TABLE posts (slug TEXT, title TEXT)")?;
//! let tx = db.begin(&mut connection)?;
//! rename(&tx, "a")?;
//! tx.commit()?; // COMMIT, then all patterns once
//!
//! // Ok commits, Err rolls back. Inside, cached functions run uncached.
//! db.transaction(&mut connection, |tx| rename(tx, "a"))?;
//! # Ok(())
//! # }
//! ```

mod db;
mod outbox;
mod savepoint;
mod transaction;

pub use db::Db;
pub use savepoint::Savepoint;
pub use transaction::Transaction;
