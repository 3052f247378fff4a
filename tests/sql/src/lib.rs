//! Databases that a test owns: real servers of Postgres and MariaDB, on free ports.

pub mod databases;
mod mariadb;
mod postgres;
mod server;

pub use mariadb::MariaDb;
pub use postgres::Postgres;
