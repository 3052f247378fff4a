//! `moka::sync`, used by hand.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use crate::model::{LIFETIME, Post};

pub type Store = Cache<String, Arc<Post>>;

pub fn store(room: usize) -> Store {
    Cache::builder()
        .max_capacity(room as u64)
        .time_to_live(Duration::from_secs(LIFETIME))
        .build()
}

pub fn shared(store: &Store, slug: &str) -> Arc<Post> {
    let key = format!("posts:{slug}");
    store.get(&key).unwrap_or_else(|| {
        let post = Arc::new(Post::of(slug));
        store.insert(key, Arc::clone(&post));
        post
    })
}
