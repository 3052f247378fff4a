//! The HTTP API. A handler is an ordinary function, so it can be cached directly.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use cache_http::{CacheLayer, ContextLayer, NoStore, page};
use cache_runtime::cacheable;

use crate::error::ApiError;
use crate::models::{
    Comment, CommentQuery, Like, LikeQuery, Liked, NewComment, NewPost, Post, PostChange,
    PostFilters, Profile, ProfileChange, Topic,
};
use crate::repo::{self, Repo};
use crate::viewer::{self, Viewer};
use crate::warm;

pub fn router(repo: Repo) -> Router {
    let list = CacheLayer::new(page!("posts:list")).ttl("5m");
    Router::new()
        // Only the GET is inside of the layer. A POST invalidates in its transaction.
        .route("/posts", get(list_posts).layer(list).post(create_post))
        .route("/posts/{slug}", get(get_post).put(update_post))
        .route(
            "/posts/{slug}/comments",
            get(list_comments).post(create_comment),
        )
        .route("/posts/{slug}/likes", get(list_likes))
        .route("/posts/{slug}/like", post(toggle_like))
        .route("/comments/{id}", delete(delete_comment))
        .route("/profiles/{id}", get(get_profile).put(update_profile))
        .route("/topics", get(list_topics))
        .route("/login", post(log_in))
        .with_state(repo)
        .layer(ContextLayer::new(viewer::user_id))
}

/// List posts. The layer caches the whole response. The query is hashed into the key:
/// `quickpost:posts:list#<hash>`. An empty list is not worth caching.
async fn list_posts(
    State(repo): State<Repo>,
    Query(filters): Query<PostFilters>,
) -> Result<Response, ApiError> {
    let posts = repo.posts(filters).await?;
    let opt_out = posts.is_empty().then_some(Extension(NoStore));
    Ok((opt_out, Json(posts)).into_response())
}

/// Return a post. The key of `/posts/my-post` is `quickpost:posts:my-post`.
#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(repo), debug = true)]
pub async fn get_post(
    State(repo): State<Repo>,
    Path(slug): Path<String>,
) -> Result<Json<Post>, ApiError> {
    repo.post(&slug).await.map(Json)
}

async fn create_post(
    State(repo): State<Repo>,
    viewer: Viewer,
    Json(new): Json<NewPost>,
) -> Result<(StatusCode, Json<Post>), ApiError> {
    let post = repo.create_post(viewer.user_id()?, new).await?;
    Ok((StatusCode::CREATED, Json(post)))
}

async fn update_post(
    State(repo): State<Repo>,
    Path(slug): Path<String>,
    viewer: Viewer,
    Json(change): Json<PostChange>,
) -> Result<Json<Post>, ApiError> {
    repo.update_post(&slug, viewer.user_id()?, change)
        .await
        .map(Json)
}

async fn list_comments(
    State(repo): State<Repo>,
    Path(slug): Path<String>,
    Query(query): Query<CommentQuery>,
) -> Result<Json<Vec<Comment>>, ApiError> {
    repo.comments(&slug, query.sort).await.map(Json)
}

async fn create_comment(
    State(repo): State<Repo>,
    Path(slug): Path<String>,
    viewer: Viewer,
    Json(new): Json<NewComment>,
) -> Result<(StatusCode, Json<Comment>), ApiError> {
    let comment = repo.create_comment(&slug, viewer, new).await?;
    Ok((StatusCode::CREATED, Json(comment)))
}

async fn delete_comment(
    State(repo): State<Repo>,
    Path(id): Path<i64>,
    viewer: Viewer,
) -> Result<Json<Comment>, ApiError> {
    repo.delete_comment(id, viewer).await.map(Json)
}

async fn list_likes(
    State(repo): State<Repo>,
    Path(slug): Path<String>,
    Query(query): Query<LikeQuery>,
) -> Result<Json<Vec<Like>>, ApiError> {
    repo.likes(&slug, query.dislike).await.map(Json)
}

async fn toggle_like(
    State(repo): State<Repo>,
    Path(slug): Path<String>,
    viewer: Viewer,
    Query(query): Query<LikeQuery>,
) -> Result<Json<Liked>, ApiError> {
    repo.toggle_like(&slug, viewer.user_id()?, query.dislike)
        .await
        .map(Json)
}

async fn get_profile(
    State(repo): State<Repo>,
    Path(id): Path<i64>,
) -> Result<Json<Profile>, ApiError> {
    repo.profile(id).await?.map(Json).ok_or(ApiError::NotFound)
}

async fn update_profile(
    State(repo): State<Repo>,
    Path(id): Path<i64>,
    viewer: Viewer,
    Json(change): Json<ProfileChange>,
) -> Result<Json<Profile>, ApiError> {
    if !viewer.is(id) {
        return Err(ApiError::Forbidden);
    }
    repo.update_profile(id, change)
        .await?
        .map(Json)
        .ok_or(ApiError::NotFound)
}

async fn list_topics(State(repo): State<Repo>) -> Result<Json<Vec<Topic>>, ApiError> {
    repo::topics(&repo.db).await.map(Json)
}

/// Log in. (A real service would check a password here.)
async fn log_in(State(repo): State<Repo>, viewer: Viewer) -> Result<Json<Profile>, ApiError> {
    let id = viewer.user_id()?;
    let profile = repo.profile(id).await?.ok_or(ApiError::Unauthorized)?;
    warm::latest_of(id, repo);
    Ok(Json(profile))
}
