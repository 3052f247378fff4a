//! The endpoint: where Redis is, and how to connect to it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ErrorKind, ProtocolVersion, PushInfo,
    RedisError, RedisResult,
};

use crate::error::CacheError;
use crate::store::redis::cluster::Cluster;
use crate::store::redis::conn::connection::{Connection, Node};
#[cfg(feature = "sentinel")]
use crate::store::redis::conn::sentinel::Sentinel;
use crate::store::redis::conn::tls::Tls;

/// Endpoint, as given to the builder.
#[derive(Clone)]
pub(crate) enum Endpoint {
    /// URL of a single server.
    Server(String),
    /// Name of a master, and the URLs of the sentinels that know it.
    #[cfg(feature = "sentinel")]
    Sentinel { urls: Vec<String>, master: String },
    /// URLs of some nodes of a cluster.
    Cluster(Vec<String>),
}

/// Further options of the builder for connecting.
#[derive(Clone, Default)]
pub(crate) struct ConnectOptions {
    pub(crate) tls: Tls,
    /// User and password of a master that is found through sentinels.
    #[cfg(feature = "sentinel")]
    pub(crate) login: Option<(String, String)>,
    /// Database of that master.
    #[cfg(feature = "sentinel")]
    pub(crate) database: u32,
}

impl std::fmt::Debug for ConnectOptions {
    /// Show no fields, because they hold passwords and keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectOptions")
    }
}

/// Handler for push messages. The connection's driver calls it before it delivers later replies.
pub(crate) type PushHandler = Box<dyn Fn(PushInfo) + Send + Sync>;

/// Endpoint whose URLs have been parsed.
pub(crate) enum Connector {
    Server(redis::Client),
    #[cfg(feature = "sentinel")]
    Sentinel(Sentinel),
    Cluster(Arc<Cluster>),
}

impl Connector {
    /// Parse the endpoint, without connecting. `response` limits the time that connecting may take.
    pub(crate) fn new(
        place: &Endpoint,
        options: &ConnectOptions,
        response: Duration,
    ) -> Result<Self, CacheError> {
        match place {
            Endpoint::Server(url) => {
                #[cfg(not(feature = "sentinel"))]
                let _ = response;
                let client = options.tls.with_certificates(check_url(url)?)?;
                Ok(Self::Server(configured(&client)))
            }
            #[cfg(feature = "sentinel")]
            Endpoint::Sentinel { urls, master } => {
                Sentinel::new(urls, master, options, response / 4).map(Self::Sentinel)
            }
            Endpoint::Cluster(urls) => {
                Cluster::new(urls, options).map(|cluster| Self::Cluster(cluster.into()))
            }
        }
    }

    /// Report whether entries and their index sets may be on different nodes.
    pub(crate) fn is_many_nodes(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Open a connection. The caller sets the timeout: the client's own timeouts would start again
    /// at each step.
    pub(crate) async fn open(&self) -> RedisResult<Connection> {
        match self {
            Self::Server(client) => connect(client, None).await.map(Connection::Server),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(sentinel) => sentinel.open(None).await.map(Connection::Server),
            Self::Cluster(cluster) => cluster.open().await.map(Connection::Cluster),
        }
    }

    /// Return a client for the single server that has all keys. With Sentinel, that is the current
    /// master.
    pub(crate) async fn find(&self) -> RedisResult<redis::Client> {
        match self {
            Self::Server(client) => Ok(client.clone()),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(sentinel) => sentinel.find().await,
            Self::Cluster(_) => Err((ErrorKind::Client, "a cluster isn't one server").into()),
        }
    }

    /// Open a RESP3 connection to a node, with a handler for push messages.
    pub(crate) async fn open_with_push(
        &self,
        node: &Node,
        on_push: PushHandler,
    ) -> RedisResult<MultiplexedConnection> {
        match (self, node) {
            (Self::Server(client), _) => connect(client, Some(on_push)).await,
            #[cfg(feature = "sentinel")]
            (Self::Sentinel(sentinel), _) => sentinel.open(Some(on_push)).await,
            (Self::Cluster(cluster), Some(at)) => {
                cluster.connect_with_push(at, Some(on_push)).await
            }
            (Self::Cluster(_), None) => {
                Err((ErrorKind::Client, "a cluster isn't one server").into())
            }
        }
    }

    /// Explain why the first exchange on a connection failed.
    pub(crate) fn explain(&self, error: RedisError) -> RedisError {
        match self {
            Self::Server(client) => explained(client, error),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(_) => error,
            Self::Cluster(_) => error,
        }
    }
}

/// Explain an error of a server that closed the connection right after it was opened. In TLS 1.3
/// the client's part of the handshake ends before the server has checked the client's certificate,
/// so the server's refusal arrives too late to be read.
pub(crate) fn explained(client: &redis::Client, error: RedisError) -> RedisError {
    let addr = client.get_connection_info().addr();
    if !matches!(addr, ConnectionAddr::TcpTls { .. }) || !error.is_io_error() {
        return error;
    }
    let text = format!(
        "the server closed the connection after the TLS handshake ({error}); if it asks for a \
         client certificate, give one that it trusts to `tls_client_certificate`"
    );
    io::Error::new(io::ErrorKind::ConnectionReset, text).into()
}

/// Connect to one server, of whatever kind. Uses RESP3 if there is a handler for push messages.
pub(crate) async fn connect(
    client: &redis::Client,
    on_push: Option<PushHandler>,
) -> RedisResult<MultiplexedConnection> {
    #[cfg(feature = "tls")]
    crate::store::redis::conn::certificates::provide(client.get_connection_info().addr());
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None);
    let Some(on_push) = on_push else {
        return client
            .get_multiplexed_async_connection_with_config(&config)
            .await;
    };
    config = config.set_push_sender(move |info| {
        on_push(info);
        Ok::<(), ()>(())
    });
    let info = client.get_connection_info().clone();
    let settings = info.redis_settings().clone();
    let info = info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3));
    redis::Client::open(info)?
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Idle time before the first keep-alive probe; further probes follow every [`KEEPALIVE_INTERVAL`].
/// Load balancers and firewalls forget flows after some minutes, and most count a probe as traffic.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// Return the client without the commands by which it introduces itself. An old server doesn't know
/// them, and a user with minimal permissions may not run them, which the server would log each time.
/// Enables keep-alive on its sockets, and disables Nagle's algorithm, which holds a command back
/// until the one before is acknowledged.
pub(crate) fn configured(client: &redis::Client) -> redis::Client {
    let info: ConnectionInfo = client.get_connection_info().clone();
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    #[cfg(any(target_os = "linux", target_os = "macos", windows))]
    let keepalive = keepalive.with_interval(KEEPALIVE_INTERVAL);
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
    // The info came from a client that was built, so building another one succeeds.
    redis::Client::open(info).unwrap_or_else(|_| client.clone())
}

/// URL schemes, and whether each means TLS.
const SCHEMES: [(&str, bool); 6] = [
    ("redis://", false),
    ("valkey://", false),
    ("unix://", false),
    ("redis+unix://", false),
    ("rediss://", true),
    ("valkeys://", true),
];

/// Parse the URL. An error doesn't show the URL.
pub(crate) fn check_url(url: &str) -> Result<redis::Client, CacheError> {
    let invalid = |reason: String| CacheError::InvalidUrl { reason };
    let scheme = SCHEMES.iter().find(|(scheme, _)| url.starts_with(scheme));
    let Some((scheme, is_tls)) = scheme else {
        let expected =
            "it doesn't begin with redis://; write redis://[user:password@]host[:port][/database]";
        return Err(invalid(expected.to_owned()));
    };
    if *is_tls && cfg!(not(feature = "tls")) {
        return Err(invalid(format!(
            "`{scheme}` means TLS, but cache-runtime was built without it; enable the feature `tls`"
        )));
    }
    // The only fragment that the client knows is `#insecure`.
    if *is_tls && url.contains('#') {
        let reason = "it has a `#..` part, which would disable certificate checks; remove it, and \
             give the certificate of the server's authority to `tls_ca` (write a `#` in a password \
             as `%23`)";
        return Err(invalid(reason.to_owned()));
    }
    let client = redis::Client::open(url).map_err(|error| {
        let detail = error
            .detail()
            .filter(|detail| !detail.contains(url))
            .unwrap_or("it is malformed");
        invalid(format!(
            "{detail} (redis://[user:password@]host[:port][/database])"
        ))
    })?;
    // The client wouldn't log in then, and the server would run each command as `default`.
    let settings = client.get_connection_info().redis_settings();
    let is_empty = |part: Option<&str>| part.is_none_or(str::is_empty);
    if !is_empty(settings.username()) && is_empty(settings.password()) {
        let reason = "it has a user but no password, so the server would run the client as the \
             user `default`, which usually has every permission; write redis://user:password@host (a \
             user with `nopass` accepts any password), or leave the user out";
        return Err(invalid(reason.to_owned()));
    }
    refuse_ignored_parts(url, client)
}

/// Refuse a URL with a part that would be ignored or is ambiguous: the cache would connect to
/// another place than the URL says. The message quotes no part of the URL, since a part of a
/// password may be in an unexpected place.
fn refuse_ignored_parts(url: &str, client: redis::Client) -> Result<redis::Client, CacheError> {
    let invalid = |reason: String| CacheError::InvalidUrl { reason };
    let info = client.get_connection_info();
    if !(0..=i64::from(i32::MAX)).contains(&info.redis_settings().db()) {
        let reason = "the database must be a number from 0 to 2147483647".to_owned();
        return Err(invalid(reason));
    }
    let (read, instead): (&[&str], _) = match info.addr() {
        ConnectionAddr::Unix(_) => (&["db", "user", "pass", "protocol"], ""),
        _ => (
            &["protocol"],
            "; the database is the path, redis://host:port/3, and all other settings are options of the builder",
        ),
    };
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let mut names = query.split('&').map(|pair| pair.split('=').next());
    if !query.is_empty() && names.any(|name| !name.is_some_and(|name| read.contains(&name))) {
        let read = read.join("`, `");
        return Err(invalid(format!(
            "it has a `?..` parameter other than `{read}`, which would be ignored; remove it{instead}"
        )));
    }
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match check_url(url) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{url} is taken"),
        }
    }

    #[test]
    #[cfg(not(feature = "tls"))]
    fn without_the_feature_a_url_with_tls_names_it() {
        for url in ["rediss://:sesame@host", "valkeys://:sesame@host"] {
            let refusal = refusal(url);
            assert!(refusal.contains("feature `tls`"), "{refusal}");
            assert!(!refusal.contains("sesame"), "{refusal}");
        }
    }

    #[test]
    #[cfg(feature = "tls")]
    fn tls_without_certificate_checks_is_refused() {
        assert!(check_url("rediss://:sesame@host").is_ok());
        for url in [
            "rediss://:sesame@host#insecure",
            "valkeys://:sesame@host/1#",
        ] {
            let refusal = refusal(url);
            assert!(refusal.contains("tls_ca"), "{refusal}");
            assert!(!refusal.contains("sesame"), "{refusal}");
        }
    }

    #[test]
    fn a_part_that_would_be_ignored_is_refused_and_not_shown() {
        for url in [
            "redis://:sesame@host?db=3",
            "redis://host/3?timeout=sesame",
            "redis://host?protocol=resp3&sesame",
            "redis://:sesame@host/-1",
            "redis://:sesame@host/2147483648",
            "unix:///a/b?db=-1&pass=sesame",
            "redis+unix:///a/b?password=sesame",
        ] {
            let refusal = refusal(url);
            assert!(!refusal.contains("sesame"), "{refusal}");
        }
        for url in [
            "redis://host",
            "redis://host/",
            "redis://host/15",
            "redis://host?",
            "redis://host/1?protocol=resp3",
            "unix:///a/b?db=1&user=u&pass=sesame&protocol=resp2",
        ] {
            assert!(check_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_foreign_url_scheme_is_refused() {
        for url in ["http://host", "redis:/host", "xredis://host", ""] {
            assert!(refusal(url).contains("redis://"), "{url}");
        }
    }
}
