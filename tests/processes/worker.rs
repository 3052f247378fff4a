//! Starting and being a worker.

use std::process::{Child, Command, Stdio};

use tests::RedisServer;

/// What a worker was told.
pub(crate) struct Orders {
    pub(crate) role: String,
    pub(crate) cache_url: String,
    pub(crate) database_url: String,
}

/// Starts a worker of this role.
pub(crate) fn start(role: &str, cache: &RedisServer, database: &RedisServer) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["worker::run_as_a_worker", "--exact", "--nocapture"])
        .env("WORKER_ROLE", role)
        .env("WORKER_CACHE", cache.url())
        .env("WORKER_DATABASE", database.url())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what the processes that the other tests start run. Without orders it has nothing to do.
#[test]
fn run_as_a_worker() {
    let Ok(role) = std::env::var("WORKER_ROLE") else {
        return;
    };
    let orders = Orders {
        role,
        cache_url: std::env::var("WORKER_CACHE").unwrap(),
        database_url: std::env::var("WORKER_DATABASE").unwrap(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        match orders.role.as_str() {
            "herd" => crate::herd::work(&orders).await,
            "stale" | "expired" => crate::refresh::work(&orders).await,
            "impatient" | "patient" => crate::detached::work(&orders).await,
            "near" => crate::near::work(&orders).await,
            _ => crate::stress::work(&orders).await,
        }
    });
}
