//! The worker that the tests of several processes start: `worker ROLE CACHE_URL DATABASE_URL`.
#![allow(missing_docs, clippy::unwrap_used)]

mod detached;
mod fleet;
mod herd;
mod http;
mod near;
mod refresh;
#[path = "../sizes.rs"]
mod sizes;
mod stress;
mod warming;
mod write_through;

/// The arguments of a worker.
struct Orders {
    role: String,
    cache_url: String,
    database_url: String,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [role, cache_url, database_url] = arguments.try_into().expect("three arguments");
    let orders = Orders {
        role,
        cache_url,
        database_url,
    };
    match orders.role.as_str() {
        "herd" => herd::work(&orders).await,
        "fleet" => fleet::work(&orders).await,
        "stale" | "expired" => refresh::work(&orders).await,
        "impatient" | "patient" => detached::work(&orders).await,
        "http" | "http-near" => http::work(&orders).await,
        "near" => near::work(&orders).await,
        "stress" | "stress-near" | "stress-by-hand" => stress::work(&orders).await,
        "warming" | "warming-held" => warming::work(&orders).await,
        role if role.starts_with("through-") => write_through::work(&orders).await,
        unknown => panic!("no worker has the role {unknown}"),
    }
}
