//! Where the entries are, and how to get there.

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, RedisResult};

use super::connection::Connection;
use crate::error::CacheError;

/// Where Redis is, as the builder was told.
#[derive(Clone)]
pub(crate) enum Place {
    /// One server, by its URL.
    Server(String),
}

/// A place that was understood.
pub(super) enum Endpoint {
    Server(Client),
}

impl Endpoint {
    /// Reads the place; nothing is connected.
    pub(super) fn new(place: &Place) -> Result<Self, CacheError> {
        match place {
            Place::Server(url) => check_url(url).map(Self::Server),
        }
    }

    /// A fresh connection in RESP3, for `hear` to hear what the server says without being asked. Timeouts are the caller's.
    pub(super) async fn open_telling(
        &self,
        hear: impl AsyncPushSender,
    ) -> RedisResult<MultiplexedConnection> {
        let config = timeless().set_push_sender(hear);
        let client = match self {
            Self::Server(client) => client.clone(),
        };
        let told = client.get_connection_info().clone();
        let settings = told.redis_settings().clone();
        let told = told.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
        Client::open(told)?
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// A fresh connection. Timeouts are the caller's: the connection's own would count each step anew.
    pub(super) async fn open(&self) -> RedisResult<Connection> {
        let config = timeless();
        match self {
            Self::Server(client) => client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map(Connection::Server),
        }
    }
}

/// Without timeouts.
fn timeless() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
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
