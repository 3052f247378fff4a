//! Bare `quick_cache`: the fastest concurrent map that evicts. It does none of an attribute's work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use quick_cache::sync::Cache;

use crate::model::{Filters, Post};

pub type Store = Cache<String, Arc<Post>>;

pub fn store(room: usize) -> Store {
    Cache::new(room)
}

/// Read through by hand, with a formatted key.
pub fn shared(store: &Store, slug: &str) -> Arc<Post> {
    let key = format!("posts:{slug}");
    store.get(&key).unwrap_or_else(|| {
        let post = Arc::new(Post::of(slug));
        store.insert(key, Arc::clone(&post));
        post
    })
}

pub fn three(store: &Store, topic: &str, slug: &str, page: u32) -> Arc<Post> {
    let key = format!("posts:{topic}:{slug}:{page}");
    store.get(&key).unwrap_or_else(|| {
        let post = Arc::new(Post::of(slug));
        store.insert(key, Arc::clone(&post));
        post
    })
}

/// Read through with the struct itself as the key. No pattern and no other process could find it.
pub fn hashed(store: &Cache<Filters, Arc<Post>>, filters: &Filters) -> Arc<Post> {
    store.get(filters).unwrap_or_else(|| {
        let post = Arc::new(Post::of(&filters.author));
        store.insert(filters.clone(), Arc::clone(&post));
        post
    })
}

/// `quick_cache` with the least that finds keys by a prefix: an ordered map under one lock.
pub struct Indexed {
    pub store: Store,
    pub index: Mutex<BTreeMap<String, ()>>,
}

impl Indexed {
    pub fn new(room: usize) -> Self {
        Self {
            store: store(room),
            index: Mutex::new(BTreeMap::new()),
        }
    }

    pub fn insert(&self, key: String, post: Arc<Post>) {
        self.index
            .lock()
            .expect("no thread panics")
            .insert(key.clone(), ());
        self.store.insert(key, post);
    }

    pub fn remove(&self, key: &str) {
        self.index.lock().expect("no thread panics").remove(key);
        self.store.remove(key);
    }
}
