//! Forms of `owner`.

use std::sync::Arc;

use cache_runtime::{Cache, cacheable, invalidate};

struct Auth {
    user: Option<User>,
}

struct User {
    id: u64,
}

impl Auth {
    fn id(&self) -> u64 {
        self.user.as_ref().map_or(0, |user| user.id)
    }
}

#[cacheable(key = "reports:<<auth.id()>>:<<id>>", ttl = 600, owner = auth.id())]
async fn in_the_key(auth: &Auth, id: u64) -> u64 {
    auth.id() + id
}

/// `Auth` can't be hashed, and needn't be.
#[cacheable(key = "reports", owner = auth.id())]
async fn hashed(auth: Auth) -> Result<u64, String> {
    Ok(auth.id())
}

#[cacheable(owner = auth.user.as_ref().map(|user| user.id))]
fn optional(auth: &Auth) -> Option<u64> {
    Some(auth.id())
}

#[cacheable(key = "reports", skip(auth), owner = auth.id())]
fn skipped(auth: &Auth) -> u64 {
    auth.id()
}

#[cacheable(key = "stale", ttl = 60, stale = "1m", owner = name)]
async fn refreshed(name: String) -> Arc<String> {
    Arc::new(name)
}

#[cacheable(key = "negative", cache_err = |_| true, err_ttl = 5, owner = name.as_str())]
async fn negative(name: String) -> Result<u64, String> {
    Err(name)
}

#[cacheable(key = "feed", context(user_id), owner = user_id)]
async fn of_the_context() -> u64 {
    1
}

struct Service {
    tenant: String,
    cache: Cache,
}

impl Service {
    #[cacheable(key = "list:<<page>>", owner = self.tenant, cache = self.cache)]
    async fn list(&self, page: u32) -> u32 {
        page
    }

    #[cacheable(key = "total", ttl = |total: &u32| u64::from(*total), owner = self.tenant.clone(), cache = &self.cache, companions)]
    #[invalidate(patterns = ["list:*"])]
    fn total(&self) -> u32 {
        1
    }
}

#[cacheable(key = "generic", owner = id)]
fn generic<T: std::fmt::Display + serde::Serialize>(id: T) -> String {
    id.to_string()
}

fn main() {
    let auth = Auth { user: Some(User { id: 7 }) };
    let _ = in_the_key(&auth, 1);
    let _ = in_the_key_refresh(&auth, 1);
    let _ = (optional(&auth), skipped(&auth), skipped_cache_key(&auth));
    let _ = hashed(auth);
    let _ = refreshed("ann".to_owned());
    let _ = negative("ann".to_owned());
    let _ = of_the_context();
    let service = Service {
        tenant: "acme".to_owned(),
        cache: Cache::builder().build().expect("it builds"),
    };
    let _ = service.list(1);
    let _ = (service.total(), service.total_refresh(), generic(1));
}
