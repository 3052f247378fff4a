//! A savepoint of sqlx that takes its patterns with it when it rolls back.

use std::fmt;
use std::ops::{Deref, DerefMut};

use cache_runtime::{Invalidations, Transactional};
use sqlx::Database;
use sqlx_core::transaction::TransactionManager;

use crate::Transaction;

/// A part of a transaction that can be rolled back alone. Created by [`Transaction::savepoint`].
///
/// It dereferences to its [`Transaction`], so a function that takes `&mut Transaction<'_, DB>` takes
/// `&mut savepoint`, and `savepoint.savepoint()` nests. Dropped, it is rolled back, and the patterns
/// that were collected in it are forgotten.
///
/// ```
/// # use cache_runtime::{Cache, Transactional};
/// use cache_sql::{Db, Transaction};
/// use sqlx::Sqlite;
///
/// async fn rename(tx: &mut Transaction<'_, Sqlite>, pattern: &str) -> Result<(), sqlx::Error> {
///     tx.invalidations().add(pattern); // or #[invalidate(.., tx = tx)]
///     sqlx::query("SELECT 1").execute(tx.as_mut()).await?;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::builder().build()?;
/// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
/// let mut tx = db.begin().await?;
/// let mut savepoint = tx.savepoint().await?;
/// rename(&mut savepoint, "posts:a:*").await?;
/// savepoint.commit().await?;
/// drop(tx.savepoint().await?);
/// assert_eq!(tx.invalidations().patterns(), ["posts:a:*"]);
/// # Ok(())
/// # }
/// ```
pub struct Savepoint<'t, 'c, DB: Database> {
    outer: &'t mut Transaction<'c, DB>,
    /// The collector's state when this began.
    point: cache_runtime::Savepoint,
    stage: Stage,
}

enum Stage {
    Open,
    /// RELEASE may have been sent.
    Releasing,
    Ended,
}

impl<'t, 'c, DB: Database> Savepoint<'t, 'c, DB> {
    pub(crate) fn new(outer: &'t mut Transaction<'c, DB>, point: cache_runtime::Savepoint) -> Self {
        Self {
            outer,
            point,
            stage: Stage::Open,
        }
    }

    /// Keep the changes, as a part of the transaction around this: RELEASE SAVEPOINT. The patterns
    /// are invalidated when that commits.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// let mut tx = db.begin().await?;
    /// let savepoint = tx.savepoint().await?;
    /// savepoint.invalidations().add("posts:b:*");
    /// savepoint.commit().await?;
    /// assert_eq!(tx.invalidations().patterns(), ["posts:b:*"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of RELEASE. The patterns stay with the transaction.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, the savepoint is rolled back. Dropped after it, the database
    /// may have released it: the patterns stay with the transaction.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.stage = Stage::Releasing;
        DB::TransactionManager::commit(self.outer.as_mut()).await?;
        self.stage = Stage::Ended;
        Ok(())
    }

    /// Undo the changes: ROLLBACK TO SAVEPOINT. The patterns that were collected in this savepoint
    /// are forgotten.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// let mut tx = db.begin().await?;
    /// let savepoint = tx.savepoint().await?;
    /// savepoint.invalidations().add("posts:b:*");
    /// savepoint.rollback().await?;
    /// assert!(tx.invalidations().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of ROLLBACK TO. The patterns stay with the transaction.
    ///
    /// # Cancel safety
    ///
    /// The savepoint is rolled back.
    pub async fn rollback(mut self) -> Result<(), sqlx::Error> {
        let rolled_back = DB::TransactionManager::rollback(self.outer.as_mut()).await;
        if rolled_back.is_ok() {
            self.stage = Stage::Ended;
            self.invalidations().rollback_to(self.point);
        } else {
            // `Drop` tries once more, and keeps the patterns: the changes may still be there.
            self.stage = Stage::Releasing;
        }
        rolled_back
    }
}

impl<DB: Database> Drop for Savepoint<'_, '_, DB> {
    fn drop(&mut self) {
        match self.stage {
            Stage::Open => {
                // Sent before the connection's next statement, which is part of the transaction or
                // ends it.
                DB::TransactionManager::start_rollback(self.outer.as_mut());
                self.invalidations().rollback_to(self.point);
            }
            Stage::Releasing => DB::TransactionManager::start_rollback(self.outer.as_mut()),
            Stage::Ended => {}
        }
    }
}

impl<DB: Database> Transactional for Savepoint<'_, '_, DB> {
    fn invalidations(&self) -> &Invalidations {
        self.outer.invalidations()
    }
}

impl<'c, DB: Database> Deref for Savepoint<'_, 'c, DB> {
    type Target = Transaction<'c, DB>;

    fn deref(&self) -> &Self::Target {
        self.outer
    }
}

impl<DB: Database> DerefMut for Savepoint<'_, '_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.outer
    }
}

impl<DB: Database> fmt::Debug for Savepoint<'_, '_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Savepoint")
            .field("invalidations", self.invalidations())
            .finish_non_exhaustive()
    }
}
