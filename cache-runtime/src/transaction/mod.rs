//! Database transactions: invalidations that wait for the commit, and calls that run uncached.

pub(crate) mod attribute;
mod invalidations;
mod uncached;

pub(crate) use invalidations::{Added, Began, PendingFill};
pub use invalidations::{Invalidations, Savepoint};

/// A database transaction that collects invalidations until it commits.
///
/// `tx = tx` of [`#[invalidate]`](macro@crate::invalidate) and
/// [`#[cacheable]`](macro@crate::cacheable) takes a value of such a type. The crate `cache-sql` has
/// transactions of sqlx, SeaORM and rusqlite. For another library, keep an [`Invalidations`] beside
/// its transaction:
///
/// ```
/// use cache_runtime::{Cache, CacheError, Invalidations, Transactional, invalidate};
/// # struct Connection;
/// # impl Connection { fn commit(&mut self) {} }
///
/// struct Transaction<'c> {
///     connection: &'c mut Connection,
///     invalidations: Invalidations,
/// }
///
/// impl Transactional for Transaction<'_> {
///     fn invalidations(&self) -> &Invalidations {
///         &self.invalidations
///     }
/// }
///
/// impl Transaction<'_> {
///     async fn commit(self) -> Result<u64, CacheError> {
///         self.connection.commit();
///         self.invalidations.commit().await // after COMMIT, never before
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), CacheError> {
/// let cache = Cache::builder().build()?;
/// cache.set("posts:1", "old", 60).await?;
/// let tx = Transaction { connection: &mut Connection, invalidations: cache.invalidations() };
/// tx.invalidations().add("posts:1:*");
/// assert!(cache.exists("posts:1").await?, "nothing is removed before the commit");
/// assert_eq!(tx.commit().await?, 1);
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a transaction that collects invalidations",
    label = "`tx` takes a value that implements `Transactional`",
    note = "begin the transaction with `cache_sql::Db`, which wraps those of sqlx, SeaORM and rusqlite; or implement `Transactional` for a type of yours that holds the transaction and an `Invalidations`; or pass an `Invalidations` itself"
)]
pub trait Transactional {
    /// Return the collector of this transaction.
    fn invalidations(&self) -> &Invalidations;
}

impl Transactional for Invalidations {
    fn invalidations(&self) -> &Invalidations {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T: Transactional + ?Sized> Transactional for &T {
    fn invalidations(&self) -> &Invalidations {
        (**self).invalidations()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Transactional + ?Sized> Transactional for &mut T {
    fn invalidations(&self) -> &Invalidations {
        (**self).invalidations()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Transactional + ?Sized> Transactional for Box<T> {
    fn invalidations(&self) -> &Invalidations {
        (**self).invalidations()
    }
}
