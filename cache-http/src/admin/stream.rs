//! Changes of entries as server-sent events, and the clients that read them.
//!
//! A watch keeps a bounded number of changes for a client that reads slowly, and then tells it how
//! many were lost; so a client costs a bounded amount of memory. The number of clients is bounded,
//! too. A client that has gone is noticed by the server when it writes, so a comment is sent now
//! and then.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use cache_runtime::{Change, Watch};

/// Largest number of clients at once.
pub(super) const CLIENTS: usize = 32;
/// Time between two comments.
const BEAT: Duration = Duration::from_secs(15);
/// Length of a chunk in bytes, at which no further change is added to it.
const CHUNK: usize = 16 << 10;

/// The clients of the events.
#[derive(Default)]
pub(super) struct Clients {
    list: Mutex<Vec<Weak<Client>>>,
    /// Whether the thread that wakes the clients runs.
    is_beating: AtomicBool,
    /// Notified when a client has gone.
    gone: Condvar,
}

/// A client that is connected.
pub(super) struct Client {
    /// Whether a comment is to be sent.
    is_due: AtomicBool,
    waker: Mutex<Option<Waker>>,
    clients: Arc<Clients>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.clients.gone.notify_all();
    }
}

impl Clients {
    /// Add a client; `None` if there are too many.
    pub(super) fn add(self: &Arc<Self>) -> Option<Arc<Client>> {
        let mut list = self.lock();
        list.retain(|client| client.strong_count() > 0);
        if list.len() >= CLIENTS {
            return None;
        }
        let client = Arc::new(Client {
            is_due: AtomicBool::new(false),
            waker: Mutex::default(),
            clients: Arc::clone(self),
        });
        list.push(Arc::downgrade(&client));
        if !self.is_beating.swap(true, Ordering::AcqRel) {
            self.beat();
        }
        Some(client)
    }

    /// Wake the clients now and then, until the last one has gone. A thread, since a service of
    /// tower may run on a runtime without a timer. If it can't be started, there are no comments.
    fn beat(self: &Arc<Self>) {
        let clients = Arc::clone(self);
        let thread = thread::Builder::new().name("cache-admin-events".to_owned());
        let started = thread.spawn(move || {
            let mut list = clients.lock();
            loop {
                list.retain(|client| client.strong_count() > 0);
                if list.is_empty() {
                    // Under the lock, so that a client that is added next starts another one.
                    clients.is_beating.store(false, Ordering::Release);
                    return;
                }
                let waited = clients.gone.wait_timeout(list, BEAT);
                let (returned, waited) = waited.unwrap_or_else(PoisonError::into_inner);
                list = returned;
                if !waited.timed_out() {
                    continue;
                }
                let due: Vec<Arc<Client>> = list.iter().filter_map(Weak::upgrade).collect();
                // A waker is foreign code.
                drop(list);
                for client in due {
                    client.is_due.store(true, Ordering::Release);
                    let waker = client.waker();
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
                list = clients.lock();
            }
        });
        if started.is_err() {
            self.is_beating.store(false, Ordering::Release);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Client>>> {
        // No code panics while it has the lock.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn waker(&self) -> Option<Waker> {
        let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        waker.take()
    }

    fn set_waker(&self, cx: &Context<'_>) {
        let mut waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        *waker = Some(cx.waker().clone());
    }
}

/// The body of an answer: changes until the client leaves, or the cache is gone.
pub(super) struct Events {
    watch: Watch,
    client: Arc<Client>,
    /// Whether the first comment was sent, after which a client knows that nothing is missed.
    has_begun: bool,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    pub(super) fn new(watch: Watch, client: Arc<Client>) -> Self {
        Self {
            watch,
            client,
            has_begun: false,
        }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // Before the flag is read, so that one set in between wakes this task again.
        self.client.set_waker(cx);
        let mut chunk = String::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            chunk.push_str(": watching\n\n");
        }
        while chunk.len() < CHUNK {
            match self.watch.poll_next(cx) {
                Poll::Ready(Some(change)) => write(&change, &mut chunk),
                Poll::Ready(None) if chunk.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        if self.client.is_due.swap(false, Ordering::AcqRel) && chunk.is_empty() {
            chunk.push_str(": beat\n\n");
        }
        match chunk.is_empty() {
            true => Poll::Pending,
            false => Poll::Ready(Some(chunk.into())),
        }
    }
}

/// Write an event. JSON has no line breaks in it.
fn write(change: &Change, to: &mut String) {
    if let Ok(json) = serde_json::to_string(change) {
        let _ = write!(to, "event: {}\ndata: {json}\n\n", change.kind);
    }
}
