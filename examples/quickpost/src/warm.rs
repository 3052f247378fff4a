//! Filling the cache before it is read: the topics at start, and a user's posts when the user logs
//! in.

use axum::extract::{Path, State};
use cache_runtime::{Warm, warmer};

use crate::db::Db;
use crate::error::ApiError;
use crate::models::PostFilters;
use crate::repo::{self, Repo};
use crate::routes::get_post;

/// The number of posts that a user probably opens after the login.
const LATEST: u32 = 10;

/// The topics, which every page shows.
///
/// One process of the service runs it, at the start and then before the entry expires. So do
/// `quickpost cache warm topics` and `POST /admin/cache/warm`.
#[warmer("topics", at_start, every = "10m")]
pub async fn topics(warm: Warm, db: Db) {
    warm.try_each([()], |()| repo::topics(&db)).await;
}

/// Warm the user's latest posts, in the background: the login neither waits nor fails.
pub fn latest_of(user_id: i64, repo: Repo) {
    Warm::current().for_user_with(user_id, move |warm| async move {
        let filters = PostFilters {
            author: Some(user_id),
            limit: Some(LATEST),
            ..PostFilters::default()
        };
        let posts = repo.posts(filters).await?;
        let call = |slug| get_post(State(repo.clone()), Path(slug));
        warm.try_each(posts.into_iter().map(|post| post.slug), call)
            .await;
        Ok::<(), ApiError>(())
    });
}
