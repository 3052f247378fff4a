//! Databases that a test owns: real servers of Postgres and MariaDB, on free ports.

mod mariadb;
mod postgres;
mod server;

pub use mariadb::MariaDb;
pub use postgres::Postgres;
