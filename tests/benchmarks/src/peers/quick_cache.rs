//! Bare `quick_cache`: the fastest concurrent map that evicts. It does nothing of what an attribute does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use quick_cache::sync::Cache;

use crate::model::{Filters, Post};

pub type Store = Cache<String, Arc<Post>>;

pub fn store(room: usize) -> Store {
    Cache::new(room)
}

/// As a function would use it by hand, its key formatted.
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

/// A struct is a key as it is, where nobody has to find it again by a pattern or in another process.
pub fn hashed(store: &Cache<Filters, Arc<Post>>, filters: &Filters) -> Arc<Post> {
    store.get(filters).unwrap_or_else(|| {
        let post = Arc::new(Post::of(&filters.author));
        store.insert(filters.clone(), Arc::clone(&post));
        post
    })
}

/// With the least that finds keys by a prefix: an ordered map under one lock.
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
            .expect("nobody panics")
            .insert(key.clone(), ());
        self.store.insert(key, post);
    }

    pub fn remove(&self, key: &str) {
        self.index.lock().expect("nobody panics").remove(key);
        self.store.remove(key);
    }
}
