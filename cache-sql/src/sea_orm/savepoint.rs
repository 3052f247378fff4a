//! A savepoint of SeaORM that takes its patterns with it when it rolls back.

use std::fmt;
use std::ops::{Deref, DerefMut};

use ::sea_orm::{DatabaseTransaction, DbErr};
use cache_runtime::{Invalidations, Transactional};

use super::Transaction;

/// A part of a transaction that can be rolled back alone. Created by [`Transaction::savepoint`].
///
/// Entities and queries take it as a connection, and it dereferences to its [`Transaction`], so a
/// function that takes `&Transaction` takes `&savepoint`, and `savepoint.savepoint()` nests.
/// Dropped, it is rolled back, and the patterns that were collected in it are forgotten.
///
/// ```
/// # use cache_runtime::{Cache, Transactional};
/// # use cache_sql::sea_orm::Db;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::builder().build()?;
/// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
/// let mut tx = db.begin().await?;
/// let mut savepoint = tx.savepoint().await?;
/// savepoint.invalidations().add("posts:a:*");
/// drop(savepoint.savepoint().await?);
/// savepoint.commit().await?;
/// assert_eq!(tx.invalidations().patterns(), ["posts:a:*"]);
/// # Ok(())
/// # }
/// ```
pub struct Savepoint<'t> {
    /// `None` once it has ended. Dropping it begins ROLLBACK TO.
    inner: Option<DatabaseTransaction>,
    outer: &'t mut Transaction,
    /// The collector's state when this began.
    point: cache_runtime::Savepoint,
}

impl<'t> Savepoint<'t> {
    pub(super) fn new(
        outer: &'t mut Transaction,
        inner: DatabaseTransaction,
        point: cache_runtime::Savepoint,
    ) -> Self {
        Self {
            inner: Some(inner),
            outer,
            point,
        }
    }

    /// The connection, which a transaction and its savepoints share.
    pub(super) fn inner(&self) -> &DatabaseTransaction {
        self.outer.inner()
    }

    /// Keep the changes, as a part of the transaction around this: RELEASE SAVEPOINT. The patterns
    /// are invalidated when that commits.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
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
    pub async fn commit(mut self) -> Result<(), DbErr> {
        // Taken out: `Drop` then keeps the patterns.
        match self.inner.take() {
            Some(inner) => inner.commit().await,
            None => Ok(()),
        }
    }

    /// Undo the changes: ROLLBACK TO SAVEPOINT. The patterns that were collected in this savepoint
    /// are forgotten.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
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
    /// Dropped before its first poll, the savepoint is rolled back. Dropped after it, the patterns
    /// stay with the transaction.
    pub async fn rollback(mut self) -> Result<(), DbErr> {
        if let Some(inner) = self.inner.take() {
            inner.rollback().await?;
            self.invalidations().rollback_to(self.point);
        }
        Ok(())
    }
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            // Begins ROLLBACK TO, which is sent before the connection's next statement.
            drop(inner);
            self.invalidations().rollback_to(self.point);
        }
    }
}

impl Transactional for Savepoint<'_> {
    fn invalidations(&self) -> &Invalidations {
        self.outer.invalidations()
    }
}

impl Deref for Savepoint<'_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        self.outer
    }
}

impl DerefMut for Savepoint<'_> {
    fn deref_mut(&mut self) -> &mut Transaction {
        self.outer
    }
}

impl fmt::Debug for Savepoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Savepoint")
            .field("invalidations", self.invalidations())
            .finish_non_exhaustive()
    }
}
