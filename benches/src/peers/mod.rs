//! The contenders, used as their documentation says. `docs/benchmarks.md` lists their settings.

pub mod cached;
pub mod hitbox;
pub mod moka;
pub mod ours;
pub mod plain_redis;
pub mod quick_cache;
