//! Single-flight: one computation, whatever becomes of its leader.

mod detached;
mod executors;
mod failed_leaders;
mod held_leaders;
mod nested_calls;
mod overtaken;
mod reentrancy;
mod runtimes;
mod single_flight;
mod stress;
