//! The demo: serve on a free port, send operations, and show what each cost.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::Cache;
use cache_runtime::testing::ScopeLayer;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::client::{self, Response};
use crate::db::Db;
use crate::http::router;

/// The delay of each query, so that the table shows the cost of a database across a network.
const LATENCY: Duration = Duration::from_millis(10);

/// The token and the operation of each request.
const SCRIPT: [(&str, &str); 17] = [
    // A list, which is the same for all viewers. Its people are loaded in one batch.
    ("ada", "{ errands(status: OPEN) { title poster { name } } }"),
    ("lin", "{ errands(status: OPEN) { title poster { name } } }"),
    // Other fields of the same errands: the entry has all of them.
    ("lin", "{ errands(status: OPEN) { id reward } }"),
    // Each viewer has escrows of their own. Ada is cached, and Grace and Lin are not yet.
    ("ada", "{ myEscrows { amount state runner { name } } }"),
    ("grace", "{ myEscrows { amount state runner { name } } }"),
    ("ada", "{ myEscrows { amount state runner { name } } }"),
    ("", "{ myEscrows { amount } }"),
    ("lin", "{ banks(country: \"NG\") { name } }"),
    ("lin", "{ banks(country: \"NG\") { name } }"),
    // The money goes from Ada to Grace: both see it, and Lin's escrows stay in the cache.
    ("lin", "{ myEscrows { amount state } }"),
    ("ada", "mutation { releaseEscrow(id: 1) { state } }"),
    ("ada", "{ myEscrows { amount state } }"),
    ("grace", "{ myEscrows { amount state } }"),
    ("lin", "{ myEscrows { amount state } }"),
    // A new errand is in the list at once. A change that fails removes nothing.
    (
        "lin",
        "mutation { createErrand(title: \"Feed the cat\", reward: 3) { id } }",
    ),
    ("grace", "mutation { completeErrand(id: 2) { id } }"),
    ("ada", "{ errands(status: OPEN) { title } }"),
];

/// An operation and its cost.
#[derive(Clone, Debug)]
pub struct Row {
    /// The token of the viewer, or nothing.
    pub viewer: &'static str,
    /// The request.
    pub operation: &'static str,
    /// The answer.
    pub response: Response,
    /// Calls of cached functions that found an entry.
    pub hits: u64,
    /// Calls of cached functions that didn't.
    pub misses: u64,
    /// Entries that the operation removed.
    pub removed: u64,
    /// Queries that read the database.
    pub reads: u64,
    /// How long the answer took.
    pub time: Duration,
}

/// All operations, in order.
#[derive(Clone, Debug)]
pub struct Report(pub Vec<Row>);

/// Run the demo with a cache.
///
/// # Errors
///
/// Those of the connections.
pub async fn run(cache: &Cache) -> Result<Report, Box<dyn Error>> {
    let mut servers = JoinSet::new();
    let db = Arc::new(Db::open(LATENCY));
    let server = start(&mut servers, Arc::clone(&db), cache).await?;
    let mut rows = Vec::new();
    for (viewer, operation) in SCRIPT {
        let (before, reads, start) = (cache.stats(), db.reads(), Instant::now());
        let token = Some(viewer).filter(|viewer| !viewer.is_empty());
        let response = client::send(server, token, operation).await?;
        let (time, after) = (start.elapsed(), cache.stats());
        rows.push(Row {
            viewer,
            operation,
            response,
            hits: after.hits - before.hits,
            misses: after.misses - before.misses,
            removed: after.invalidated - before.invalidated,
            reads: db.reads() - reads,
            time,
        });
    }
    Ok(Report(rows))
}

/// Serve on a free port until `servers` is dropped, with `cache` as the current cache of each
/// request.
///
/// # Errors
///
/// If no port is free.
pub async fn start(
    servers: &mut JoinSet<()>,
    db: Arc<Db>,
    cache: &Cache,
) -> std::io::Result<SocketAddr> {
    let app = router(db).layer(ScopeLayer::new(cache));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    servers.spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            eprintln!("a server stopped: {error}");
        }
    });
    Ok(address)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<7}{:<69}{:>4} {:>6} {:>7} {:>5} {:>11}",
            "VIEWER", "OPERATION", "HITS", "MISSES", "REMOVED", "READS", "TIME"
        )?;
        for row in &self.0 {
            let milliseconds = row.time.as_secs_f64() * 1000.0;
            writeln!(
                f,
                "{:<7}{:<69}{:>4} {:>6} {:>7} {:>5} {milliseconds:>8.2} ms",
                row.viewer, row.operation, row.hits, row.misses, row.removed, row.reads
            )?;
            if let Some(error) = row.response.body.pointer("/errors/0/message") {
                writeln!(f, "       error: {error}")?;
            }
        }
        Ok(())
    }
}
