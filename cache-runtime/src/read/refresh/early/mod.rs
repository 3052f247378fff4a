//! Randomness: choosing the caller that refreshes early, and spreading TTLs.
//!
//! XFetch (Vattani, Chierichetti, Lowenstein: "Optimal Probabilistic Cache Stampede Prevention",
//! VLDB 2015): each hit treats the value as expired if `now - compute * ln(rand) >= expiry`. The
//! more callers a key has, the earlier one of them computes it, and the longer the computation
//! takes, the earlier too. The number of callers needn't be known. The paper's factor β is 1 here,
//! which it shows to be optimal.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The negated logarithm of the smallest random number, rounded up. An entry with more than this
/// many computation times left is never due.
const FARTHEST: u32 = 37;

/// Whether an entry with this much time left is to be computed now.
pub(crate) fn is_due(left: Duration, compute: Duration) -> bool {
    left <= compute.saturating_mul(FARTHEST) && is_due_by(left, compute, unit())
}

fn is_due_by(left: Duration, compute: Duration, unit: f64) -> bool {
    !compute.is_zero() && compute.as_secs_f64() * -unit.ln() >= left.as_secs_f64()
}

/// Shorten a TTL at random, by less than this fraction, so that entries that were stored together
/// don't expire together. It is never lengthened, so that no value is served past the TTL that its
/// function names.
pub(crate) fn jittered(ttl: Duration, jitter: f64) -> Duration {
    if jitter <= 0.0 {
        return ttl;
    }
    shortened(ttl, jitter * (1.0 - unit()))
}

fn shortened(ttl: Duration, part: f64) -> Duration {
    let less = Duration::try_from_secs_f64(ttl.as_secs_f64() * part).unwrap_or_default();
    ttl.saturating_sub(less)
        .max(Duration::from_millis(1).min(ttl))
}

/// Return a random number above 0 and up to 1, of 53 bits. It is neither secret nor shared between
/// threads, and costs a few instructions on each hit.
pub(crate) fn unit() -> f64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one("early"));
    }
    let next = |state: &Cell<u64>| {
        // A Weyl sequence, mixed (Steele, Lea, Flood: "Fast splittable pseudorandom number
        // generators", 2014).
        state.set(state.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        mixed(state.get())
    };
    // A thread that is ending has no state: then no entry is due.
    STATE.try_with(next).map_or(1.0, in_unit)
}

fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

fn in_unit(bits: u64) -> f64 {
    ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
