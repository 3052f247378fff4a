//! Starting workers, and waiting for them.

use std::future::Future;
use std::process::{Child, Command, Stdio};

use tests::RedisServer;

/// Start a worker of this role.
pub(crate) fn start(role: &str, cache: &RedisServer, database: &RedisServer) -> Child {
    Command::new(env!("CARGO_BIN_EXE_worker"))
        .args([role, &cache.url(), &database.url()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Wait until all workers have ended, and assert that none has failed.
pub(crate) fn all_succeed(workers: impl IntoIterator<Item = Child>) {
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
}

/// Run a future on a runtime of its own.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}
