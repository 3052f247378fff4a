//! A Postgres server of the tests' own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::server::{Home, Kind, Server, printed, program};

/// A Postgres server on a free port of the loopback interface, with its data in a temporary folder
/// and without `fsync`. It ends when this is dropped, or with the test program.
///
/// Starting takes seconds, so tests share [`Postgres::shared`] and have a database each.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    databases: AtomicU32,
}

const KIND: Kind = Kind {
    users: &["postgres", "nobody"],
    initialize,
    serve,
    ready: "database system is ready to accept connections",
    // An immediate shutdown, which ends the processes of all connections.
    stop: "QUIT",
};

impl Postgres {
    /// Start a server. Panic if Postgres isn't installed.
    pub fn start() -> Self {
        Self {
            server: Server::start(&KIND),
            databases: AtomicU32::new(0),
        }
    }

    /// The server that the tests of this program share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Create an empty database, and return its URL.
    pub async fn create_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres"))
            .await
            .expect("the server answers");
        connection
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .expect("the database is created");
        let _ = connection.close().await;
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port())
    }
}

fn initialize(home: &Home) -> Command {
    let mut command = Command::new(installed("initdb"));
    command
        .arg("-D")
        .arg(home.data())
        .args(["-U", "postgres", "--auth=trust", "--no-sync"])
        .args(["--encoding=UTF8", "--no-locale"]);
    command
}

fn serve(home: &Home, port: u16) -> Command {
    let mut command = Command::new(installed("postgres"));
    command.arg("-D").arg(home.data());
    for setting in [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".into(),
        "unix_socket_directories=".into(),
        "fsync=off".into(),
        "full_page_writes=off".into(),
        "max_connections=200".into(),
        "shared_buffers=32MB".into(),
        "log_min_messages=log".into(),
    ] {
        command.arg("-c").arg(setting);
    }
    command
}

fn installed(name: &str) -> PathBuf {
    let versions = |folder: &str, bin: &str| {
        let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let version = entry.file_name().into_string().ok()?;
                let version = version.trim_start_matches("postgresql@").parse().ok()?;
                Some((version, entry.path().join(bin)))
            })
            .collect();
        found.sort_by(|one, other| other.cmp(one));
        found.into_iter().map(|(_, folder)| folder)
    };
    let folders = printed("pg_config", &["--bindir"])
        .into_iter()
        .chain(versions("/usr/lib/postgresql", "bin"))
        .chain(versions("/opt/homebrew/opt", "bin"))
        .chain(versions("/usr/local/opt", "bin"));
    program(name, folders)
        .unwrap_or_else(|| panic!("{name} of Postgres is missing; `tests/run.sh` installs it"))
}
