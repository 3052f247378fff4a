//! The queries. A resolver is an ordinary method, so it can be cached directly. A function below
//! the resolvers is cached where two of them need it, or where the value depends on the viewer.
//!
//! Doc comments of resolvers are descriptions in the schema, which everybody can read. Notes on the
//! cache are plain comments.

use async_graphql::{Context, Object, Result};
use cache_runtime::cacheable;

use super::db;
use crate::db::{Db, DbError};
use crate::model::{Bank, Errand, Escrow, Status};
use crate::viewer::Viewer;

pub struct Query;

#[Object]
impl Query {
    // The key is `errand_list:OPEN:20`. `ctx` is skipped: the body takes nothing from it but the
    // database.
    /// Errands, newest first.
    #[cacheable(key = "errand_list:<<status>>:<<first>>", ttl = "1m", skip(ctx))]
    async fn errands(
        &self,
        ctx: &Context<'_>,
        status: Option<Status>,
        #[graphql(default = 20)] first: u32,
    ) -> Result<Vec<Errand>> {
        Ok(db(ctx)?.errands(status, first).await?)
    }

    /// One errand.
    async fn errand(&self, ctx: &Context<'_>, id: i32) -> Result<Option<Errand>> {
        Ok(errand(db(ctx)?, id).await?)
    }

    // The check for a viewer is here, in front of the cache: in the body of a cached function, a
    // hit would skip it.
    /// The escrows that the viewer pays for or is paid by.
    async fn my_escrows(&self, ctx: &Context<'_>) -> Result<Vec<Escrow>> {
        Ok(user_escrows(db(ctx)?, Viewer::of(ctx)?).await?)
    }

    /// The banks of a country, by its code.
    #[cacheable(key = "banks_list:<<country>>", ttl = "24h", skip(ctx))]
    async fn banks(&self, ctx: &Context<'_>, country: String) -> Result<Vec<Bank>> {
        Ok(db(ctx)?.banks(&country).await?)
    }
}

/// Find an errand. One that doesn't exist isn't cached, so a new one is found at once.
#[cacheable(key = "errand:<<id>>", ttl = "5m", skip(db))]
pub(super) async fn errand(db: &Db, id: i32) -> Result<Option<Errand>, DbError> {
    db.errand(id).await
}

/// List the escrows of a viewer. The viewer is an argument, so the compiler makes sure that it is in
/// the key; from a skipped `ctx` the body could take it unnoticed, and viewers would share.
#[cacheable(key = "user_escrows:<<viewer.id>>", ttl = "5m", skip(db))]
async fn user_escrows(db: &Db, viewer: Viewer) -> Result<Vec<Escrow>, DbError> {
    db.escrows_of(viewer.id).await
}
