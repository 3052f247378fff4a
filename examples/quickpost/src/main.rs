//! A small blog API whose reads are cached and whose writes invalidate.
//!
//! ```sh
//! cargo run -p quickpost              # serves on 127.0.0.1:3000
//! cargo run -p quickpost -- --demo    # shows what the cache does, request by request
//! ```
//!
//! Both work with nothing else installed, and with `REDIS_URL=redis://127.0.0.1:6379` on Redis.
//! Read `routes.rs` and `repo/` first: there are the attributes.

#![allow(
    unreachable_pub,
    reason = "in a program, `pub` says: for the other files"
)]

mod client;
mod db;
mod demo;
mod error;
mod models;
mod repo;
mod routes;
#[cfg(test)]
mod tests;
mod trace;
mod viewer;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, CacheError};
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;

use crate::db::Db;
use crate::repo::Repo;

const ADDRESS: &str = "127.0.0.1:3000";

const HINTS: &str = r#"
    curl -i http://127.0.0.1:3000/posts/my-post
    curl -i 'http://127.0.0.1:3000/posts?topic=rust&limit=5'
    curl -i -X PUT http://127.0.0.1:3000/posts/my-post \
         -H 'x-user: 1' -H 'content-type: application/json' -d '{"title": "Edited"}'
"#;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        None => serve().await,
        Some("--demo") => demo().await,
        // What the demo starts: another process on the same Redis.
        Some(demo::SECOND) => second().await,
        Some(_) => Err("usage: quickpost [--demo]".into()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

/// On Redis if `REDIS_URL` is set, else in memory; `CACHE_*` variables win over what is said here.
///
/// It is cleared, as the sample database is a new one at each start, and what an earlier run left in
/// Redis belongs to another. (Were Redis out of reach, the service would run all the same.)
async fn cache() -> Result<Cache, CacheError> {
    let cache = builder()?.build()?;
    if let Err(error) = cache.clear().await {
        eprintln!("the cache was not cleared: {error}");
    }
    Ok(cache)
}

/// In front of Redis, what is read often stands in this process too.
fn builder() -> Result<CacheBuilder, CacheError> {
    Ok(CacheBuilder::from_env()?
        .default_prefix("quickpost")
        .preset("topics", Duration::from_secs(900))
        .near_cache(16 << 20))
}

async fn serve() -> Result<ExitCode, Box<dyn Error>> {
    trace::print_cache_events(LevelFilter::INFO);
    cache().await?.install()?;

    let repo = Repo {
        db: Db::open(Duration::ZERO)?,
    };
    // The first visitor finds the topics in the cache.
    if let Err(error) = repo::topics_refresh(&repo.db).await {
        eprintln!("the cache was not warmed: {error:?}");
    }
    let listener = TcpListener::bind(ADDRESS).await?;
    println!("quickpost serves on http://{ADDRESS}; try{HINTS}");
    axum::serve(listener, routes::router(repo)).await?;
    Ok(ExitCode::SUCCESS)
}

async fn demo() -> Result<ExitCode, Box<dyn Error>> {
    trace::print_cache_events(LevelFilter::DEBUG);
    let cache = cache().await?;
    let report = demo::run(cache.clone()).await?;
    println!("\n{report}");
    if let Some(near) = demo::near(&cache).await? {
        println!("\n{near}");
    }
    Ok(if report.is_transparent() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn second() -> Result<ExitCode, Box<dyn Error>> {
    let (near, far) = demo::caches(builder()?)?;
    demo::second(near, far).await?;
    Ok(ExitCode::SUCCESS)
}
