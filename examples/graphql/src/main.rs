//! Serves the errands, or runs the demo: see `lib.rs`.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, CacheError};
use graphql_example::{Db, demo, router};
use tokio::net::TcpListener;

const HINTS: &str = r#"
    curl http://127.0.0.1:3000/graphql -H 'content-type: application/json' \
         -d '{"query": "{ errands { title status poster { name } } }"}'
    curl http://127.0.0.1:3000/graphql -H 'content-type: application/json' \
         -H 'authorization: Bearer ada' -d '{"query": "{ myEscrows { amount state } }"}'
"#;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match env::args().nth(1).as_deref() {
        None => serve().await,
        Some("--demo") => run_demo().await,
        Some(_) => Err("usage: graphql-example [--demo]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Build the cache: on Redis if `REDIS_URL` is set, otherwise in memory. It is cleared: the
/// database is new at each start, and entries of an earlier run in Redis belong to another one.
async fn cache() -> Result<Cache, CacheError> {
    let cache = CacheBuilder::from_env()?
        .default_prefix("errands")
        .build()?;
    if let Err(error) = cache.clear().await {
        eprintln!("the cache was not cleared: {error}");
    }
    Ok(cache)
}

/// Serve at `ERRANDS_ADDRESS`, otherwise at 127.0.0.1:3000.
async fn serve() -> Result<(), Box<dyn Error>> {
    cache().await?.install()?;
    let address = env::var("ERRANDS_ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let hints = HINTS.replace("127.0.0.1:3000", &address.to_string());
    println!("graphql-example serves on http://{address}; try{hints}");
    axum::serve(listener, router(Arc::new(Db::open(Duration::ZERO)))).await?;
    Ok(())
}

async fn run_demo() -> Result<(), Box<dyn Error>> {
    let report = demo::run(&cache().await?).await?;
    println!("{report}");
    Ok(())
}
