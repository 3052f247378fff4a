//! A service with a dashboard below a deep mount.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use cache_http::{Access, AdminService, admin, bearer};
use cache_runtime::{Cache, Codec, cacheable, invalidate};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The token of the service.
pub const TOKEN: &str = "token-of-the-service";

const MOUNT: &str = "/deep/down/admin/cache";

#[cacheable(key = "posts:<<id>>", ttl = 600)]
pub async fn post(id: u32) -> String {
    tokio::time::sleep(Duration::from_millis(2)).await;
    format!("secret text of post {id}")
}

#[cacheable(key = "settings", ttl = 600)]
pub async fn settings() -> u32 {
    1
}

#[invalidate(patterns = ["posts:<<id>>:*", "post:<<id>>"])]
pub async fn update(id: u32) {}

/// Dropping it ends the service.
pub struct Service {
    pub cache: Cache,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Service {
    /// Start a service that asks for the [`TOKEN`].
    pub async fn start() -> Self {
        Self::with(|cache| admin(cache).access(bearer(TOKEN).unwrap())).await
    }

    /// Start a service that shows everyone everything, and lets nobody change anything.
    pub async fn for_readers() -> Self {
        Self::with(|cache| admin(cache).access(|_| async { Access::Read })).await
    }

    async fn with(service: impl FnOnce(&Cache) -> AdminService) -> Self {
        let cache = Cache::builder().prefix("shop");
        // It describes values, so they can be shown.
        let cache = cache.codec(Codec::MessagePack).build().unwrap();
        let app = Router::new().nest_service(MOUNT, service(&cache));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let service = Self {
            cache,
            address,
            serving,
        };
        let calls = async {
            for id in [42, 42, 42, 7] {
                post(id).await;
            }
            settings().await;
            update(7).await;
        };
        service.cache.scope(calls).await;
        service
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Return the address of the dashboard, and of a page of it.
    pub fn page(&self, hash: &str) -> String {
        format!("{}{MOUNT}/#/{hash}", self.origin())
    }

    /// Return the address of the mount, without a slash at its end.
    pub fn mount(&self) -> String {
        format!("{}{MOUNT}", self.origin())
    }

    pub async fn has(&self, key: &str) -> bool {
        self.cache.inspect(key).await.unwrap().is_some()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
