//! `cache-runtime` beside its peers, measured in one process. `docs/benchmarks.md` shows the
//! results.

pub mod args;
pub mod compile_time;
pub mod machine;
pub mod model;
pub mod peers;
pub mod report;
pub mod round;
pub mod runtimes;
pub mod sections;
pub mod server;
pub mod settings;
pub mod slow_query;
pub mod stats;
pub mod traces;
