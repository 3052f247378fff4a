//! The outbox of `cache-sql` on real databases: SQLite, Postgres and MariaDB.

use sql_tests::databases;

mod crashes;
mod failures;
mod libraries;
mod outages;
mod relays;
mod rows;
mod serializable;
mod support;
mod worker_process;
