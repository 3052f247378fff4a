use std::future::Future;
#[cfg(feature = "redis")]
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

#[cfg(feature = "redis")]
use super::leased;
use super::nesting::{self, Entered, Within};
use super::table::{Held, Place, Seat};
use super::{Flight, Flights, Outcome};
use crate::value::payload::Payload;

/// The one who computes. Dropped without landing (the body erred, panicked, or was dropped with its caller),
/// it takes the flight off the table and lets one of those who wait take over.
pub(crate) struct Leader {
    flights: Arc<Flights>,
    place: Place,
    /// What is shared with those who wait, once it is needed here. They may have it before.
    flight: OnceLock<Arc<Flight>>,
    /// The place has been given up, and whoever waited has been told.
    landed: bool,
}

impl Leader {
    pub(super) fn new(flights: Arc<Flights>, flight: OnceLock<Arc<Flight>>, place: Place) -> Self {
        Self {
            flights,
            place,
            flight,
            landed: false,
        }
    }

    fn flight(&self) -> &Arc<Flight> {
        let new = || Arc::new(Flight::new(self.flights.id(self.place), false));
        self.flight
            .get_or_init(|| self.flights.shared(self.place).unwrap_or_else(new))
    }

    /// What is shared with those who wait.
    pub(crate) fn share(&self) -> Arc<Flight> {
        Arc::clone(self.flight())
    }

    /// Runs a blocking body, or what looks at its value, within the flight.
    pub(crate) fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        body()
    }

    /// Within the flight until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        let lease = self.flight.get().and_then(|flight| flight.token());
        nesting::enter(self.flights.id(self.place), lease)
    }

    /// The same while an async body is polled: those who wait see that it is.
    pub(crate) fn polled(&self, waker: &Waker) -> Entered {
        let flight = self.flight();
        flight.polled_by(waker);
        nesting::enter(flight.id, flight.token())
    }

    /// The async body within the flight.
    pub(crate) fn within<F: Future>(&self, body: F) -> Within<F> {
        Within::new(Arc::clone(self.flight()), body)
    }

    /// Waits for what comes before the body, as the leader: those who wait see whether it is polled.
    #[cfg(feature = "redis")]
    pub(crate) async fn attend<F: Future>(&self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        let poll = |cx: &mut std::task::Context<'_>| {
            self.flight().polled_by(cx.waker());
            work.as_mut().poll(cx)
        };
        std::future::poll_fn(poll).await
    }

    /// Hands the value to those who wait; `fill` stores it by the key, and runs only if no invalidation came between. What
    /// `fill` gives is dropped by the caller, without a lock; so it must give the value too, unless it keeps it.
    pub(crate) fn complete<T>(
        mut self,
        payload: Payload,
        version: u32,
        fill: impl FnOnce(&str, Payload) -> T,
    ) -> Option<T> {
        self.landed = true;
        let (held, seat) = self.vacate();
        let Seat {
            key,
            stands,
            flight,
        } = seat?;
        if !stands {
            drop(held);
            // Who had joined before the invalidation still gets it.
            if let Some(flight) = flight {
                flight.complete(Outcome::Value(payload, version));
            }
            return None;
        }
        let shared = self.is_awaited(flight.as_ref()).then(|| payload.clone());
        let filled = fill(&key, payload);
        drop(held);
        if let (Some(flight), Some(payload)) = (flight, shared) {
            flight.complete(Outcome::Value(payload, version));
        }
        Some(filled)
    }

    /// Whether anybody waits for the flight that the place has given up, while its table's lock is held: nobody joins any more.
    fn is_awaited(&self, flight: Option<&Arc<Flight>>) -> bool {
        let own = usize::from(self.flight.get().is_some());
        flight.is_some_and(|flight| {
            // Who has seen its lease finds it without the table.
            Arc::strong_count(flight) > 1 + own || Arc::weak_count(flight) > 0
        })
    }

    /// Whether anybody waits at this moment. Those who come later aren't seen.
    pub(crate) fn has_joiners(&self) -> bool {
        // The table has it, and this.
        Arc::strong_count(self.flight()) > 2
    }

    /// Gives the place up.
    fn vacate(&self) -> (Held<'_>, Option<Seat>) {
        let (held, seat) = self.flights.vacate(self.place);
        // A test leaves the look out, to see that the exploration finds what comes of it.
        #[cfg(all(test, shuttle))]
        let seat = seat.map(|seat| Seat {
            stands: seat.stands || super::explored::fills_blindly(),
            ..seat
        });
        (held, seat)
    }

    /// Ends the flight without a value; `note` runs only if no invalidation came between, before those who wait look
    /// again.
    pub(crate) fn give_up<T>(mut self, note: impl FnOnce() -> T) -> Option<T> {
        self.landed = true;
        let (held, seat) = self.vacate();
        let Seat { stands, flight, .. } = seat?;
        let noted = stands.then(note);
        drop(held);
        if let Some(flight) = flight {
            flight.complete(Outcome::Failed);
        }
        noted
    }

    /// Hands the value to those who wait while the flight stays on the table: who sees its lease in the store
    /// may still join. The guard takes it down when the store has answered.
    #[cfg(feature = "redis")]
    pub(crate) fn announce(&self, payload: Payload, version: u32) {
        self.flight().complete(Outcome::Value(payload, version));
    }

    /// Notes the lease that is about to be asked for.
    #[cfg(feature = "redis")]
    pub(crate) fn seeks(&self, token: u64) {
        let flight = self.flight();
        flight.token.store(token, Ordering::Release);
        leased::enlist(token, flight);
    }

    /// Notes that the store has granted the lease.
    #[cfg(feature = "redis")]
    pub(crate) fn granted(&self) {
        self.flight().granted.store(true, Ordering::Release);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        #[cfg(feature = "redis")]
        if let Some(token) = self.flight.get().and_then(|flight| flight.token()) {
            leased::strike(token);
        }
        if self.landed {
            return;
        }
        self.landed = true;
        let (held, seat) = self.vacate();
        drop(held);
        if let Some(flight) = seat.and_then(|seat| seat.flight) {
            flight.complete(Outcome::Failed);
        }
    }
}
