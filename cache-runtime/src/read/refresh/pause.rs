//! The pause after a failed refresh, during which no caller tries again.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redis")]
use tokio::task::JoinHandle;

use crate::entry::age::Age;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::read::freshness::Reason;
#[cfg(feature = "redis")]
use crate::runtime;
use crate::store::Store;
#[cfg(feature = "redis")]
use crate::store::redis::millis;

/// How long a failed refresh isn't tried again: all processes together call a failing body once a
/// second, not once a call.
const PAUSE: Duration = Duration::from_secs(1);

/// A pause that has begun. Dropping it doesn't stop it.
pub(crate) enum Pausing {
    Done(Option<Age>),
    #[cfg(feature = "redis")]
    Sent(JoinHandle<Option<Age>>),
}

impl Pausing {
    /// Return the cached value's age. `None` if the value is gone, because of an invalidation or
    /// because it expired.
    pub(crate) async fn age(self) -> Option<Age> {
        match self {
            Self::Done(age) => age,
            #[cfg(feature = "redis")]
            Self::Sent(underway) => underway.await.ok().flatten(),
        }
    }
}

#[cfg(feature = "redis")]
impl Lead {
    /// End the claim with a pause, whether or not the caller waits for it. The flight ends after
    /// it, so that waiting callers find the pause. If the pause can't be sent, the claim is given
    /// back where that is possible.
    fn pause_in_redis(mut self, grace: Duration) -> Pausing {
        let Some(lease) = self.lease.take() else {
            return Pausing::Done(None);
        };
        let underway = runtime::spawn(async move {
            let left = lease.pause(PAUSE).await;
            drop(self);
            Some(Age::of(left?, millis(grace)))
        });
        underway.map_or(Pausing::Done(None), Pausing::Sent)
    }
}

impl Call {
    /// End the claim of a body that failed with a pause, and check in the same step that the claim
    /// still exists. Callers that wait for the claim look again, and find the pause.
    pub(crate) fn pause(&self, lead: Lead) -> Pausing {
        let inner = self.cache.inner();
        match &inner.store {
            Store::Memory(store) => {
                let now = inner.clock.now();
                let until = inner.clock.deadline(PAUSE);
                let key = Arc::clone(&self.key);
                let fresh_until = lead
                    .leader
                    .give_up(|| store.pause(&key, now, until))
                    .flatten();
                Pausing::Done(fresh_until.map(|fresh_until| Age::at(now, fresh_until)))
            }
            #[cfg(feature = "redis")]
            Store::Redis(_) => lead.pause_in_redis(self.grace()),
        }
    }

    /// Whether a value of this age may be served instead of the error of its refresh.
    pub(crate) fn outlasts_error(&self, reason: Reason, age: Option<Age>) -> bool {
        match age {
            None => false,
            Some(Age::Fresh(_)) => true,
            // It became stale while it was recomputed. Without the refresh it would have been a
            // hit.
            Some(Age::Past(_)) if reason == Reason::Early => true,
            Some(Age::Past(past)) => past < self.options.stale_if_error,
        }
    }
}
