//! Running a body in the background.

use std::future::Future;
use std::pin::Pin;

use tokio::runtime::Handle;
use tracing::Span;
use tracing::dispatcher::{self, Dispatch};
use tracing::instrument::{Instrument as _, WithSubscriber as _};

use crate::core::Cache;
use crate::current;
use crate::runtime::{self, block_on};

/// The context of a call: its runtime, its current cache, its span and its subscriber.
pub(crate) struct CallContext {
    callers: Option<Handle>,
    scope: Option<Cache>,
    span: Span,
    subscriber: Dispatch,
}

impl CallContext {
    pub(crate) fn current() -> Self {
        Self {
            callers: callers(),
            scope: current::scoped(),
            span: Span::current(),
            subscriber: dispatcher::get_default(Clone::clone),
        }
    }

    /// Run the future in this context when the call is over; without a runtime, on a thread beside
    /// the cache's own. If neither is available, the future is dropped.
    pub(crate) fn spawn(self, future: impl Future<Output = ()> + Send + 'static) {
        let future = future
            .instrument(self.span)
            .with_subscriber(self.subscriber);
        let spawner = match self.callers {
            Some(handle) => Some(Spawner::Callers(handle)),
            None => runtime::handle().ok().map(Spawner::Own),
        };
        let Some(spawner) = spawner else { return };
        match self.scope {
            Some(cache) => spawner.spawn(Box::pin(cache.scope(future))),
            None => spawner.spawn(Box::pin(future)),
        }
    }
}

/// Return the caller's runtime. A body that runs on a thread beside the cache's is within the
/// cache's runtime, which doesn't count.
fn callers() -> Option<Handle> {
    let callers = Handle::try_current().ok();
    callers.filter(|handle| !runtime::is_own(handle))
}

/// The runtime for a background body. If that runtime ends, its tasks are dropped, and so give
/// their claims back.
pub(crate) enum Spawner {
    /// On the caller's runtime.
    Callers(Handle),
    /// On a thread beside the cache's own, which user code must not block.
    Own(&'static Handle),
}

impl Spawner {
    /// Return the caller's runtime, otherwise the cache's; `None` if threads can't be started.
    pub(crate) fn find() -> Option<Self> {
        match callers() {
            Some(handle) => Some(Self::Callers(handle)),
            None => runtime::handle().ok().map(Self::Own),
        }
    }

    /// Run the future with the caller's current cache, within the caller's span.
    pub(crate) fn run(self, future: impl Future<Output = ()> + Send + 'static) {
        let future = future.in_current_span().with_current_subscriber();
        let future: Pin<Box<dyn Future<Output = ()> + Send>> = match current::scoped() {
            Some(cache) => Box::pin(cache.scope(future)),
            None => Box::pin(future),
        };
        self.spawn(future);
    }

    fn spawn(self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        match self {
            Self::Callers(handle) => drop(handle.spawn(future)),
            Self::Own(handle) => drop(handle.spawn_blocking(move || block_on(future))),
        }
    }

    /// [`run`](Self::run) for blocking work.
    pub(crate) fn run_blocking(self, work: impl FnOnce() + Send + 'static) {
        let (span, subscriber) = (Span::current(), dispatcher::get_default(Clone::clone));
        let work = move || dispatcher::with_default(&subscriber, || span.in_scope(work));
        let scope = current::scoped();
        let work = move || match scope {
            Some(cache) => cache.scope_sync(work),
            None => work(),
        };
        let handle = match &self {
            Self::Callers(handle) => handle,
            Self::Own(handle) => *handle,
        };
        drop(handle.spawn_blocking(work));
    }
}
