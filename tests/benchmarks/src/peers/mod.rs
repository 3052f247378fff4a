//! The contenders, as their documentation says that they are used. `docs/benchmarks.md` says which settings each has.

pub mod cached;
pub mod hitbox;
pub mod moka;
pub mod ours;
pub mod plain_redis;
pub mod quick_cache;
