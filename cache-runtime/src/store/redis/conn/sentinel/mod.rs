//! Redis Sentinel: the sentinels are asked for the master before each connection.
//!
//! The client crate has a lookup of its own. It checks the master's role on one connection and
//! works on another, has timeouts of its own, and trusts the first sentinel that answers. Here one
//! connection does both, within the caller's timeout, and the sentinel with the newest information
//! decides.

use std::collections::HashMap;
use std::fmt::Display;
use std::io;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, RedisConnectionInfo, RedisError, RedisResult};
use tokio::time::timeout;

use crate::error::CacheError;
use crate::store::redis::conn::endpoint::{
    ConnectOptions, PushHandler, check_url, configured, connect, explained,
};
use crate::store::redis::conn::server_error::refused;

/// Port of a sentinel whose URL names none.
const PORT: u16 = 26_379;

/// Sentinels, and the name of the master that they are asked for.
pub(crate) struct Sentinel {
    sentinels: Vec<redis::Client>,
    master: String,
    /// Login for the master. The sentinels' logins are in their URLs.
    login: RedisConnectionInfo,
    /// How long to wait for further sentinels after the first has answered.
    grace: Duration,
}

/// A sentinel's answer about the master.
struct MasterReport {
    host: String,
    port: u16,
    /// Number of failovers. Of two sentinels, the one that knows of the later failover decides.
    epoch: u64,
    /// Index of the sentinel. The master is reached in the same way, over TLS or not.
    by: usize,
}

impl Sentinel {
    pub(crate) fn new(
        urls: &[String],
        master: &str,
        options: &ConnectOptions,
        grace: Duration,
    ) -> Result<Self, CacheError> {
        if urls.is_empty() || master.trim().is_empty() {
            let reason = if urls.is_empty() {
                "has no URL; give the URLs of the sentinels, such as redis://host:26379"
            } else {
                "the master's name is empty; give the name in the line `sentinel monitor <name> ..` of their configuration"
            };
            return Err(invalid(reason));
        }
        let sentinels = urls.iter().enumerate().map(|(at, url)| {
            sentinel_at(url, options).map_err(|error| match error {
                CacheError::InvalidUrl { reason } => CacheError::InvalidUrl {
                    reason: format!("sentinel {} of {}: {reason}", at + 1, urls.len()),
                },
                other => other,
            })
        });
        let sentinels: Vec<redis::Client> = sentinels.collect::<Result<_, _>>()?;
        // Whether a password is sent over TLS must not depend on which sentinel answers first.
        if sentinels
            .iter()
            .map(is_tls)
            .any(|tls| tls != is_tls(&sentinels[0]))
        {
            return Err(invalid(
                "some URLs use TLS and others don't; use rediss:// in all of them or redis:// in all of them",
            ));
        }
        let mut login = RedisConnectionInfo::default()
            .set_db(options.database.into())
            .set_skip_set_lib_name();
        if let Some((user, password)) = &options.login {
            if user.is_empty() || password.is_empty() {
                let reason = "needs a user and a password; without both, the client would act as \
                     the user `default`, which usually has every permission; if the master has \
                     only a password, give the user `default`";
                return Err(CacheError::InvalidOption {
                    option: "master_login",
                    reason: reason.to_owned(),
                });
            }
            login = login.set_username(user).set_password(password);
        }
        Ok(Self {
            sentinels,
            master: master.to_owned(),
            login,
            grace,
        })
    }

    /// Open a connection to the master, and check that its role is master.
    pub(crate) async fn open(
        &self,
        on_push: Option<PushHandler>,
    ) -> RedisResult<MultiplexedConnection> {
        let report = self.ask_all().await?;
        let named = format!(
            "the master {} at {}:{}",
            self.master, report.host, report.port
        );
        let opened = async {
            let client = self.client(&report)?;
            let mut connection = connect(&client, on_push).await?;
            // A demoted master still answers reads with its old data, and a sentinel may not know
            // of the failover yet.
            let info: String = redis::cmd("INFO")
                .arg("replication")
                .query_async(&mut connection)
                .await
                .map_err(|error| match refused(&error) {
                    Some(_) => failed(format!(
                        "the user needs the command INFO, which tells a master from a replica; allow it (see docs/operations/redis.md#permissions): {error}"
                    )),
                    None => explained(&client, error),
                })?;
            match info.lines().find_map(|line| line.strip_prefix("role:")) {
                Some("master") => Ok(connection),
                role => Err(failed(format!(
                    "reports the role `{}` instead of `master`",
                    role.unwrap_or("unknown")
                ))),
            }
        };
        opened
            .await
            .map_err(|error: RedisError| in_context(&named, &error))
    }

    /// Return a client for the master. The caller checks that the server is one.
    pub(crate) async fn find(&self) -> RedisResult<redis::Client> {
        let report = self.ask_all().await?;
        self.client(&report)
    }

    /// Return a client for the server that a sentinel named.
    fn client(&self, report: &MasterReport) -> RedisResult<redis::Client> {
        let sentinel = self.sentinels[report.by].get_connection_info();
        let (host, port) = (report.host.clone(), report.port);
        let addr = match sentinel.addr() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        let info = sentinel.clone().set_addr(addr);
        redis::Client::open(info.set_redis_settings(self.login.clone()))
    }

    /// Ask all sentinels at once. One that fails doesn't matter if another answers. A slow one gets
    /// a short grace period, since it may know of a failover that the first one has missed.
    async fn ask_all(&self) -> RedisResult<MasterReport> {
        let asked = (0..self.sentinels.len()).map(|at| self.ask(at));
        let mut answers: FuturesUnordered<_> = asked.collect();
        let mut refusal = None;
        let first = loop {
            match answers.next().await {
                Some(Ok(report)) => break report,
                Some(Err(error)) => refusal = Some(error),
                None => {
                    let nobody = || failed("there is no sentinel to ask".to_owned());
                    return Err(refusal.unwrap_or_else(nobody));
                }
            }
        };
        let mut newest = first;
        let others = async {
            while let Some(answer) = answers.next().await {
                if let Ok(report) = answer
                    && report.epoch > newest.epoch
                {
                    newest = report;
                }
            }
        };
        // Late answers are ignored.
        let _ = timeout(self.grace, others).await;
        Ok(newest)
    }

    async fn ask(&self, at: usize) -> RedisResult<MasterReport> {
        let sentinel = &self.sentinels[at];
        let asked = async {
            let mut connection = connect(sentinel, None).await?;
            // The first command names the new master as soon as there is one. The second returns
            // the epoch, and an error for an unknown master.
            let ((host, port), details): ((String, u16), HashMap<String, String>) = redis::pipe()
                .cmd("SENTINEL")
                .arg("GET-MASTER-ADDR-BY-NAME")
                .arg(&self.master)
                .cmd("SENTINEL")
                .arg("MASTER")
                .arg(&self.master)
                .query_async(&mut connection)
                .await
                .map_err(|error| explained(sentinel, error))?;
            let epoch = details.get("config-epoch").map(|epoch| epoch.parse());
            Ok(MasterReport {
                host,
                port,
                epoch: epoch.and_then(Result::ok).unwrap_or(0),
                by: at,
            })
        };
        let named = || format!("the sentinel at {}", sentinel.get_connection_info().addr());
        asked
            .await
            .map_err(|error: RedisError| in_context(&named(), &error))
    }
}

/// Parse a sentinel's URL.
fn sentinel_at(url: &str, options: &ConnectOptions) -> Result<redis::Client, CacheError> {
    let client = options.tls.with_certificates(check_url(url)?)?;
    let mut info = client.get_connection_info().clone();
    if info.redis_settings().db() != 0 {
        let reason = "a sentinel has no databases; give the master's database to `master_database`";
        return Err(CacheError::InvalidUrl {
            reason: reason.to_owned(),
        });
    }
    if !names_port(url) {
        let addr = match info.addr().clone() {
            ConnectionAddr::Tcp(host, _) => ConnectionAddr::Tcp(host, PORT),
            ConnectionAddr::TcpTls {
                host,
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host,
                port: PORT,
                insecure,
                tls_params,
            },
            other => other,
        };
        info = info.set_addr(addr);
    }
    redis::Client::open(info)
        .map(|client| configured(&client))
        .map_err(CacheError::store)
}

/// Report whether the URL names a port. The client crate fills in a server's default port.
fn names_port(url: &str) -> bool {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // The colons of an IPv6 address are within brackets.
    let after = host.rsplit(']').next().unwrap_or_default();
    after
        .split_once(':')
        .is_some_and(|(_, port)| !port.is_empty())
}

fn is_tls(client: &redis::Client) -> bool {
    matches!(
        client.get_connection_info().addr(),
        ConnectionAddr::TcpTls { .. }
    )
}

fn invalid(reason: &str) -> CacheError {
    CacheError::InvalidOption {
        option: "redis_sentinel",
        reason: reason.to_owned(),
    }
}

fn in_context(whose: &str, error: &dyn Display) -> RedisError {
    failed(format!("{whose}: {error}"))
}

/// Make an error which says that no connection was opened.
fn failed(text: String) -> RedisError {
    io::Error::other(text).into()
}

#[cfg(test)]
mod tests;
