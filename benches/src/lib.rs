//! `cache-runtime` beside its peers, measured in one process. `docs/benchmarks.md` shows the
//! results.

pub mod args;
pub mod compile_time;
pub mod machine;
pub mod model;
pub mod peers;
pub mod report;
pub mod round;
pub mod sections;
pub mod server;
pub mod stats;
