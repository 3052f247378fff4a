//! The flights of this process by the leases that they hold in Redis. A caller that sees a lease finds its flight here,
//! whichever handle leads it: two handles on one server are one process to each other.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use super::Flight;

type Leased = HashMap<u64, Weak<Flight>>;

static LEASED: LazyLock<Mutex<Leased>> = LazyLock::new(Mutex::default);

fn leased() -> MutexGuard<'static, Leased> {
    LEASED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The flight that this lease is for, if this process leads it.
pub(crate) fn find(token: u64) -> Option<Arc<Flight>> {
    leased().get(&token)?.upgrade()
}

/// Enters a flight before its lease is asked for.
pub(super) fn enlist(token: u64, flight: &Arc<Flight>) {
    leased().insert(token, Arc::downgrade(flight));
}

/// Strikes a flight off that is over.
pub(super) fn strike(token: u64) {
    leased().remove(&token);
}
