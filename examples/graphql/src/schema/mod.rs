//! The schema.

mod mutation;
mod objects;
mod query;

use std::sync::Arc;

use async_graphql::{Context, EmptySubscription, Result, Schema};

use crate::db::Db;
use crate::people::People;

use mutation::Mutation;
use query::Query;

/// The schema of the service.
pub type ErrandSchema = Schema<Query, Mutation, EmptySubscription>;

/// Build the schema on a database.
pub fn schema(db: Arc<Db>) -> ErrandSchema {
    Schema::build(Query, Mutation, EmptySubscription)
        .data(People::loader(Arc::clone(&db)))
        .data(db)
        .finish()
}

fn db<'c>(ctx: &Context<'c>) -> Result<&'c Db> {
    Ok(&**ctx.data::<Arc<Db>>()?)
}
