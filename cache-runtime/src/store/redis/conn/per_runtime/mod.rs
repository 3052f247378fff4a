//! Connections on the callers' own runtimes, for plain reads.
//!
//! A command sent through the cache's own thread costs two switches between threads. A write pays
//! for them, since it must finish without its caller. A plain `GET` can be dropped at any time, and
//! nothing is lost. So a runtime that reads repeatedly gets a connection of its own, whose driver
//! is a task of that runtime, and its reads need no switch.
//!
//! Such a connection never decides whether there is an outage. It leads to the same server as the
//! main connection (that of
//! [`ConnectionManager`](crate::store::redis::conn::manager::ConnectionManager)), and is valid for
//! one number of the main connection. A read that fails or takes too long is repeated over the main
//! connection, and that result decides. So every guarantee about reads after an outage holds for
//! these reads too: before the breaker closes, the main connection has another number, and none of
//! these connections is used any more.

mod coarse_timer;
mod get;
mod open;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{Handle, Id};
use tokio::task::{AbortHandle, JoinHandle};

use crate::runtime;
use crate::store::redis::client::Client;
use coarse_timer::CoarseTimer;

/// Number of reads after which a runtime gets a connection. The runtime of a single test, or one
/// used during startup, needs none.
const READS_BEFORE_CONNECTING: u32 = 16;
/// Number of runtimes that are remembered.
const MAX_RUNTIMES: usize = 1_024;
/// How long a runtime gets no other connection after one that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Set after a runtime without I/O was met.
///
/// Asking such a runtime for I/O panics, and there is no way to tell beforehand: tokio has no
/// function that answers, and every function that registers a socket panics. (The number of sockets
/// would tell, but only in builds with `tokio_unstable`.) The panic is caught, once in a process:
/// after that, no other runtime is tried.
static MET_ONE_WITHOUT_IO: AtomicBool = AtomicBool::new(false);

/// Connections of a cache on its callers' runtimes.
pub(crate) struct PerRuntime {
    /// Whether there are such connections at all.
    usable: bool,
    slots: RwLock<HashMap<Id, RuntimeState, RandomState>>,
    /// Number of connections opened, so that an attempt recognizes its own slot.
    serial: AtomicU64,
    timer: Arc<CoarseTimer>,
}

/// Connection whose driver is a task of a caller's runtime.
pub(crate) struct RuntimeConnection {
    connection: MultiplexedConnection,
    /// Number of the main connection, whose server this one leads to.
    number: u64,
    runtime: Id,
    serial: u64,
}

/// State of a runtime.
enum RuntimeState {
    /// Number of reads so far over the main connection.
    Counted(u32),
    Opening(OpeningTask),
    Open(
        Arc<RuntimeConnection>,
        #[expect(dead_code, reason = "ends it when dropped")] OpeningTask,
    ),
    /// When the last connection failed.
    Refused(Instant),
}

/// Task that opens a connection and then waits for the end of its runtime. Dropping it aborts it
/// together with the connection.
struct OpeningTask {
    serial: u64,
    task: AbortHandle,
}

impl Drop for OpeningTask {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PerRuntime {
    pub(crate) fn new(wanted: bool, response: Duration) -> Self {
        Self {
            // Where a panic can't be caught, it must not be risked. In a cluster a connection to
            // each master would be needed.
            usable: cfg!(panic = "unwind") && wanted,
            slots: RwLock::default(),
            serial: AtomicU64::new(0),
            timer: Arc::new(CoarseTimer::of(response)),
        }
    }

    /// Return the connection of the runtime that polls the caller, if it leads to the main
    /// connection's server.
    fn connection_of_caller(&self, client: &Arc<Client>) -> Option<Arc<RuntimeConnection>> {
        // A caller that blocks its thread may block the thread that is to run the driver.
        if !self.usable || !runtime::is_free_caller() {
            return None;
        }
        let runtime = Handle::try_current().ok()?;
        let main = client.manager.number()?;
        match self.read().get(&runtime.id()) {
            Some(RuntimeState::Open(local, _)) if local.number == main => {
                return Some(Arc::clone(local));
            }
            Some(RuntimeState::Opening(_)) => return None,
            _ => {}
        }
        self.count(client, &runtime, main);
        None
    }

    /// Count a read of a runtime without a connection. Open a connection after
    /// [`READS_BEFORE_CONNECTING`].
    #[cold]
    fn count(&self, client: &Arc<Client>, runtime: &Handle, main: u64) {
        let mut slots = self.write();
        if slots.len() >= MAX_RUNTIMES && !slots.contains_key(&runtime.id()) {
            slots.retain(|_, slot| {
                matches!(slot, RuntimeState::Opening(_) | RuntimeState::Open(..))
            });
            if slots.len() >= MAX_RUNTIMES {
                return;
            }
        }
        let slot = slots
            .entry(runtime.id())
            .or_insert(RuntimeState::Counted(0));
        match slot {
            RuntimeState::Counted(reads) if *reads + 1 < READS_BEFORE_CONNECTING => *reads += 1,
            RuntimeState::Counted(_) if !MET_ONE_WITHOUT_IO.load(Ordering::Relaxed) => {
                let serial = self.serial.fetch_add(1, Ordering::Relaxed);
                if let Some(opening) = open::start(client, runtime.clone(), serial) {
                    *slot = RuntimeState::Opening(opening);
                }
            }
            RuntimeState::Counted(_) | RuntimeState::Opening(_) => {}
            // Its server is no longer the main connection's, or not known to be.
            RuntimeState::Open(local, _) if local.number != main => {
                *slot = RuntimeState::Counted(READS_BEFORE_CONNECTING)
            }
            RuntimeState::Open(..) => {}
            RuntimeState::Refused(until) if Instant::now() < *until => {}
            RuntimeState::Refused(_) => *slot = RuntimeState::Counted(READS_BEFORE_CONNECTING),
        }
    }

    /// Put a connection into use, unless the attempt to open it was given up meanwhile.
    fn install(&self, local: RuntimeConnection) {
        let mut slots = self.write();
        if let Some(slot) = slots.get_mut(&local.runtime)
            && matches!(slot, RuntimeState::Opening(opening) if opening.serial == local.serial)
            && let RuntimeState::Opening(opening) =
                std::mem::replace(slot, RuntimeState::Counted(0))
        {
            *slot = RuntimeState::Open(Arc::new(local), opening);
        }
    }

    /// Open no connection for the runtime for a while, since this one, or the attempt to open it,
    /// failed.
    fn refuse(&self, runtime: Id, serial: u64, pause: Duration) {
        self.change(
            runtime,
            serial,
            Some(RuntimeState::Refused(Instant::now() + pause)),
        );
    }

    /// Forget a runtime that has ended.
    fn forget(&self, runtime: Id, serial: u64) {
        self.change(runtime, serial, None);
    }

    fn change(&self, runtime: Id, serial: u64, to: Option<RuntimeState>) {
        let mut slots = self.write();
        let is_it = slots
            .get(&runtime)
            .is_some_and(|slot| slot.serial() == Some(serial));
        let before = match (is_it, to) {
            (true, Some(slot)) => slots.insert(runtime, slot),
            (true, None) => slots.remove(&runtime),
            (false, _) => None,
        };
        // Dropping it wakes tasks of that runtime, which must not happen under a lock.
        drop(slots);
        drop(before);
    }

    /// End all connections, because the main connection has failed. Reads in progress are repeated
    /// over the main connection, and return its error.
    pub(crate) fn end(&self) {
        let ended = std::mem::take(&mut *self.write());
        drop(ended);
        self.timer.cancel_all();
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Id, RuntimeState, RandomState>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Id, RuntimeState, RandomState>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RuntimeState {
    fn serial(&self) -> Option<u64> {
        match self {
            Self::Opening(opening) => Some(opening.serial),
            Self::Open(local, _) => Some(local.serial),
            Self::Counted(_) | Self::Refused(_) => None,
        }
    }
}

impl OpeningTask {
    fn of(serial: u64, task: &JoinHandle<()>) -> Self {
        Self {
            serial,
            task: task.abort_handle(),
        }
    }
}
