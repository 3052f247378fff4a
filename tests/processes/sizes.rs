//! The numbers that the tests and their workers share.

/// Processes of each test.
pub(crate) const PROCESSES: u64 = 4;
/// Callers in each process that miss the same key.
pub(crate) const HERD_CALLERS: u64 = 250;
/// Callers in each process that find the same stale value.
pub(crate) const REFRESH_CALLERS: u64 = 50;
/// Writes that another process has to see.
pub(crate) const NEAR_ROUNDS: u64 = 300;
/// Number of calls that each process of the fleet makes.
pub(crate) const FLEET_CALLS: u64 = 100;
/// Number of rows that a warmer warms.
pub(crate) const WARMED_ROWS: u64 = 50;
