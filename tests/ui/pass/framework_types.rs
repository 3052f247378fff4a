//! What services hand around: axum's extractors and `Json`, `Uuid`s, values that only a self-describing codec carries.
use axum::Json;
use axum::extract::Path;
use cache_runtime::{Cache, cacheable, invalidate};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Post {
    slug: String,
    #[serde(flatten)]
    more: HashMap<String, u32>,
}

struct State(Arc<String>);

fn post(slug: &str) -> Post {
    Post {
        slug: slug.to_owned(),
        more: HashMap::from([("likes".to_owned(), 3)]),
    }
}

#[cacheable(key = "posts:<<slug>>", skip(state), unless = |post| post.slug.is_empty())]
async fn handler(
    Path(slug): Path<String>,
    State(state): State,
    Json(filter): Json<HashMap<String, u32>>,
) -> Result<Json<Post>, String> {
    assert_eq!(*state, "state");
    assert_eq!(filter.len(), 2);
    Ok(Json(post(&slug)))
}

#[cacheable(key = "pairs:<<user>>:<<id>>:<<maybe>>")]
async fn pair(Path((user, id)): Path<(u64, Uuid)>, maybe: Option<Uuid>) -> Json<Uuid> {
    assert_eq!((user, maybe), (1, None));
    Json(id)
}

#[cacheable(key = "values:<<name>>")]
fn value(name: &str) -> serde_json::Value {
    serde_json::json!({ name: [1, null, "x"] })
}

#[cacheable(key = "shared:<<id>>")]
async fn shared(id: &Uuid) -> Result<Option<Arc<Post>>, Arc<str>> {
    Ok(Some(Arc::new(post(&id.to_string()))))
}

#[invalidate(patterns = ["posts:<<slug>>:*", "posts:<<result.slug>>"])]
async fn update(Path(slug): Path<String>, Json(new): Json<Post>) -> Result<Json<Post>, String> {
    drop(slug);
    Ok(Json(new))
}

async fn check() {
    let state = || State(Arc::new("state".to_owned()));
    let filters = [("a", 1), ("b", 2)].map(|(name, count)| (name.to_owned(), count));
    for _ in 0..2 {
        // The order of a map is no part of it.
        let filter = Json(HashMap::from(filters.clone()));
        let read = handler(Path("a".to_owned()), state(), filter).await;
        assert_eq!(read.map(|Json(read)| read), Ok(post("a")));
        assert_eq!(pair(Path((1, Uuid::nil())), None).await.0, Uuid::nil());
        assert_eq!(value("a")["a"][2], "x");
        assert_eq!(
            shared(&Uuid::nil()).await,
            Ok(Some(Arc::new(post(&Uuid::nil().to_string()))))
        );
    }
    let updated = update(Path("b".to_owned()), Json(post("a"))).await;
    assert_eq!(updated.map(|Json(new)| new.slug), Ok("a".to_owned()));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 4);
    assert_eq!(cache.stats().invalidated, 1);
}
