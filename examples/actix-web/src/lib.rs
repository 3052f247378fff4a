//! Notes on actix-web: cached handlers, and one that invalidates.
//!
//! ```sh
//! cargo run -p actix-web-example
//! curl -i http://127.0.0.1:8080/notes/1
//! curl -i -H 'x-user: ada' 'http://127.0.0.1:8080/notes?text=cards'
//! curl -i -X PUT http://127.0.0.1:8080/notes/1 -d 'Weave flowers.'
//! ```
//!
//! With `REDIS_URL=redis://127.0.0.1:6379`, it uses Redis.
//!
//! A worker of actix-web is one thread, so what a request holds need not be `Send`. Neither need
//! the arguments, the body and the error of a cached handler. The workers share the cache.

mod database;
mod handlers;
mod session;

pub use database::Database;
pub use handlers::routes;
