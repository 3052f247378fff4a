//! The admin API: a service that shows a cache, and changes it.

mod access;
mod bearer;
mod body;
mod builder;
mod change;
mod clear;
mod doctor;
mod events;
mod fleet;
mod health;
mod keys;
mod limiter;
mod page;
mod query;
mod received;
mod reply;
mod routes;
mod service;
mod stats;
mod stream;
mod table;
mod warm;

pub use access::Access;
pub use bearer::{bearer, bearer_env};
pub use body::AdminBody;
pub use builder::{AdminBuilder, admin};
pub use service::AdminService;
