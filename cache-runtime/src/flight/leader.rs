use std::future::Future;
use std::sync::Arc;
#[cfg(feature = "redis")]
use std::sync::atomic::Ordering;

use super::nesting::{self, Within};
use super::{Flight, Flights, Landing};
use crate::value::payload::Payload;

/// The one who computes. Dropped without landing (the body erred, panicked, or was dropped with its caller),
/// it takes the flight off the table and lets one of those who wait take over.
pub(crate) struct Leader {
    flights: Arc<Flights>,
    key: Arc<str>,
    flight: Arc<Flight>,
}

impl Leader {
    pub(super) fn new(flights: Arc<Flights>, key: Arc<str>, flight: Arc<Flight>) -> Self {
        Self {
            flights,
            key,
            flight,
        }
    }

    pub(crate) fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// Runs a blocking body within the flight.
    pub(crate) fn run<T>(&self, body: impl FnOnce() -> T) -> T {
        let _entered = nesting::enter(&self.flight);
        body()
    }

    /// The async body within the flight.
    pub(crate) fn within<F: Future>(&self, body: F) -> Within<F> {
        Within::new(Arc::clone(&self.flight), body)
    }

    /// Hands the value to those who wait; `fill` stores it, and runs only if no invalidation came between.
    pub(crate) fn land(self, payload: Payload, fill: impl FnOnce()) -> bool {
        let filled = self.flights.take_down(&self.key, &self.flight, fill);
        self.flight.land(Landing::Value(payload));
        filled
    }

    /// Hands the value to those who wait while the flight stays on the table: who sees its lease in the store
    /// may still join. The guard takes it down when the store has answered.
    #[cfg(feature = "redis")]
    pub(crate) fn announce(&self, payload: Payload) {
        self.flight.land(Landing::Value(payload));
    }

    /// Notes the lease that the store has granted.
    #[cfg(feature = "redis")]
    pub(crate) fn holds(&self, token: u64) {
        self.flight.token.store(token, Ordering::Release);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.flights.take_down(&self.key, &self.flight, || {});
        self.flight.land(Landing::Failed);
    }
}
