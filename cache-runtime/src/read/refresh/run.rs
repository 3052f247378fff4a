//! Running the body of a function with `stale`, `stale_if_error` or `early`.

use std::future::Future;
use std::sync::Arc;

use crate::entry::CachedValue;
use crate::events;
use crate::read::call::Call;
use crate::read::computation::Computation;
use crate::read::decision::{Decision, Lead};
use crate::read::detached::Handover;
use crate::read::fill::FillFuture;
use crate::read::fill::conclude::finish;
use crate::read::freshness::Reason;
use crate::read::lookup::{Lookup, LookupState, rebuild};
use crate::read::refresh::spawn::Spawner;
use crate::runtime::block_on;
use crate::ttl::IntoTtl;
use crate::value::shape::{Cached, Peek};

/// A cached value that this caller alone recomputes.
pub(crate) struct Refresh<T> {
    call: Box<Call>,
    lead: Lead,
    reason: Reason,
    cached: CachedValue<Arc<T>>,
}

/// Result of a lookup that may find a value to recompute.
pub(crate) enum Resolution<R: Cached<S>, S> {
    /// The outcomes of every cached function.
    Plain(Lookup<R, S>),
    Refresh(Refresh<R::Stored>),
}

impl<R: Cached<S>, S> Lookup<R, S> {
    /// Look up the entry. Cancel safe: a flight or lease that was begun is given back on drop.
    pub(crate) async fn resolve(self, blocking: bool) -> Resolution<R, S> {
        let LookupState::Pending(mut call) = self.state else {
            return Resolution::Plain(self);
        };
        call.blocking = blocking;
        // Before the await: the value of `none()` would be held across it, and an `R` needn't be
        // `Send`.
        let none = R::none().is_some();
        let mut found = None;
        let step = call.decide_for(none, &mut found).await;
        Resolution::Plain(Self::new(match (step, found) {
            (Decision::Refresh(lead, reason), Some(cached)) => {
                return Resolution::Refresh(Refresh {
                    call,
                    lead,
                    reason,
                    cached,
                });
            }
            (Decision::Hit | Decision::Shared, Some(found)) => LookupState::Hit(found),
            (Decision::Compute(lead), _) => LookupState::Computation(Computation::new(call, lead)),
            _ => LookupState::Bypass,
        }))
    }

    /// Look up the entry for a blocking caller.
    pub(crate) fn resolve_sync(self) -> Resolution<R, S> {
        match self.state {
            LookupState::Pending(_) => block_on(self.resolve(true)),
            _ => Resolution::Plain(self),
        }
    }
}

pub(crate) fn is_err<R: Cached<S>, S>(opened: &R::Opened) -> bool {
    matches!(R::verdict(opened), Peek::Err)
}

impl<T> Refresh<T> {
    /// Return the cached value, and count that it is served.
    fn served<R: Cached<S, Stored = T>, S>(&self) -> Option<R> {
        let value = rebuild(self.cached.clone())?;
        self.call.served(self.reason);
        Some(value)
    }

    /// Serve the cached value, if it may be served and the returned spawner can run its refresh.
    pub(crate) fn serve<R: Cached<S, Stored = T>, S>(&self) -> Option<(R, Spawner)> {
        if self.reason == Reason::Expired {
            return None;
        }
        let spawner = Spawner::find()?;
        Some((self.served()?, spawner))
    }

    /// Return what outlives the caller if its computation is detached.
    pub(crate) fn handover<R: Cached<S, Stored = T>, S>(&self) -> Handover<R> {
        Handover::new(self.lead.leader.share(), (*self.call).clone())
    }

    fn missed(&self) {
        self.call.missed();
    }
}

/// Recompute the value while its caller waits. The cache itself chose to refresh early, so if an
/// early refresh fails, its caller gets the cached value. Any other error is returned to the
/// caller.
pub(crate) async fn recompute<R: Cached<S>, S, D: IntoTtl>(
    refresh: Refresh<R::Stored>,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    body: impl Future<Output = R>,
) -> R {
    let watch = refresh.call.stopwatch();
    // The value isn't held across an await: it needn't be `Send`.
    let (shared, filling) = {
        let opened = refresh.lead.leader.within(body).await.open();
        let took = refresh.call.took(&watch);
        if is_err::<R, S>(&opened)
            && refresh.reason == Reason::Early
            && let Some(cached) = refresh.served()
        {
            let _ = refresh.call.pause(refresh.lead);
            return cached;
        }
        refresh.missed();
        let Refresh { call, lead, .. } = refresh;
        match finish::<R, S, D>(&call, lead, &opened, value_ttl, unless, took) {
            Some(filling) => filling,
            None => return R::close(opened),
        }
    };
    filling.await;
    match rebuild(shared) {
        Some(value) => value,
        None => unreachable!("a `None` was stored for a type without `None`"),
    }
}

/// Recompute the value while its caller waits; if the body fails, return the expired value. The
/// error is held while the store is asked whether that value is still cached, so the caller's
/// future is `Send` only if the error is.
pub(crate) async fn recompute_or_keep<R: Cached<S>, S, D: IntoTtl>(
    refresh: Refresh<R::Stored>,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    body: impl Future<Output = R>,
) -> R {
    let watch = refresh.call.stopwatch();
    let value = refresh.lead.leader.within(body).await;
    let took = refresh.call.took(&watch);
    // Closed before the awaits: an `R` may be `Send` and its opened form not.
    let (value, filling) = {
        let opened = value.open();
        if is_err::<R, S>(&opened) {
            (R::close(opened), Err(refresh))
        } else {
            refresh.missed();
            let Refresh { call, lead, .. } = refresh;
            let filling = finish::<R, S, D>(&call, lead, &opened, value_ttl, unless, took);
            (R::close(opened), Ok(filling))
        }
    };
    match filling {
        Ok(Some((_, filling))) => filling.await,
        Ok(None) => {}
        Err(refresh) => return expired_value(refresh).await.unwrap_or(value),
    }
    value
}

/// Return the expired value after the body has failed. `None` if an invalidation has deleted it, or
/// if it is too old by now.
async fn expired_value<R: Cached<S>, S>(refresh: Refresh<R::Stored>) -> Option<R> {
    let Refresh {
        call,
        lead,
        reason,
        cached,
    } = refresh;
    let age = call.pause(lead).age().await;
    if call.outlasts_error(reason, age)
        && let Some(value) = rebuild(cached)
    {
        call.served_on_error(reason);
        return Some(value);
    }
    call.missed();
    None
}

/// [`recompute`] and [`recompute_or_keep`] for a blocking caller.
pub(crate) fn recompute_sync<R: Cached<S>, S, D: IntoTtl>(
    refresh: Refresh<R::Stored>,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    body: impl FnOnce() -> R,
) -> R {
    let watch = refresh.call.stopwatch();
    let opened = refresh.lead.leader.run(|| body().open());
    let took = refresh.call.took(&watch);
    let keeps = refresh.reason == Reason::Early || !refresh.call.options.stale_if_error.is_zero();
    if keeps && is_err::<R, S>(&opened) {
        return block_on(expired_value(refresh)).unwrap_or_else(|| R::close(opened));
    }
    refresh.missed();
    let Refresh { call, lead, .. } = refresh;
    if let Some((_, filling)) = finish::<R, S, D>(&call, lead, &opened, value_ttl, unless, took) {
        block_on(filling);
    }
    R::close(opened)
}

/// Recompute the value without its caller, who has been served. No caller receives an error, so it
/// is logged, and the refresh isn't tried again for a while.
pub(crate) async fn unattended<R: Cached<S>, S, D: IntoTtl>(
    refresh: Refresh<R::Stored>,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    body: impl Future<Output = R>,
) {
    let Refresh { call, lead, .. } = refresh;
    let watch = call.stopwatch();
    let filling = {
        let opened = lead.leader.within(body).await.open();
        let took = call.took(&watch);
        finish_unattended::<R, S, D>(&call, lead, &opened, value_ttl, unless, took)
    };
    if let Some(filling) = filling {
        filling.await;
    }
}

/// [`unattended`] for a blocking body.
pub(crate) fn unattended_sync<R: Cached<S>, S, D: IntoTtl>(
    refresh: Refresh<R::Stored>,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    body: impl FnOnce() -> R,
) {
    let Refresh { call, lead, .. } = refresh;
    let watch = call.stopwatch();
    let opened = lead.leader.run(|| body().open());
    let took = call.took(&watch);
    if let Some(filling) =
        finish_unattended::<R, S, D>(&call, lead, &opened, value_ttl, unless, took)
    {
        block_on(filling);
    }
}

fn finish_unattended<R: Cached<S>, S, D: IntoTtl>(
    call: &Call,
    lead: Lead,
    opened: &R::Opened,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    took: std::time::Duration,
) -> Option<FillFuture> {
    if is_err::<R, S>(opened) {
        let key = call.cache.full_key(&call.key);
        let _ = call.pause(lead);
        let reason = "the background refresh returned an `Err`; the cached value is kept";
        events::error(call.origin.function, &key, &reason);
        return None;
    }
    let (_, filling) = finish::<R, S, D>(call, lead, opened, value_ttl, unless, took)?;
    Some(filling)
}
