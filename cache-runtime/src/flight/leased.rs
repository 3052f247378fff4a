//! The flights of this process by their leases in Redis. A caller that reads a lease finds its
//! flight here, whichever handle leads it, so two handles on one server behave as one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::Flight;
use crate::sync::LazyLock;

type Leased = HashMap<u64, Weak<Flight>>;

static LEASED: LazyLock<Mutex<Leased>> = LazyLock::new(Mutex::default);

fn leased() -> MutexGuard<'static, Leased> {
    LEASED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Return the flight of this lease, if this process leads it.
pub(crate) fn find(token: u64) -> Option<Arc<Flight>> {
    leased().get(&token)?.upgrade()
}

/// Register a flight before its lease is requested.
pub(super) fn register(token: u64, flight: &Arc<Flight>) {
    leased().insert(token, Arc::downgrade(flight));
}

/// Remove a flight that has ended.
pub(super) fn remove(token: u64) {
    leased().remove(&token);
}
