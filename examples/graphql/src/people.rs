//! People, loaded in batches.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use cache_runtime::{Cache, cacheable};

use crate::db::{Db, DbError};
use crate::model::Person;

/// Find people. Each has an entry of their own: those that are cached aren't asked for again, and
/// the others are one query.
#[cacheable(key = "user:<<id>>:data", each = ids, ttl = "1h", skip(db))]
async fn people(db: &Db, ids: &[i32]) -> Result<HashMap<i32, Person>, DbError> {
    db.people(ids).await
}

/// Collects the ids that the resolvers of a request want.
pub(crate) struct People {
    db: Arc<Db>,
}

impl People {
    /// The loader keeps nothing itself: what it kept, no invalidation would reach.
    pub(crate) fn loader(db: Arc<Db>) -> DataLoader<Self> {
        // The loader spawns a task for each batch, which doesn't inherit the scope of a cache.
        DataLoader::new(Self { db }, |batch| {
            tokio::spawn(Cache::current().scope(batch))
        })
    }
}

impl Loader<i32> for People {
    type Value = Person;
    type Error = DbError;

    async fn load(&self, ids: &[i32]) -> Result<HashMap<i32, Person>, DbError> {
        people(&self.db, ids).await
    }
}
