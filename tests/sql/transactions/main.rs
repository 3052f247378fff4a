//! Transactions of `cache-sql` on real databases: SQLite, Postgres and MariaDB.

use sql_tests::databases;

mod closures;
mod commits;
mod outcomes;
mod races;
mod rusqlite;
mod savepoints;
mod sea_orm;
mod settle;
mod write_through;
