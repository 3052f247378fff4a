//! `hitbox` 0.2, by the macro of `hitbox-fn`. It stores bytes, in memory as well, as bincode, which
//! its documentation recommends.

use std::convert::Infallible;
use std::time::Duration;

use hitbox_backend::format::BincodeFormat;
use hitbox_fn::prelude::*;
use hitbox_moka::MokaBackend;
use hitbox_redis::{ConnectionMode, RedisBackend};

use crate::model::{LIFETIME, Post, ROOM};

pub fn policy() -> PolicyConfig {
    PolicyConfig::builder()
        .ttl(Duration::from_secs(LIFETIME))
        .build()
}

/// Build the moka backend.
pub fn memory() -> MokaBackend<BincodeFormat> {
    MokaBackend::builder()
        .max_entries(ROOM as u64)
        .value_format(BincodeFormat)
        .build()
}

/// Build the Redis backend.
pub fn redis(url: &str) -> RedisBackend {
    RedisBackend::builder()
        .connection(ConnectionMode::single(url))
        .build()
        .expect("the URL is well-formed")
}

#[cached]
pub async fn value(slug: String) -> Result<Post, Infallible> {
    Ok(Post::of(&slug))
}

#[cached]
pub async fn herd(id: u64) -> Result<Post, Infallible> {
    Ok(crate::slow_query::slow_query(id as usize).await)
}
