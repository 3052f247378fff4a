//! Transactions of `cache-sql` on real databases: SQLite, Postgres and MariaDB.

#[macro_use]
mod databases;

mod closures;
mod commits;
mod outcomes;
mod races;
mod savepoints;
mod settle;
