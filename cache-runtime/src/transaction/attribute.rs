//! `tx = ..` of the attributes.

use std::future::Future;

use super::{Invalidations, Transactional};
use crate::current::EnteredUncached;
use crate::entered::{Enter, Entered};

/// A closure that moves nothing out of the function's arguments. `FnMut` isn't a supertrait, since
/// the compiler would then report the closure's captures, which the user didn't write.
#[diagnostic::on_unimplemented(
    message = "`tx` moves an argument",
    label = "`tx` only borrows the arguments, because the body needs them afterwards",
    note = "name the transaction without consuming it: write `tx = tx` or `tx = self.tx`"
)]
pub trait LendsTransaction<T>: Sized {
    /// Call the closure.
    fn lent(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<T, F: FnMut() -> T> LendsTransaction<T> for F {
    fn lent(mut self) -> T {
        self()
    }
}

/// The value of `tx`: a transaction, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a transaction that collects invalidations",
    label = "`tx` takes a value that implements `Transactional`",
    note = "begin the transaction with `cache_sql::Db`, which wraps those of sqlx, SeaORM and rusqlite; or implement `Transactional` for a type of yours that holds the transaction and an `Invalidations`; or pass an `Invalidations` itself"
)]
pub trait MaybeTransactional {
    /// Return the collector, if there is a transaction.
    fn maybe(&self) -> Option<&Invalidations>;

    /// Return the collector of a write. It outlives the borrow of the transaction.
    fn collector(&self) -> Option<Invalidations> {
        self.maybe().cloned()
    }

    /// Whether the transaction of a read is open.
    fn is_open(&self) -> bool {
        self.maybe().is_some_and(Invalidations::is_open)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Transactional + ?Sized> MaybeTransactional for T {
    fn maybe(&self) -> Option<&Invalidations> {
        Some(self.invalidations())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Transactional> MaybeTransactional for Option<T> {
    fn maybe(&self) -> Option<&Invalidations> {
        self.as_ref().map(Transactional::invalidations)
    }
}

/// Run an async body like [`Cache::uncached`](crate::Cache::uncached), if a transaction is open.
pub fn uncached_if<F: Future>(open: bool, future: F) -> impl Future<Output = F::Output> + use<F> {
    Entered::new(UncachedWhile(open), future)
}

/// Run a blocking body like [`Cache::uncached_sync`](crate::Cache::uncached_sync), if a transaction
/// is open.
pub fn uncached_sync_if<T, F: FnOnce() -> T>(open: bool, run: F) -> impl FnOnce() -> T + use<T, F> {
    move || {
        let _entered = open.then(EnteredUncached::new);
        run()
    }
}

/// Whether the body of a function with `tx` runs uncached.
struct UncachedWhile(bool);

impl Enter for UncachedWhile {
    type Guard = Option<EnteredUncached>;
    fn enter(&self) -> Option<EnteredUncached> {
        self.0.then(EnteredUncached::new)
    }
}
