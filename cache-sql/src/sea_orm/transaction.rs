//! A transaction of SeaORM that collects invalidations.

use std::fmt;
use std::ops::Deref;

use ::sea_orm::{DatabaseTransaction, DbErr, RuntimeErr, TransactionTrait};
use cache_runtime::{Invalidations, Transactional};

use super::Savepoint;
use super::db::Hook;
use crate::commit::{Collector, Config};
use crate::detached::detached;
use crate::outcome;

/// A transaction of SeaORM. The patterns that are collected in it are invalidated after COMMIT, each
/// once. Dropped, it is rolled back and invalidates nothing.
///
/// Entities and queries take it as a connection, `post.insert(&tx)`, and it dereferences to
/// [`DatabaseTransaction`]. `#[invalidate(.., tx = tx)]` collects in it, and
/// `#[cacheable(.., tx = tx)]` runs uncached while it is open. Functions take `&Transaction`, and
/// then a [`Savepoint`], too.
///
/// ```
/// use cache_runtime::{Cache, Transactional};
/// use cache_sql::sea_orm::Db;
/// use sea_orm::entity::prelude::*;
/// use sea_orm::ActiveValue::Set;
///
/// mod post {
///     use sea_orm::entity::prelude::*;
///
///     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
///     #[sea_orm(table_name = "posts")]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i32,
///         pub title: String,
///     }
///
///     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
///     pub enum Relation {}
///
///     impl ActiveModelBehavior for ActiveModel {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::builder().build()?;
/// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
/// # let create = "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL)";
/// # db.connection().execute_unprepared(create).await?;
/// let tx = db.begin().await?;
/// let post = post::ActiveModel { title: Set("A".to_owned()), ..Default::default() };
/// let post = post.insert(&tx).await?;
/// tx.invalidations().add(&format!("posts:{}:*", post.id));
/// tx.commit().await?;
/// assert_eq!(post::Entity::find().count(db.connection()).await?, 1);
/// # Ok(())
/// # }
/// ```
pub struct Transaction {
    inner: DatabaseTransaction,
    collector: Collector,
    hook: Option<Hook>,
}

impl Transaction {
    pub(super) fn new(inner: DatabaseTransaction, config: &Config, hook: Option<Hook>) -> Self {
        Self {
            inner,
            collector: Collector::new(config),
            hook,
        }
    }

    pub(super) fn inner(&self) -> &DatabaseTransaction {
        &self.inner
    }

    /// Commit, then invalidate the collected patterns, and wait for both.
    ///
    /// A failure of the cache isn't the caller's: the cache logs it and replays the invalidation.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// cache.set("posts:a", "old", 60).await?;
    /// let tx = db.begin().await?;
    /// tx.invalidations().add("posts:a:*");
    /// tx.commit().await?;
    /// assert!(!cache.exists("posts:a").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of COMMIT. If it proves that the database rolled back (a constraint, a
    /// serialization failure, a busy SQLite), nothing is invalidated. Otherwise, as when the
    /// connection breaks, the outcome is unknown: the patterns are invalidated before this returns,
    /// and again after 1 and 10 seconds, since the database may still be about to commit.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, the transaction is rolled back. Dropped after it, the commit
    /// and the invalidation finish without their caller. If the runtime shuts down during the
    /// commit, the outcome is unknown, and the patterns are invalidated.
    pub async fn commit(self) -> Result<(), DbErr> {
        let Self {
            mut inner,
            mut collector,
            hook,
        } = self;
        if collector.is_idle() {
            return inner.commit().await;
        }
        let committed = detached(async move {
            if collector.is_in_doubt() {
                return Err(ended_early());
            }
            collector.before_commit(hook.as_deref(), &mut inner).await?;
            collector.commit(inner.commit(), is_refusal).await
        });
        let lost =
            |lost: crate::detached::Lost| Err(DbErr::Conn(RuntimeErr::Internal(lost.to_string())));
        committed.await.unwrap_or_else(lost)
    }

    /// Roll back, and forget the collected patterns.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// cache.set("posts:a", "current", 60).await?;
    /// let tx = db.begin().await?;
    /// tx.invalidations().add("posts:a:*");
    /// tx.rollback().await?;
    /// assert!(cache.exists("posts:a").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of ROLLBACK. The transaction is rolled back all the same, when the server notices
    /// that the connection has ended.
    ///
    /// # Cancel safety
    ///
    /// The transaction is rolled back.
    pub async fn rollback(self) -> Result<(), DbErr> {
        // The collector is dropped with this, at the end or when the future is dropped.
        let Self {
            inner, collector, ..
        } = self;
        let rolled_back = inner.rollback().await;
        drop(collector);
        rolled_back
    }

    /// Begin a savepoint: a part of the transaction that can be rolled back alone, with the patterns
    /// that were collected in it. Savepoints nest.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// let mut tx = db.begin().await?;
    /// tx.invalidations().add("posts:a:*");
    /// let savepoint = tx.savepoint().await?;
    /// savepoint.invalidations().add("posts:b:*");
    /// savepoint.rollback().await?;
    /// assert_eq!(tx.invalidations().patterns(), ["posts:a:*"]);
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of SAVEPOINT. SeaORM then rolls back the whole transaction, and a commit fails.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: SeaORM rolls back the whole transaction, and a commit fails. The patterns
    /// collected so far are invalidated when the transaction ends.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_>, DbErr> {
        let point = self.collector.invalidations().savepoint();
        // An error, or a drop at this await, lets SeaORM roll back the whole transaction, and then
        // each later statement commits by itself.
        self.collector.may_end();
        let inner = self.inner.begin().await?;
        self.collector.still_open();
        Ok(Savepoint::new(self, inner, point))
    }
}

/// The error of committing a transaction that no longer exists.
fn ended_early() -> DbErr {
    DbErr::Custom(
        "the transaction has ended before its commit: beginning a savepoint in it failed, or its \
         future was dropped"
            .to_owned(),
    )
}

/// Whether the error of COMMIT proves that the transaction was rolled back.
fn is_refusal(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => outcome::is_refusal(error),
        _ => false,
    }
}

impl Transactional for Transaction {
    fn invalidations(&self) -> &Invalidations {
        self.collector.invalidations()
    }
}

impl Deref for Transaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("invalidations", self.collector.invalidations())
            .finish_non_exhaustive()
    }
}
