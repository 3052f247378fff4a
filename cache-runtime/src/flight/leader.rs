use std::future::Future;
use std::sync::Arc;
#[cfg(feature = "redis")]
use std::sync::atomic::Ordering;

#[cfg(feature = "redis")]
use super::leased;
use super::nesting::{self, Within};
use super::table::Place;
use super::{Flight, Flights, Landing};
use crate::value::payload::Payload;

/// The one who computes. Dropped without landing (the body erred, panicked, or was dropped with its caller),
/// it takes the flight off the table and lets one of those who wait take over.
pub(crate) struct Leader {
    flights: Arc<Flights>,
    flight: Arc<Flight>,
    place: Place,
    /// It is off the table, and whoever waited has been told.
    landed: bool,
}

impl Leader {
    pub(super) fn new(flights: Arc<Flights>, flight: Arc<Flight>, place: Place) -> Self {
        Self {
            flights,
            flight,
            place,
            landed: false,
        }
    }

    pub(crate) fn key(&self) -> &Arc<str> {
        &self.flight.key
    }

    /// Runs a blocking body, or what looks at its value, within the flight.
    pub(crate) fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        let _entered = nesting::enter(&self.flight);
        body()
    }

    /// The async body within the flight.
    pub(crate) fn within<F: Future>(&self, body: F) -> Within<F> {
        Within::new(Arc::clone(&self.flight), body)
    }

    /// Waits for what comes before the body, as the leader: those who wait see whether it is polled.
    #[cfg(feature = "redis")]
    pub(crate) async fn attend<F: Future>(&self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        let poll = |cx: &mut std::task::Context<'_>| {
            self.flight.polled_by(cx.waker());
            work.as_mut().poll(cx)
        };
        std::future::poll_fn(poll).await
    }

    /// Hands the value to those who wait; `fill` stores it, and runs only if no invalidation came between. What
    /// `fill` gives is dropped by the caller, without a lock; so it must give the value too, unless it keeps it.
    pub(crate) fn land<T>(
        mut self,
        payload: Payload,
        version: u32,
        fill: impl FnOnce(Payload) -> T,
    ) -> Option<T> {
        let mut payload = Some(payload);
        let filled = self.flights.take_down(&self.flight, self.place, || {
            let value = payload.take()?;
            // Whoever waits has joined at the table, whose lock is held, or found the flight by its lease.
            let is_awaited =
                Arc::strong_count(&self.flight) > 1 || Arc::weak_count(&self.flight) > 0;
            payload = is_awaited.then(|| value.clone());
            Some(fill(value))
        });
        // Nobody waits: nobody is told. An invalidation may have taken a flight off the table that is awaited.
        if let Some(payload) = payload {
            self.flight.land(Landing::Value(payload, version));
        }
        self.landed = true;
        filled.flatten()
    }

    /// Ends the flight without a value; `note` runs only if no invalidation came between, before those who wait look
    /// again.
    pub(crate) fn give_up<T>(self, note: impl FnOnce() -> T) -> Option<T> {
        self.flights.take_down(&self.flight, self.place, note)
    }

    /// Hands the value to those who wait while the flight stays on the table: who sees its lease in the store
    /// may still join. The guard takes it down when the store has answered.
    #[cfg(feature = "redis")]
    pub(crate) fn announce(&self, payload: Payload, version: u32) {
        self.flight.land(Landing::Value(payload, version));
    }

    /// Notes the lease that is about to be asked for.
    #[cfg(feature = "redis")]
    pub(crate) fn seeks(&self, token: u64) {
        self.flight.token.store(token, Ordering::Release);
        leased::enlist(token, &self.flight);
    }

    /// Notes that the store has granted the lease.
    #[cfg(feature = "redis")]
    pub(crate) fn granted(&self) {
        self.flight.granted.store(true, Ordering::Release);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        #[cfg(feature = "redis")]
        if let Some(token) = self.flight.token() {
            leased::strike(token);
        }
        if self.landed {
            return;
        }
        self.flights.take_down(&self.flight, self.place, || {});
        self.flight.land(Landing::Failed);
    }
}
