//! Connections on the callers' own runtimes, for plain reads.
//!
//! A command over the cache's own thread costs two hops between threads. What writes pays them, since it must finish without its
//! caller. A plain `GET` needs no finishing: dropped, nothing is lost. So a runtime that reads again and again gets a
//! connection of its own, whose driver is a task of that runtime, and its reads hop nowhere.
//!
//! Such a connection decides nothing. It leads to the very server that the main one (the one of [`ConnectionManager`](crate::store::redis::conn::manager::ConnectionManager)) leads
//! to, and ends with that one's number; what fails over it, or takes too long, is asked over the main one, and that
//! decides whether it is an outage. So everything that is said of a read after an outage holds for these reads too:
//! before the breaker closes, the main connection has another number, and none of these is used any more.

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

/// After so many reads a runtime gets a connection: one of a single test, or of a start, needs none.
const SOME_READS: u32 = 16;
/// Of so many runtimes something is known at once.
const MOST: usize = 1_024;
/// For how long a runtime whose connection was of no use gets no other.
const PAUSE: Duration = Duration::from_secs(1);

/// A runtime without I/O panics when it is asked for it, and nothing tells before: tokio has no function that answers, and every one
/// that registers a socket panics. (The number of sockets would tell, in builds with `tokio_unstable` only.) That is caught, once in a process: whether
/// the next runtime has it isn't tried any more.
static MET_ONE_WITHOUT_IO: AtomicBool = AtomicBool::new(false);

/// The connections of a cache.
pub(crate) struct PerRuntime {
    /// Whether there are such connections at all.
    usable: bool,
    slots: RwLock<HashMap<Id, Slot, RandomState>>,
    /// How many were opened, so that an opening knows its own.
    serial: AtomicU64,
    timer: Arc<CoarseTimer>,
}

/// A connection whose driver is a task of the callers' runtime.
pub(crate) struct RuntimeConnection {
    connection: MultiplexedConnection,
    /// The main connection, whose server this one leads to.
    number: u64,
    runtime: Id,
    serial: u64,
}

/// What is known of a runtime.
enum Slot {
    /// So many reads went over the main connection.
    Counted(u32),
    Opening(OpeningTask),
    Open(
        Arc<RuntimeConnection>,
        #[expect(dead_code, reason = "ends it when dropped")] OpeningTask,
    ),
    /// The last one was of no use.
    Refused(Instant),
}

/// Who opens a connection, and then waits for the end of its runtime. Dropped, it ends with the connection.
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
            // Where a panic can't be caught none may be risked. In a cluster one would need a connection to each master.
            usable: cfg!(panic = "unwind") && wanted,
            slots: RwLock::default(),
            serial: AtomicU64::new(0),
            timer: Arc::new(CoarseTimer::of(response)),
        }
    }

    /// The connection of the runtime that polls the caller, if there is one to the server that the main connection leads to.
    fn here(&self, client: &Arc<Client>) -> Option<Arc<RuntimeConnection>> {
        // Who blocks its thread may block the very one that is to run the driver.
        if !self.usable || !runtime::is_free_caller() {
            return None;
        }
        let runtime = Handle::try_current().ok()?;
        let main = client.manager.number()?;
        match self.read().get(&runtime.id()) {
            Some(Slot::Open(local, _)) if local.number == main => return Some(Arc::clone(local)),
            Some(Slot::Opening(_)) => return None,
            _ => {}
        }
        self.count(client, &runtime, main);
        None
    }

    /// Notes a read of a runtime that has no connection; the last that it takes has one opened.
    #[cold]
    fn count(&self, client: &Arc<Client>, runtime: &Handle, main: u64) {
        let mut slots = self.write();
        if slots.len() >= MOST && !slots.contains_key(&runtime.id()) {
            slots.retain(|_, slot| matches!(slot, Slot::Opening(_) | Slot::Open(..)));
            if slots.len() >= MOST {
                return;
            }
        }
        let slot = slots.entry(runtime.id()).or_insert(Slot::Counted(0));
        match slot {
            Slot::Counted(reads) if *reads + 1 < SOME_READS => *reads += 1,
            Slot::Counted(_) if !MET_ONE_WITHOUT_IO.load(Ordering::Relaxed) => {
                let serial = self.serial.fetch_add(1, Ordering::Relaxed);
                if let Some(opening) = open::start(client, runtime.clone(), serial) {
                    *slot = Slot::Opening(opening);
                }
            }
            Slot::Counted(_) | Slot::Opening(_) => {}
            // Its server is no longer the main connection's, or not known to be.
            Slot::Open(local, _) if local.number != main => *slot = Slot::Counted(SOME_READS),
            Slot::Open(..) => {}
            Slot::Refused(until) if Instant::now() < *until => {}
            Slot::Refused(_) => *slot = Slot::Counted(SOME_READS),
        }
    }

    /// Puts a connection to use, unless its opening was given up meanwhile.
    fn stands(&self, local: RuntimeConnection) {
        let mut slots = self.write();
        if let Some(slot) = slots.get_mut(&local.runtime)
            && matches!(slot, Slot::Opening(opening) if opening.serial == local.serial)
            && let Slot::Opening(opening) = std::mem::replace(slot, Slot::Counted(0))
        {
            *slot = Slot::Open(Arc::new(local), opening);
        }
    }

    /// The runtime gets no connection for a while: this one, or the attempt at it, was of no use.
    fn refuse(&self, runtime: Id, serial: u64, pause: Duration) {
        self.change(runtime, serial, Some(Slot::Refused(Instant::now() + pause)));
    }

    /// The runtime is no more.
    fn forget(&self, runtime: Id, serial: u64) {
        self.change(runtime, serial, None);
    }

    fn change(&self, runtime: Id, serial: u64, to: Option<Slot>) {
        let mut slots = self.write();
        let is_it = slots
            .get(&runtime)
            .is_some_and(|slot| slot.serial() == Some(serial));
        let before = match (is_it, to) {
            (true, Some(slot)) => slots.insert(runtime, slot),
            (true, None) => slots.remove(&runtime),
            (false, _) => None,
        };
        // Its end wakes tasks of that runtime, which isn't for under a lock.
        drop(slots);
        drop(before);
    }

    /// Ends all of them: the main connection has failed. Whoever waits for a reply asks the main one, and hears so.
    pub(crate) fn end(&self) {
        let ended = std::mem::take(&mut *self.write());
        drop(ended);
        self.timer.call_off();
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Id, Slot, RandomState>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Id, Slot, RandomState>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
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
