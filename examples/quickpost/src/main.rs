//! A small blog API whose reads are cached and whose writes invalidate.
//!
//! ```sh
//! cargo run -p quickpost              # serves on 127.0.0.1:3000
//! cargo run -p quickpost -- --demo    # shows what the cache does, request by request
//! cargo run -p quickpost -- cache ls  # the commands of `cachectl`; see `docs/operations/cachectl.md`
//! ```
//!
//! Both need nothing else installed. With `REDIS_URL=redis://127.0.0.1:6379`, both use Redis.
//! `settings.rs` has more variables. Read `routes.rs` and `repo/` first: the attributes are there.

#![allow(
    unreachable_pub,
    reason = "in a binary crate, `pub` marks what other files use"
)]

mod admin;
mod client;
mod db;
mod demo;
mod error;
mod models;
mod repo;
mod routes;
mod settings;
#[cfg(test)]
mod tests;
mod trace;
mod viewer;
mod warm;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, CacheError};
use clap::Parser as _;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;

use crate::db::Db;
use crate::repo::Repo;
use crate::settings::Settings;

const HINTS: &str = r#"
    curl -i http://127.0.0.1:3000/posts/my-post
    curl -i 'http://127.0.0.1:3000/posts?topic=rust&limit=5'
    curl -i -X PUT http://127.0.0.1:3000/posts/my-post \
         -H 'x-user: 1' -H 'content-type: application/json' -d '{"title": "Edited"}'
    curl -i -X POST http://127.0.0.1:3000/login -H 'x-user: 1'
    curl -H "Authorization: Bearer $CACHE_ADMIN_TOKEN" http://127.0.0.1:3000/admin/cache/stats
"#;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        None => serve().await,
        Some("--demo") => demo().await,
        // Started by the demo: another process on the same Redis.
        Some(demo::SECOND) => second().await,
        Some("cache") => commands().await,
        Some(_) => Err("usage: quickpost [--demo | cache <command>]".into()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}

/// A blog API whose reads are cached.
#[derive(clap::Parser)]
enum CommandLine {
    /// See and steer the cache that the service uses.
    Cache(cache_cli::Args),
}

/// Run a command on the cache of the services that run.
async fn commands() -> Result<ExitCode, Box<dyn Error>> {
    let CommandLine::Cache(args) = CommandLine::parse();
    let settings = Settings::from_env()?;
    // It reads a few entries, and isn't one of the services whose counters are shown.
    let cache = builder(&settings)?.near_cache(0).publish_stats(false);
    let cache = cache.build()?;
    // For `warm topics`. Another process can't read a database in memory.
    if let Some(path) = &settings.database {
        let topics = warm::topics_warmer(Db::open_file(path)?);
        cache.add_warmer(topics.on_demand())?;
    }
    Ok(cache_cli::run(args, &cache).await)
}

/// Build the cache: on Redis if `REDIS_URL` is set, otherwise in memory. `CACHE_*` variables take
/// precedence over the settings here.
///
/// A cache of a database in memory is cleared: the database is new at each start, and entries of an
/// earlier run in Redis belong to another one. (If Redis is down, the service runs all the same.)
async fn cache(settings: &Settings) -> Result<Cache, CacheError> {
    let cache = builder(settings)?.build()?;
    if settings.database.is_some() {
        return Ok(cache);
    }
    if let Err(error) = cache.clear().await {
        eprintln!("the cache was not cleared: {error}");
    }
    Ok(cache)
}

/// Configure the cache. In front of Redis, a near cache keeps hot entries in this process too.
fn builder(settings: &Settings) -> Result<CacheBuilder, CacheError> {
    Ok(CacheBuilder::from_env()?
        .default_prefix("quickpost")
        .preset("topics", Duration::from_secs(900))
        .response_timeout(settings.response_timeout)
        .near_cache(settings.near_cache))
}

async fn serve() -> Result<ExitCode, Box<dyn Error>> {
    trace::print_cache_events(LevelFilter::INFO);
    let settings = Settings::from_env()?;
    cache(&settings).await?.install()?;

    let db = match &settings.database {
        Some(path) => Db::open_file(path)?,
        None => Db::open(Duration::ZERO)?,
    };
    // In the background. The first request for the topics is a hit.
    Cache::current().add_warmer(warm::topics_warmer(db.clone()))?;
    let repo = Repo { db };
    let listener = TcpListener::bind(settings.address).await?;
    let address = listener.local_addr()?;
    let hints = HINTS.replace("127.0.0.1:3000", &address.to_string());
    println!("quickpost serves on http://{address}; try{hints}");
    let app = admin::mount(routes::router(repo), &Cache::current());
    axum::serve(listener, app).await?;
    Ok(ExitCode::SUCCESS)
}

async fn demo() -> Result<ExitCode, Box<dyn Error>> {
    trace::print_cache_events(LevelFilter::DEBUG);
    let cache = cache(&Settings::from_env()?).await?;
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
    let (near, far) = demo::caches(builder(&Settings::from_env()?)?)?;
    demo::second(near, far).await?;
    Ok(ExitCode::SUCCESS)
}
