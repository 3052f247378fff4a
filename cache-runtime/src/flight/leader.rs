//! The leader of a flight: it publishes the value, or ends the flight when it is dropped.

use std::future::Future;
#[cfg(feature = "redis")]
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

#[cfg(feature = "redis")]
use super::leased;
use super::nesting::{self, EnteredFlight, Within};
use super::table::{ShardGuard, SlotId, TableSlot};
use super::{Flight, Flights, Outcome};
use crate::entry::payload::Payload;

/// Guard of the caller that computes the value. If dropped before the flight ends (the body
/// returned an error, panicked, or was dropped with its caller), it removes the flight from the
/// table and wakes the waiters, one of which becomes the new leader.
pub(crate) struct Leader {
    flights: Arc<Flights>,
    slot: SlotId,
    /// State shared with the waiters, fetched from the table on first use. Waiters may have it
    /// earlier.
    flight: OnceLock<Arc<Flight>>,
    /// Whether the table slot has been released and the waiters told.
    ended: bool,
}

impl Leader {
    pub(super) fn new(flights: Arc<Flights>, flight: OnceLock<Arc<Flight>>, slot: SlotId) -> Self {
        Self {
            flights,
            slot,
            flight,
            ended: false,
        }
    }

    fn flight(&self) -> &Arc<Flight> {
        let new = || Arc::new(Flight::new(self.flights.id(self.slot), false));
        self.flight
            .get_or_init(|| self.flights.shared(self.slot).unwrap_or_else(new))
    }

    /// Return the state shared with the waiters.
    pub(crate) fn share(&self) -> Arc<Flight> {
        Arc::clone(self.flight())
    }

    /// Run a blocking body, or code that reads its value, inside the flight.
    pub(crate) fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        body()
    }

    /// Mark this thread as inside the flight until the guard is dropped.
    pub(crate) fn enter(&self) -> EnteredFlight {
        let lease = self.flight.get().and_then(|flight| flight.token());
        nesting::enter(self.flights.id(self.slot), lease)
    }

    /// Mark this thread as inside the flight while an async body is polled, and record the poll for
    /// the waiters.
    pub(crate) fn polled(&self, waker: &Waker) -> EnteredFlight {
        let flight = self.flight();
        flight.polled_by(waker);
        nesting::enter(flight.id, flight.token())
    }

    /// Wrap the async body so that every poll runs inside the flight.
    pub(crate) fn within<F: Future>(&self, body: F) -> Within<F> {
        Within::new(Arc::clone(self.flight()), body)
    }

    /// Await work that precedes the body, and record each poll for the waiters.
    #[cfg(feature = "redis")]
    pub(crate) async fn drive<F: Future>(&self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        let poll = |cx: &mut std::task::Context<'_>| {
            self.flight().polled_by(cx.waker());
            work.as_mut().poll(cx)
        };
        std::future::poll_fn(poll).await
    }

    /// Complete the flight with a value for the waiters. `fill` stores the value under the key, and
    /// runs only if no invalidation came in between. The caller drops the result of `fill` after
    /// the lock is released, so `fill` must return the value unless it stores it.
    pub(crate) fn complete<T>(
        mut self,
        payload: Payload,
        version: u32,
        fill: impl FnOnce(&str, Payload) -> T,
    ) -> Option<T> {
        self.ended = true;
        let (guard, released) = self.release();
        let TableSlot {
            key,
            in_table,
            flight,
            ..
        } = released?;
        if !in_table {
            drop(guard);
            // Waiters that joined before the invalidation still get the value.
            if let Some(flight) = flight {
                flight.complete(Outcome::Value(payload, version));
            }
            return None;
        }
        let shared = self.is_awaited(flight.as_ref()).then(|| payload.clone());
        let filled = fill(&key, payload);
        drop(guard);
        if let (Some(flight), Some(payload)) = (flight, shared) {
            flight.complete(Outcome::Value(payload, version));
        }
        Some(filled)
    }

    /// Return whether a caller waits for the released flight. Call it with the shard locked, so
    /// that no further caller can join.
    fn is_awaited(&self, flight: Option<&Arc<Flight>>) -> bool {
        let own = usize::from(self.flight.get().is_some());
        flight.is_some_and(|flight| {
            // A caller that read the flight's lease finds it through `leased`, without the table.
            Arc::strong_count(flight) > 1 + own || Arc::weak_count(flight) > 0
        })
    }

    /// Return whether a caller waits at this moment. Later joiners are not counted.
    pub(crate) fn has_joiners(&self) -> bool {
        // The table and this leader hold one reference each.
        Arc::strong_count(self.flight()) > 2
    }

    /// Release the table slot.
    fn release(&self) -> (ShardGuard<'_>, Option<TableSlot>) {
        let (guard, slot) = self.flights.release(self.slot);
        // The explored tests skip this check to show that they find the resulting stale fill.
        #[cfg(all(test, shuttle))]
        let slot = slot.map(|mut slot| {
            slot.in_table |= super::explored::fills_blindly();
            slot
        });
        (guard, slot)
    }

    /// End the flight without a value. `note` runs before the waiters retry, and only if no
    /// invalidation came in between.
    pub(crate) fn give_up<T>(self, note: impl FnOnce() -> T) -> Option<T> {
        self.end_without_value(Outcome::Failed, note)
    }

    /// End the flight with a value that isn't for others: the waiters compute their own, all at
    /// once, instead of taking over one after another. `note` as in [`give_up`](Self::give_up).
    pub(crate) fn refuse<T>(self, note: impl FnOnce() -> T) -> Option<T> {
        self.end_without_value(Outcome::Unshared, note)
    }

    fn end_without_value<T>(mut self, outcome: Outcome, note: impl FnOnce() -> T) -> Option<T> {
        self.ended = true;
        let (guard, released) = self.release();
        let TableSlot {
            in_table, flight, ..
        } = released?;
        let noted = in_table.then(note);
        drop(guard);
        if let Some(flight) = flight {
            flight.complete(outcome);
        }
        noted
    }

    /// Hand the value to the waiters while the flight stays in the table: a caller that sees its
    /// lease in the store may still join. The guard removes the flight once the store has answered.
    #[cfg(feature = "redis")]
    pub(crate) fn announce(&self, payload: Payload, version: u32) {
        self.flight().complete(Outcome::Value(payload, version));
    }

    /// Record the lease that is about to be requested.
    #[cfg(feature = "redis")]
    pub(crate) fn record_request(&self, token: u64) {
        let flight = self.flight();
        flight.token.store(token, Ordering::Release);
        leased::register(token, flight);
    }

    /// Record that the store has granted the lease.
    #[cfg(feature = "redis")]
    pub(crate) fn granted(&self) {
        self.flight().granted.store(true, Ordering::Release);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        #[cfg(feature = "redis")]
        if let Some(token) = self.flight.get().and_then(|flight| flight.token()) {
            leased::remove(token);
        }
        if self.ended {
            return;
        }
        self.ended = true;
        let (guard, released) = self.release();
        drop(guard);
        if let Some(flight) = released.and_then(|slot| slot.flight) {
            flight.complete(Outcome::Failed);
        }
    }
}
