//! The mutations. Each removes the entries that it changes before it returns, so the fields that a
//! request selects of its result, and the next query, are fresh.

use async_graphql::{Context, Object, Result};
use cache_runtime::invalidate;

use super::db;
use crate::model::{Errand, Escrow, Person};
use crate::viewer::Viewer;

pub struct Mutation;

#[Object]
impl Mutation {
    /// Post an errand.
    #[invalidate(patterns = ["errand_list:*"])]
    async fn create_errand(&self, ctx: &Context<'_>, title: String, reward: i32) -> Result<Errand> {
        let viewer = Viewer::of(ctx)?;
        Ok(db(ctx)?.create_errand(viewer.id, title, reward).await?)
    }

    // Both the payer and the runner see the escrow among theirs. The patterns take them from the
    // result.
    /// Put the reward of an errand into escrow for a runner.
    #[invalidate(patterns = [
        "errand:<<errand>>",
        "errand_list:*",
        "user_escrows:<<result.payer_id>>",
        "user_escrows:<<result.runner_id>>",
    ])]
    async fn fund_escrow(&self, ctx: &Context<'_>, errand: i32, runner: i32) -> Result<Escrow> {
        let viewer = Viewer::of(ctx)?;
        Ok(db(ctx)?.fund(viewer.id, errand, runner).await?)
    }

    /// Mark an errand as done, which its runner does.
    #[invalidate(patterns = ["errand:<<id>>", "errand_list:*"])]
    async fn complete_errand(&self, ctx: &Context<'_>, id: i32) -> Result<Errand> {
        let viewer = Viewer::of(ctx)?;
        Ok(db(ctx)?.complete(viewer.id, id).await?)
    }

    /// Pay the runner, which the payer does.
    #[invalidate(patterns = [
        "user_escrows:<<result.payer_id>>",
        "user_escrows:<<result.runner_id>>",
    ])]
    async fn release_escrow(&self, ctx: &Context<'_>, id: i32) -> Result<Escrow> {
        let viewer = Viewer::of(ctx)?;
        Ok(db(ctx)?.release(viewer.id, id).await?)
    }

    /// Change the name of the viewer.
    #[invalidate(patterns = ["user:<<result.id>>:*"])]
    async fn rename(&self, ctx: &Context<'_>, name: String) -> Result<Person> {
        let viewer = Viewer::of(ctx)?;
        Ok(db(ctx)?.rename(viewer.id, name).await?)
    }
}
