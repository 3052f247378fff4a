//! The admin API of the cache.

use axum::Router;
use cache_http::bearer_env;
use cache_runtime::Cache;

/// Mount the admin API at `/admin/cache`, for requests with the token in `CACHE_ADMIN_TOKEN`. Without
/// one, the service has no admin API.
///
/// It is outside of the `ContextLayer`: here, anyone can claim to be any user.
pub fn mount(app: Router, cache: &Cache) -> Router {
    match bearer_env("CACHE_ADMIN_TOKEN") {
        Ok(token) => app.nest_service("/admin/cache", cache_http::admin(cache).access(token)),
        Err(error) => {
            eprintln!("there is no admin API: {error}");
            app
        }
    }
}
