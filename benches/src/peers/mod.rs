//! The contenders, used as their documentation says. `docs/benchmarks.md` lists their settings.

pub mod cached;
pub mod hitbox;
pub mod http_cache_server;
pub mod http_semantics;
pub mod moka;
pub mod ours;
pub mod plain_redis;
pub mod quick_cache;
