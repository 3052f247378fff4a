//! Warming: `Warm`, `#[warmer]`, `Cache::warm`, schedules, and users who log in.

mod each;
mod runs;
mod schedule;
mod users;
