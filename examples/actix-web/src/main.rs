//! Serves the notes: see `lib.rs`.

use std::error::Error;

use actix_web::web::Data;
use actix_web::{App, HttpServer};
use actix_web_example::{Database, routes};
use cache_runtime::CacheBuilder;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // On Redis if `REDIS_URL` is set. It is cleared: the database is new at each start, and entries
    // of an earlier run in Redis belong to another one.
    let cache = CacheBuilder::from_env()?.default_prefix("notes").build()?;
    if let Err(error) = cache.clear().await {
        eprintln!("the cache was not cleared: {error}");
    }
    cache.install()?;
    let database = Data::new(Database::open());
    // Each worker makes an application of its own, on the same database.
    let app = move || App::new().configure(routes(database.clone()));
    let server = HttpServer::new(app).bind("127.0.0.1:8080")?;
    println!("actix-web-example serves on http://127.0.0.1:8080");
    Ok(server.run().await?)
}
