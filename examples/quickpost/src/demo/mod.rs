//! The demo: serve the API twice, cached and uncached, each on its own database with the same data;
//! send every request to both; report what the cache did and whether any response differed.

mod near;
mod report;
mod script;

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::middleware::{self, Next};
use cache_runtime::Cache;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::client;
use crate::db::Db;
use crate::repo::Repo;
use crate::routes::router;

pub use near::{SECOND, caches, run as near, second};
pub use report::{Outcome, Report, Row};

/// The delay of each query, so that the table shows the cost of a database across a network.
const LATENCY: Duration = Duration::from_millis(10);

pub async fn run(cache: Cache) -> Result<Report, Box<dyn Error>> {
    let mut servers = JoinSet::new();
    let cached = start(&mut servers, cache.clone()).await?;
    let uncached = start(&mut servers, Cache::builder().enabled(false).build()?).await?;

    println!("Each query is slowed down by {LATENCY:?}, as if the database were across a network.");
    let mut report = Report::default();
    for request in script::requests() {
        println!("\n{} {}", request.method, request.path);
        let (before, start) = (cache.stats(), Instant::now());
        let response = client::send(cached, &request).await?;
        let (time, after) = (start.elapsed(), cache.stats());
        let expected = client::send(uncached, &request).await?;
        report.rows.push(Row {
            request,
            outcome: Outcome::between(&before, &after),
            time,
            response,
            expected,
        });
    }
    Ok(report)
}

/// Serve on a free port, with `cache` as the current cache of each request.
async fn start(servers: &mut JoinSet<()>, cache: Cache) -> Result<SocketAddr, Box<dyn Error>> {
    let app = router(Repo {
        db: Db::open(LATENCY)?,
    });
    let app = app.layer(middleware::from_fn(move |request: Request, next: Next| {
        let cache = cache.clone();
        async move { cache.scope(next.run(request)).await }
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    servers.spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            eprintln!("a server stopped: {error}");
        }
    });
    Ok(address)
}
