//! Redis Cluster: routes commands to nodes, and checks that the masters haven't changed.
//!
//! This is an implementation of our own, since the cache's guarantees depend on these rules:
//!
//! * A connection belongs to **one set of masters** for its lifetime. If another set appears (a
//!   replica took over, a master joined or left, a process was restarted), the connection fails as
//!   if it broke: the breaker opens, and before any read goes to the new masters, the probe sends
//!   them the invalidations that they may lack. A slot that moves between the same masters loses
//!   nothing, so the redirection is followed.
//! * A command whose reply is lost is **never sent again here**, because this layer doesn't check
//!   who the masters are by then (`reconnect` does). Only a command that a node has refused
//!   (`MOVED`, `ASK`) is sent elsewhere.
//! * `ASKING` and its command are sent **together**: on a shared connection another command could
//!   come between them.
//! * Reads go to masters. A replica may lack a delete that its master has acknowledged.

mod connection;
mod handshake;
pub(crate) mod monitor;
mod routing;
mod slot_map;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{select_ok, try_join_all};
use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, ErrorKind, RedisResult};

use super::conn::endpoint::{ConnectOptions, PushHandler, check_url, configured, connect};
use crate::error::CacheError;
pub(crate) use connection::ClusterConnection;
use handshake::{Handshake, handshake, healthy_map};
pub(crate) use routing::ClusterSnapshot;
pub(crate) use slot_map::Address;
use slot_map::{Master, SlotMap};

/// Nodes given to the builder, and nodes seen since. A cluster can move away from the former.
pub(crate) struct Cluster {
    seeds: Vec<redis::Client>,
    known: Mutex<Vec<Address>>,
}

/// Identity of the masters: node IDs, processes, and replication IDs.
#[derive(PartialEq)]
pub(crate) struct Identity {
    text: Arc<str>,
    /// Whether this user may not query all of it.
    partial: bool,
}

impl Cluster {
    /// Parse the URLs, without connecting.
    pub(crate) fn new(urls: &[String], options: &ConnectOptions) -> Result<Self, CacheError> {
        let invalid = |reason: &str| CacheError::InvalidUrl {
            reason: reason.to_owned(),
        };
        if urls.is_empty() {
            return Err(invalid(
                "no URL is given; give the URL of one or more nodes, such as redis://host:port",
            ));
        }
        let seeds = urls.iter().map(|url| {
            let client = configured(&options.tls.with_certificates(check_url(url)?)?);
            let info = client.get_connection_info();
            if matches!(info.addr(), ConnectionAddr::Unix(_)) {
                return Err(invalid(
                    "a cluster's nodes are reached by host and port; write redis://host:port",
                ));
            }
            if info.redis_settings().db() != 0 {
                return Err(invalid(
                    "a cluster has no databases; leave out the number at the end of the URL",
                ));
            }
            Ok(client)
        });
        Ok(Self {
            seeds: seeds.collect::<Result<_, _>>()?,
            known: Mutex::default(),
        })
    }

    /// Open a connection to all masters, if they agree on the set of masters.
    pub(crate) async fn open(self: &Arc<Self>) -> RedisResult<ClusterConnection> {
        let map = self.discover().await?;
        let nodes = map.masters.iter().map(|master| async {
            let node = self.connect(&master.address).await?;
            Ok::<_, redis::RedisError>((master.address.clone(), node))
        });
        let nodes: Vec<(Address, MultiplexedConnection)> = try_join_all(nodes).await?;
        let handshakes = map
            .masters
            .iter()
            .zip(&nodes)
            .map(|(master, (_, node))| handshake(node.clone(), master));
        let identity = agree(&map, try_join_all(handshakes).await?)?;
        *self.known() = addresses(&map.masters);
        Ok(ClusterConnection::new(
            Arc::clone(self),
            map,
            identity,
            nodes,
        ))
    }

    /// Return the slot map of the first node that answers. A silent node must not hide the others.
    async fn discover(&self) -> RedisResult<SlotMap> {
        let seeds = self.seeds.iter().map(address_of);
        let known = self.known().clone();
        let ask = |address: Address| async move {
            let mut node = self.connect(&address).await?;
            let map = healthy_map(&mut node, &address).await?;
            match map.masters.is_empty() {
                true => Err((
                    ErrorKind::Client,
                    "a node knows of no master with slots; check `CLUSTER SLOTS`",
                )
                    .into()),
                false => Ok(map),
            }
        };
        let answers = seeds.chain(known).map(|address| Box::pin(ask(address)));
        select_ok(answers).await.map(|(map, _)| map)
    }

    /// Connect to one node, with the user, password and transport of the first URL.
    pub(crate) async fn connect(&self, address: &Address) -> RedisResult<MultiplexedConnection> {
        self.connect_with_push(address, None).await
    }

    /// Connect to one node as `connect` does, with a handler for push messages.
    pub(crate) async fn connect_with_push(
        &self,
        address: &Address,
        on_push: Option<PushHandler>,
    ) -> RedisResult<MultiplexedConnection> {
        let own = self.seeds.iter().find(|seed| address_of(seed) == *address);
        let info = own.unwrap_or(&self.seeds[0]).get_connection_info().clone();
        let (host, port) = (address.host.to_string(), address.port);
        let addr = match info.addr().clone() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure,
                tls_params,
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        connect(&redis::Client::open(info.set_addr(addr))?, on_push).await
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Vec<Address>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Return the identity of the masters, if each of them reports the same set.
fn agree(map: &SlotMap, handshakes: Vec<Handshake>) -> RedisResult<Identity> {
    if handshakes
        .iter()
        .any(|handshake| handshake.map.ids() != map.ids())
    {
        return Err((
            ErrorKind::Client,
            "the masters report different sets of masters",
        )
            .into());
    }
    let partial = handshakes.iter().any(|handshake| handshake.partial);
    let mut each: Vec<String> = handshakes
        .into_iter()
        .map(|handshake| handshake.identity)
        .collect();
    each.sort_unstable();
    Ok(Identity {
        text: each.join(",").into(),
        partial,
    })
}

fn address_of(seed: &redis::Client) -> Address {
    let (host, port) = match seed.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            (host.as_str(), *port)
        }
        _ => ("", 0),
    };
    Address {
        host: host.into(),
        port,
    }
}

/// Return the addresses of masters.
fn addresses(masters: &[Master]) -> Vec<Address> {
    masters
        .iter()
        .map(|master| master.address.clone())
        .collect()
}
