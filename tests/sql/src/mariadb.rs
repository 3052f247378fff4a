//! A MariaDB server of the tests' own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};

use crate::server::{Home, Kind, Server, program};

/// A MariaDB server on a free port of the loopback interface, with its data and its socket in a
/// temporary folder and without `fsync`. It ends when this is dropped, or with the test program.
///
/// Starting takes seconds, so tests share [`MariaDb::shared`] and have a database each.
#[derive(Debug)]
pub struct MariaDb {
    server: Server,
    databases: AtomicU32,
}

const KIND: Kind = Kind {
    users: &["mysql", "nobody"],
    initialize,
    serve,
    ready: "ready for connections",
    stop: "KILL",
};

impl MariaDb {
    /// Start a server. Panic if MariaDB isn't installed.
    pub fn start() -> Self {
        Self {
            server: Server::start(&KIND),
            databases: AtomicU32::new(0),
        }
    }

    /// The server that the tests of this program share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<MariaDb> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Create an empty database, and return its URL.
    pub async fn create_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = MySqlConnection::connect(&self.url("mysql"))
            .await
            .expect("the server answers");
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
        connection
            .execute(AssertSqlSafe(create))
            .await
            .expect("the database is created");
        let _ = connection.close().await;
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{database}", self.port())
    }
}

fn initialize(home: &Home) -> Command {
    let mut command = Command::new(installed("mariadb-install-db"));
    command
        .arg("--no-defaults")
        .arg(option("datadir", home.data()))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
        .args(["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0"])
        .arg("--innodb-log-file-size=16M");
    command
}

fn serve(home: &Home, port: u16) -> Command {
    let mut command = Command::new(installed("mariadbd"));
    command
        .arg("--no-defaults")
        .arg(option("datadir", home.data()))
        .arg(option("socket", home.folder.join("socket")))
        .arg(option("pid-file", home.folder.join("pid")))
        .arg(format!("--port={port}"))
        .args(["--bind-address=127.0.0.1", "--skip-log-bin"])
        // Written at each commit, flushed to the disk once a second.
        .args([
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-doublewrite=0",
        ])
        .args([
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=16M",
        ])
        .arg("--max-connections=200");
    command
}

fn option(name: &str, path: PathBuf) -> String {
    format!("--{name}={}", path.display())
}

fn installed(name: &str) -> PathBuf {
    let folders = [
        "/usr/sbin",
        "/usr/local/sbin",
        "/opt/homebrew/opt/mariadb/bin",
        "/usr/local/opt/mariadb/bin",
    ];
    program(name, folders.map(PathBuf::from))
        .unwrap_or_else(|| panic!("{name} of MariaDB is missing; `tests/run.sh` installs it"))
}
