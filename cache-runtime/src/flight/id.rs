//! Identity of a flight.

/// Identity of a flight among all flights of the process that haven't ended: the address of its
/// table, its shard, and its slot there.
pub(super) type FlightId = (usize, usize, u32);
