//! An errand service in GraphQL: people post errands, put the reward into escrow, and release it.
//! Its queries are cached, and its mutations invalidate.
//!
//! ```sh
//! cargo run -p graphql-example              # serves on 127.0.0.1:3000
//! cargo run -p graphql-example -- --demo    # shows what the cache does, operation by operation
//! ```
//!
//! Both need nothing else installed. With `REDIS_URL=redis://127.0.0.1:6379`, both use Redis. Read
//! `schema/query.rs` and `schema/mutation.rs` first: most attributes are there.
//!
//! | path | content | TTL | removed by |
//! |---|---|---|---|
//! | `errand_list:<<status>>:<<first>>` | a list of errands | 1 min | every change of an errand |
//! | `errand:<<id>>` | an errand | 5 min | its changes |
//! | `user_escrows:<<viewer.id>>` | the escrows of a viewer | 5 min | changes of an escrow of theirs |
//! | `user:<<id>>:data` | a person, loaded in batches | 1 h | a new name |
//! | `banks_list:<<country>>` | the banks of a country | 24 h | nothing |

pub mod client;
mod db;
pub mod demo;
mod http;
mod model;
mod people;
mod schema;
mod viewer;

pub use db::{Db, DbError};
pub use http::router;
pub use schema::{ErrandSchema, schema};
pub use viewer::Viewer;

/// The samples of the guide page, which need async-graphql.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/graphql.md")]
pub struct Guide;
