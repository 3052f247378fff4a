//! Running a body in the background.

use std::future::Future;
use std::pin::Pin;

use tokio::runtime::Handle;
use tracing::Span;
use tracing::dispatcher::{self, Dispatch};
use tracing::instrument::{Instrument as _, WithSubscriber as _};

use crate::context::{self, Context};
use crate::core::Cache;
use crate::current;
use crate::runtime::{self, block_on};

/// The surroundings of a call: its runtime, its current cache, the values of its request, its span and
/// its subscriber.
pub(crate) struct CallContext {
    callers: Option<Handle>,
    scope: Option<Cache>,
    values: Context,
    span: Span,
    subscriber: Dispatch,
}

impl CallContext {
    pub(crate) fn current() -> Self {
        Self {
            callers: callers(),
            scope: current::scoped(),
            values: context::current(),
            span: Span::current(),
            subscriber: dispatcher::get_default(Clone::clone),
        }
    }

    /// Run the future in this context when the call is over; without a runtime, on a thread beside
    /// the cache's own. If neither is available, the future is dropped.
    pub(crate) fn spawn(self, future: impl Future<Output = ()> + Send + 'static) {
        let future = self.values.scope(future);
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

    /// Run the future with the caller's current cache and context, within the caller's span.
    pub(crate) fn run(self, future: impl Future<Output = ()> + Send + 'static) {
        let future = context::current().scope(future);
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

    /// Run blocking work, from a future that [`run`](Self::run) was given: on another thread than
    /// those of the caller's runtime. Panics if the work does.
    pub(crate) async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        // Without a caller's runtime, the future is already on a thread that may block.
        let Some(callers) = callers() else {
            return work();
        };
        match callers.spawn_blocking(in_this_context(work)).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and drops the future that waits.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// [`run`](Self::run) for blocking work.
    pub(crate) fn run_blocking(self, work: impl FnOnce() + Send + 'static) {
        let work = in_this_context(work);
        let handle = match &self {
            Self::Callers(handle) => handle,
            Self::Own(handle) => *handle,
        };
        drop(handle.spawn_blocking(work));
    }
}

/// Let blocking work run with this thread's current cache, context, span and subscriber.
fn in_this_context<T>(work: impl FnOnce() -> T + Send) -> impl FnOnce() -> T + Send {
    let (span, subscriber) = (Span::current(), dispatcher::get_default(Clone::clone));
    let work = move || dispatcher::with_default(&subscriber, || span.in_scope(work));
    let (scope, values) = (current::scoped(), context::current());
    let work = move || values.scope_sync(work);
    move || match scope {
        Some(cache) => cache.scope_sync(work),
        None => work(),
    }
}
