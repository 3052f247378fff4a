//! Single-flight: one computation for concurrent callers, whatever happens to its leader.

mod detached;
mod executors;
mod failed_leaders;
mod held_leaders;
mod invalidated;
mod nested_calls;
mod reentrancy;
mod runtimes;
mod single_flight;
mod stress;
