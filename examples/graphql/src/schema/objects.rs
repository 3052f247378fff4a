//! Fields that cost a query of their own. Such a field is resolved only where a request selects it,
//! and isn't part of the cached value of its object: a person who changes their name changes
//! `user:<<id>>:data`, and no errand.

use async_graphql::dataloader::DataLoader;
use async_graphql::{ComplexObject, Context, Result};

use super::{db, query};
use crate::model::{Errand, Escrow, Person};
use crate::people::People;

#[ComplexObject]
impl Errand {
    async fn poster(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, self.poster_id).await
    }
}

#[ComplexObject]
impl Escrow {
    async fn errand(&self, ctx: &Context<'_>) -> Result<Option<Errand>> {
        Ok(query::errand(db(ctx)?, self.errand_id).await?)
    }

    async fn payer(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, self.payer_id).await
    }

    async fn runner(&self, ctx: &Context<'_>) -> Result<Option<Person>> {
        person(ctx, self.runner_id).await
    }
}

async fn person(ctx: &Context<'_>, id: i32) -> Result<Option<Person>> {
    let people = ctx.data::<DataLoader<People>>()?;
    Ok(people.load_one(id).await?)
}
