//! A service on a database and a cache of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, SiteStats};
use graphql_example::client::{self, Response};
use graphql_example::{Db, demo};
use serde_json::Value;
use tokio::task::JoinSet;

/// A server on a free port. It ends when this is dropped.
pub(crate) struct Service {
    pub(crate) db: Arc<Db>,
    address: SocketAddr,
    _server: JoinSet<()>,
}

impl Service {
    pub(crate) async fn start(cache: &Cache) -> Self {
        let mut server = JoinSet::new();
        let db = Arc::new(Db::open(Duration::ZERO));
        let address = demo::start(&mut server, Arc::clone(&db), cache).await;
        Self {
            db,
            address: address.unwrap(),
            _server: server,
        }
    }

    /// Send an operation with this token, or with none.
    pub(crate) async fn send(&self, token: Option<&str>, operation: &str) -> Response {
        let response = client::send(self.address, token, operation).await;
        response.unwrap()
    }

    /// Send an operation that succeeds, and return its data.
    pub(crate) async fn data(&self, token: &str, operation: &str) -> Value {
        let response = self.send(Some(token), operation).await;
        assert_eq!(response.status, 200, "{operation}");
        assert_eq!(response.body.get("errors"), None, "{operation}");
        response.body["data"].clone()
    }

    /// Send an operation that fails, and return the message of its error.
    pub(crate) async fn error(&self, token: Option<&str>, operation: &str) -> String {
        let response = self.send(token, operation).await;
        let message = response.body["errors"][0]["message"].as_str();
        message
            .unwrap_or_else(|| panic!("{operation}: {response:?}"))
            .to_owned()
    }
}

/// Return the hits and misses of one annotated function.
pub(crate) fn hits_and_misses(cache: &Cache, function: &str) -> (u64, u64) {
    let is_it = |site: &SiteStats| site.function == function;
    let site = cache.stats().sites.into_iter().find(is_it);
    site.map_or((0, 0), |site| (site.hits, site.misses))
}
