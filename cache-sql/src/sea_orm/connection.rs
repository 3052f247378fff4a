//! The traits by which entities and queries use a connection, delegated to SeaORM's transaction.

use std::future::Future;
use std::pin::Pin;

use ::sea_orm::prelude::async_trait::async_trait;
use ::sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, Statement, TransactionError, TransactionOptions, TransactionTrait,
};
use cache_runtime::Transactional as _;

use super::{Savepoint, Transaction, hooks};

macro_rules! pass_on {
    ($($type:ty),*) => {$(
        #[async_trait]
        impl ConnectionTrait for $type {
            fn get_database_backend(&self) -> DbBackend {
                hooks::answer(self.invalidations());
                self.inner().get_database_backend()
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                self.inner().execute_raw(statement).await
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                self.inner().execute_unprepared(sql).await
            }

            async fn query_one_raw(
                &self,
                statement: Statement,
            ) -> Result<Option<QueryResult>, DbErr> {
                self.inner().query_one_raw(statement).await
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                self.inner().query_all_raw(statement).await
            }

            fn support_returning(&self) -> bool {
                self.inner().support_returning()
            }

            fn is_mock_connection(&self) -> bool {
                self.inner().is_mock_connection()
            }
        }

        /// A savepoint that is begun through this trait is SeaORM's own: if it rolls back, its
        /// patterns are invalidated nevertheless.
        #[async_trait]
        impl TransactionTrait for $type {
            type Transaction = DatabaseTransaction;

            async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
                self.inner().begin().await
            }

            async fn begin_with_config(
                &self,
                isolation: Option<IsolationLevel>,
                access: Option<AccessMode>,
            ) -> Result<DatabaseTransaction, DbErr> {
                self.inner().begin_with_config(isolation, access).await
            }

            async fn begin_with_options(
                &self,
                options: TransactionOptions,
            ) -> Result<DatabaseTransaction, DbErr> {
                self.inner().begin_with_options(options).await
            }

            async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(
                        &'c DatabaseTransaction,
                    )
                        -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
                    + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                self.inner().transaction(callback).await
            }

            async fn transaction_with_config<F, T, E>(
                &self,
                callback: F,
                isolation: Option<IsolationLevel>,
                access: Option<AccessMode>,
            ) -> Result<T, TransactionError<E>>
            where
                F: for<'c> FnOnce(
                        &'c DatabaseTransaction,
                    )
                        -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
                    + Send,
                T: Send,
                E: std::fmt::Display + std::fmt::Debug + Send,
            {
                let inner = self.inner();
                inner.transaction_with_config(callback, isolation, access).await
            }
        }
    )*};
}

pass_on!(Transaction, Savepoint<'_>);
