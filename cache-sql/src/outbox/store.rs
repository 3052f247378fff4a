//! Access of relays to the table, through one library.

use std::error::Error;
use std::future::Future;

use crate::Dialect;

/// The id and the patterns of a row that is due.
pub(crate) type Row = (i64, String);

/// The outbox of one database, through an async library.
pub(crate) trait Store: Clone + Send + Sync + 'static {
    /// The library's error.
    type Error: Error + Send + Sync + 'static;
    /// A transaction that is rolled back when it is dropped.
    type Transaction: Send;

    /// Return the SQL that the database speaks.
    fn dialect(&self) -> Dialect;

    /// Begin a transaction with [`begin`](super::statements::begin), or the library's equivalent.
    fn begin(&self) -> impl Future<Output = Result<Self::Transaction, Self::Error>> + Send;

    /// Query rows without a transaction.
    fn query(&self, sql: String) -> impl Future<Output = Result<Vec<Row>, Self::Error>> + Send;

    /// Query rows.
    fn query_in(
        transaction: &mut Self::Transaction,
        sql: String,
    ) -> impl Future<Output = Result<Vec<Row>, Self::Error>> + Send;

    /// Execute a statement, and return the number of affected rows.
    fn execute(
        transaction: &mut Self::Transaction,
        sql: String,
    ) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// Commit.
    fn commit(
        transaction: Self::Transaction,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
