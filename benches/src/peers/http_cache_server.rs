//! `http-cache-tower-server` with the manager of its documentation: a map behind a lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http_cache::{CacheManager, HttpResponse, Result};
use http_cache_semantics::CachePolicy;
use http_cache_tower_server::ServerCacheLayer;

type Stored = (HttpResponse, CachePolicy);

/// The map.
#[derive(Clone, Default)]
pub struct Manager(Arc<Mutex<HashMap<String, Stored>>>);

impl Manager {
    fn with<T>(&self, use_it: impl FnOnce(&mut HashMap<String, Stored>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CacheManager for Manager {
    async fn get(&self, key: &str) -> Result<Option<Stored>> {
        Ok(self.with(|map| map.get(key).cloned()))
    }

    async fn put(
        &self,
        key: String,
        response: HttpResponse,
        policy: CachePolicy,
    ) -> Result<HttpResponse> {
        self.with(|map| map.insert(key, (response.clone(), policy)));
        Ok(response)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.with(|map| map.remove(key));
        Ok(())
    }
}

pub fn layer() -> ServerCacheLayer<Manager> {
    ServerCacheLayer::new(Manager::default())
}
