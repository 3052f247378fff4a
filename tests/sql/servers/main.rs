//! The servers that the other tests use start, are separate, and end.

use std::net::TcpStream;

use sql_tests::{MariaDb, Postgres};
use sqlx::{Connection, MySqlConnection, PgConnection};
use tests::until_blocking;

#[tokio::test]
async fn each_postgres_database_is_empty() {
    let server = Postgres::shared();
    for _ in 0..2 {
        let url = server.create_database().await;
        let mut connection = PgConnection::connect(&url).await.expect("it answers");
        sqlx::query("CREATE TABLE posts (id INT)")
            .execute(&mut connection)
            .await
            .expect("the database has no such table");
    }
}

#[tokio::test]
async fn each_mariadb_database_is_empty() {
    let server = MariaDb::shared();
    for _ in 0..2 {
        let url = server.create_database().await;
        let mut connection = MySqlConnection::connect(&url).await.expect("it answers");
        sqlx::query("CREATE TABLE posts (id INT)")
            .execute(&mut connection)
            .await
            .expect("the database has no such table");
    }
}

#[test]
fn a_dropped_postgres_server_no_longer_listens() {
    let server = Postgres::start();
    let port = server.port();
    drop(server);
    until_blocking("the port is closed", || refused(port));
}

#[test]
fn a_dropped_mariadb_server_no_longer_listens() {
    let server = MariaDb::start();
    let port = server.port();
    drop(server);
    until_blocking("the port is closed", || refused(port));
}

fn refused(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err()
}
