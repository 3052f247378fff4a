//! How a connection on a caller's runtime is opened, and how the end of its runtime is noticed.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::conn::endpoint::connect;
use crate::store::redis::conn::manager::identify;
use crate::store::redis::conn::per_runtime::{
    MET_ONE_WITHOUT_IO, OpeningTask, PAUSE, RuntimeConnection,
};
use crate::store::redis::conn::server_error::refused;

/// How long no connection is tried if this user may not query a server's identity.
const LONG_PAUSE: Duration = Duration::from_secs(60);

/// Open a connection whose driver is a task of this runtime. No caller waits for it: until it is
/// open, reads go over the main connection.
pub(crate) fn start(client: &Arc<Client>, runtime: Handle, serial: u64) -> Option<OpeningTask> {
    let opening = run(Arc::downgrade(client), runtime, serial);
    let task = runtime::spawn(opening).ok()?;
    Some(OpeningTask::of(serial, &task))
}

/// Open the connection, on the cache's thread. There is no timeout: a runtime that isn't driven, or
/// a silent server, delays no caller here, and an outage ends this task together with the main
/// connection.
async fn run(client: Weak<Client>, runtime: Handle, serial: u64) {
    let id = runtime.id();
    let opened = open(&client, &runtime, serial).await;
    drop(runtime);
    let Some(alive) = client.upgrade() else {
        return;
    };
    let watch = match opened {
        Ok((local, watch)) => {
            alive.per_runtime.install(local);
            watch
        }
        Err(Refusal::Later(pause)) => return alive.per_runtime.refuse(id, serial, pause),
        Err(Refusal::RuntimeEnded) => return alive.per_runtime.forget(id, serial),
    };
    drop(alive);
    watch.end().await;
    // The runtime has ended, and the driver with it.
    if let Some(alive) = client.upgrade() {
        alive.per_runtime.forget(id, serial);
    }
}

/// Reason why there is no connection.
enum Refusal {
    Later(Duration),
    RuntimeEnded,
}

async fn open(
    client: &Weak<Client>,
    runtime: &Handle,
    serial: u64,
) -> Result<(RuntimeConnection, RuntimeWatch), Refusal> {
    let later = Refusal::Later(PAUSE);
    let (client, main) = {
        let Some(alive) = client.upgrade() else {
            return Err(later);
        };
        let Some(main) = alive.manager.current() else {
            return Err(later);
        };
        match alive.manager.endpoint().find().await {
            Ok(client) => (client, main),
            Err(_) => return Err(later),
        }
    };
    let (mut watch, connecting) = RuntimeWatch::start(runtime, client);
    let mut connection = match connecting.await {
        Ok(Ok(connection)) => connection,
        Ok(Err(_)) => return Err(later),
        // The task ended without a result.
        Err(_) => return Err(watch.why().await),
    };
    // It must be the main connection's server, as queried over this connection. Another server may
    // lack invalidations and needs them first; that is the probe's task, which starts when the main
    // connection fails.
    match identify(&mut connection).await {
        Ok(server) if *server == *main.server => Ok((
            RuntimeConnection {
                connection,
                number: main.number,
                runtime: runtime.id(),
                serial,
            },
            watch,
        )),
        Err(error) if refused(&error).is_some() => Err(Refusal::Later(LONG_PAUSE)),
        _ => Err(later),
    }
}

/// Task beside the driver on the same runtime, which does nothing. It ends when the runtime ends.
struct RuntimeWatch(JoinHandle<()>);

impl RuntimeWatch {
    /// Connect on the runtime, so that the connection is registered with its reactor.
    fn start(
        runtime: &Handle,
        client: redis::Client,
    ) -> (Self, oneshot::Receiver<RedisResult<MultiplexedConnection>>) {
        let (tell, connecting) = oneshot::channel();
        let task = runtime.spawn(async move {
            let connected = connect(&client, None).await;
            drop(client);
            if connected.is_ok() && tell.send(connected).is_ok() {
                std::future::pending().await
            }
        });
        (Self(task), connecting)
    }

    async fn end(mut self) {
        let _ = (&mut self.0).await;
    }

    /// Return why the task ended without a connection.
    async fn why(&mut self) -> Refusal {
        match (&mut self.0).await {
            Ok(()) => Refusal::Later(PAUSE),
            Err(error) => without_io(&error),
        }
    }
}

/// Tell apart a panic and a cancelled task: a runtime without I/O panics when a socket is
/// registered, and one that shuts down cancels its tasks.
fn without_io(error: &JoinError) -> Refusal {
    if !error.is_panic() {
        return Refusal::RuntimeEnded;
    }
    if !MET_ONE_WITHOUT_IO.swap(true, Ordering::Relaxed) {
        tracing::warn!(target: "cache", op = "no_io", "[Cache] a tokio runtime was built without \
            I/O, so it and all later runtimes read from Redis through the cache's own thread, \
            which is slower; build it with `enable_io` or `enable_all`");
    }
    Refusal::RuntimeEnded
}

impl Drop for RuntimeWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
