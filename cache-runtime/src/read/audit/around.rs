//! A read after whose hit an audit may begin.

use std::future::Future;
use std::sync::Arc;

use crate::core::Cache;
use crate::core::audits::Turn;
use crate::entry::CachedValue;
use crate::read::audit::compare::answer;
use crate::read::audit::examine::{Bodies, examine};
use crate::read::audit::ticket::Seen;
use crate::read::call::Call;
use crate::read::lookup::{Lookup, LookupState, rebuild};
use crate::read::refresh::Spawner;
use crate::store::Store;
use crate::value::shape::Cached;

/// An argument of a body that runs again in the background.
#[diagnostic::on_unimplemented(
    message = "`audit` needs arguments that are `Clone + Send`, and `{Self}` isn't",
    label = "the type of this argument isn't `Clone + Send`",
    note = "an audit runs the body once more in the background, with clones of the arguments: take a handle that is `Clone`, such as an `Arc`, or remove `audit`"
)]
pub trait AuditedArgument {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send> AuditedArgument for T {}

/// Require an argument to be fit for an audit.
pub fn argument<A: AuditedArgument>() {}

/// Answer an async call by `read`, with one run of the body. If it is to be audited and an entry
/// answers it, the body runs `again` in the background.
///
/// Cancel safety: that of `read`. An audit runs without its caller.
pub fn audited<R, S, F, B, L>(
    lookup: Lookup<R, S>,
    again: F,
    read: impl FnOnce(Lookup<R, S>, B) -> L,
) -> impl Future<Output = R>
where
    R: Cached<S> + 'static,
    S: 'static,
    F: Fn() -> B + Send + 'static,
    B: Future<Output = R> + Send + 'static, // otherwise take `audit` away
    L: Future<Output = R>,
{
    Box::pin(async move {
        let noted = noted(&lookup);
        // Returned before the await: an `R` needn't be `Send`.
        if let Some(call) = &noted
            && let Some(value) = found_here::<R, S>(call)
        {
            if let Some(audit) = Audit::admitted(call) {
                audit.begin::<R, S, F, B>(again);
            }
            return value;
        }
        let task = again();
        let value = read(lookup, task).await;
        if let Some(audit) = noted.as_ref().and_then(Audit::admitted) {
            audit.begin::<R, S, F, B>(again);
        }
        value
    })
}

/// [`audited`] for a blocking call.
pub fn audited_sync<R, S, F>(
    lookup: Lookup<R, S>,
    again: F,
    read: impl FnOnce(Lookup<R, S>, F) -> R,
) -> R
where
    R: Cached<S> + 'static,
    S: 'static,
    F: Fn() -> R + Clone + Send + 'static, // otherwise take `audit` away
{
    let Some(noted) = noted(&lookup) else {
        return read(lookup, again);
    };
    let found = found_here::<R, S>(&noted);
    let value = found.unwrap_or_else(|| read(lookup, again.clone()));
    if let Some(audit) = Audit::admitted(&noted) {
        audit.begin_sync::<R, S, F>(again);
    }
    value
}

/// Return the call, if it is to be audited.
fn noted<R: Cached<S>, S>(lookup: &Lookup<R, S>) -> Option<Call> {
    match &lookup.state {
        LookupState::Pending(call) if call.audit.is_some() => Some((**call).clone()),
        _ => None,
    }
}

/// Return the value of a fresh entry in this process, counted as a hit. Calls that aren't drawn are
/// answered by the lookup; this one looks for itself, so that it joins no flight.
#[cold]
fn found_here<R: Cached<S>, S>(call: &Call) -> Option<R> {
    let ticket = call.audit.as_ref()?;
    let seen = Seen::here(call)?;
    let found = shared::<R, S>(call, &seen)?;
    let value = rebuild(found)?;
    match &call.cache.inner().store {
        Store::Memory(_) => call.hit(),
        #[cfg(feature = "redis")]
        Store::Redis(_) => call.near_hit(),
    }
    ticket.note(seen);
    Some(value)
}

/// An audit that may begin.
struct Audit {
    call: Call,
    seen: Seen,
    turn: Turn,
    spawner: Spawner,
}

impl Audit {
    /// Return the audit of a call that an entry has answered, if an audit may begin now.
    #[cold]
    fn admitted(call: &Call) -> Option<Self> {
        let seen = call.audit.as_ref()?.take()?;
        let audits = &call.cache.inner().audits;
        let turn = audits.admit(&call.key, seen.identity())?;
        let spawner = Spawner::find()?;
        Some(Self {
            call: call.clone(),
            seen,
            turn,
            spawner,
        })
    }

    fn begin<R, S, F, B>(self, again: F)
    where
        R: Cached<S> + 'static,
        S: 'static,
        F: Fn() -> B + Send + 'static,
        B: Future<Output = R> + Send + 'static,
    {
        let Self {
            call,
            seen,
            turn,
            spawner,
        } = self;
        spawner.run(async move {
            let Some(entry) = shared::<R, S>(&call, &seen) else {
                return;
            };
            let bodies: Bodies = Box::new(move || {
                let (entry, body) = (entry.clone(), Cache::uncached(again()));
                Box::pin(async move {
                    let opened = body.await.open();
                    answer::<R, S>(&entry, &opened)
                })
            });
            examine(call, seen, turn, bodies).await;
        });
    }

    fn begin_sync<R, S, F>(self, again: F)
    where
        R: Cached<S> + 'static,
        S: 'static,
        F: Fn() -> R + Clone + Send + 'static,
    {
        let Self {
            call,
            seen,
            turn,
            spawner,
        } = self;
        spawner.run(async move {
            let Some(entry) = shared::<R, S>(&call, &seen) else {
                return;
            };
            let bodies: Bodies = Box::new(move || {
                let (entry, again) = (entry.clone(), again.clone());
                let body = move || answer::<R, S>(&entry, &again().open());
                Box::pin(Spawner::blocking(move || Cache::uncached_sync(body)))
            });
            examine(call, seen, turn, bodies).await;
        });
    }
}

/// Return the entry's value.
fn shared<R: Cached<S>, S>(call: &Call, seen: &Seen) -> Option<CachedValue<Arc<R::Stored>>> {
    seen.payload.share(seen.version, call.version)
}
