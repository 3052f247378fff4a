//! Where the entries are, and how to get there.

use std::sync::Arc;

use redis::{AsyncConnectionConfig, Client, RedisResult};

use super::cluster::Cluster;
use super::connection::Connection;
use crate::error::CacheError;

/// Where Redis is, as the builder was told.
#[derive(Clone)]
pub(crate) enum Place {
    /// One server, by its URL.
    Server(String),
    /// A cluster, by the URLs of some of its nodes.
    Cluster(Vec<String>),
}

/// A place that was understood.
pub(super) enum Endpoint {
    Server(Client),
    Cluster(Arc<Cluster>),
}

impl Endpoint {
    /// Reads the place; nothing is connected.
    pub(super) fn new(place: &Place) -> Result<Self, CacheError> {
        match place {
            Place::Server(url) => check_url(url).map(Self::Server),
            Place::Cluster(urls) => Cluster::new(urls).map(|cluster| Self::Cluster(cluster.into())),
        }
    }

    /// Whether entries and their index may be on different nodes.
    pub(super) fn is_many_nodes(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// A fresh connection. Timeouts are the caller's: the connection's own would count each step anew.
    pub(super) async fn open(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        match self {
            Self::Server(client) => client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map(Connection::Server),
            Self::Cluster(cluster) => cluster.open().await.map(Connection::Cluster),
        }
    }
}

/// Reads the URL, and says what is wrong with it without showing it.
pub(crate) fn check_url(url: &str) -> Result<Client, CacheError> {
    let invalid = |reason: String| CacheError::InvalidUrl { reason };
    if let Some(scheme) = url.split("://").next().filter(|scheme| *scheme == "rediss") {
        return Err(invalid(format!(
            "`{scheme}` is Redis over TLS, which this version doesn't speak; use redis://"
        )));
    }
    if !["redis://", "valkey://", "unix://", "redis+unix://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        let expected =
            "it doesn't begin with redis:// (redis://[user:password@]host[:port][/database])";
        return Err(invalid(expected.to_owned()));
    }
    Client::open(url).map_err(|error| {
        let detail = error
            .detail()
            .filter(|detail| !detail.contains(url))
            .unwrap_or("its form");
        invalid(format!(
            "{detail} (redis://[user:password@]host[:port][/database])"
        ))
    })
}
