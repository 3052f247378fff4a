//! `Cache::diagnose`: the state of the store that decides how well it serves as a cache.

use std::time::Duration;

use serde::Serialize;

use crate::core::Cache;
use crate::core::audits::AuditFinding;
use crate::error::CacheError;
use crate::store::Store;

/// The state of the store. Returned by [`Cache::diagnose`].
///
/// Times are serialized as seconds.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// `memory` or `redis`.
    pub store: &'static str,
    /// The servers: one, or the masters of a cluster. None for the memory store.
    pub servers: Vec<ServerFacts>,
    /// Number of sets of the index.
    pub index_sets: usize,
    /// Number of these that aren't complete. All of them before the first entry, and none later
    /// unless the server has lost one; the next invalidation by pattern then rebuilds it.
    pub incomplete_index_sets: usize,
    /// Median of a hundred round trips to the server; zero for the memory store.
    #[serde(serialize_with = "seconds")]
    pub round_trip_p50: Duration,
    /// The 99th percentile of these.
    #[serde(serialize_with = "seconds")]
    pub round_trip_p99: Duration,
    /// Rights that the user lacks. Only optional ones, since a user that lacks another can't connect.
    /// `None` where the server can't tell: before Redis 7.0, or without the right `+acl|dryrun`.
    pub missing_rights: Option<Vec<MissingRight>>,
    /// Why a near cache can't follow changes; `None` if it can.
    pub tracking_refused: Option<String>,
    /// The stale entries that the audits of all processes have found last. See [`Cache::audits`].
    pub audits: Vec<AuditFinding>,
}

/// A server, in a [`Diagnosis`]. A field is `None` if the user may not ask for it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ServerFacts {
    /// Host and port, in a cluster.
    pub address: Option<String>,
    /// Its version, such as `7.0.15`; of Valkey, the version of Redis that it is compatible with.
    pub version: Option<String>,
    /// `master` or `slave`.
    pub role: Option<String>,
    /// The `maxmemory-policy`.
    pub eviction_policy: Option<String>,
    /// The `maxmemory` in bytes; 0 for no limit.
    pub max_memory: Option<u64>,
    /// Bytes that the server has allocated.
    pub used_memory: Option<u64>,
    /// Keys of all programs that were evicted since the server started.
    pub evicted_keys: Option<u64>,
    /// Whether it writes an append-only file.
    pub append_only: Option<bool>,
    /// When it writes snapshots, as `CONFIG GET save` says; empty for never.
    pub snapshots: Option<String>,
    /// How long ago it wrote the last snapshot, or started.
    #[serde(serialize_with = "optional_seconds")]
    pub last_snapshot: Option<Duration>,
    /// Changes of all programs since then. After a crash, a server without an append-only file comes
    /// back without them.
    pub changes_since_snapshot: Option<u64>,
}

/// A right that the user lacks, in a [`Diagnosis`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct MissingRight {
    /// As `ACL SETUSER` takes it, such as `+info`.
    pub right: &'static str,
    /// The features that don't work without it.
    pub used_by: &'static str,
}

fn seconds<S: serde::Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

#[allow(clippy::ref_option, reason = "serde passes a reference")]
fn optional_seconds<S: serde::Serializer>(
    time: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(to)
}

impl Cache {
    /// Ask the store for everything that decides how well it serves as a cache. Changes nothing. On
    /// Redis this sends more than a hundred commands, one after the other, so it is meant for a
    /// person who looks for a problem.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let diagnosis = Cache::builder().build()?.diagnose().await?;
    /// assert_eq!((diagnosis.store, diagnosis.servers.len()), ("memory", 0));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis can't be used at all: their text names the cause. What the
    /// user may not ask for is `None`, and no error.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn diagnose(&self) -> Result<Diagnosis, CacheError> {
        match &self.inner().store {
            Store::Memory(_) => Ok(Diagnosis {
                store: self.inner().store.name(),
                servers: Vec::new(),
                index_sets: 0,
                incomplete_index_sets: 0,
                round_trip_p50: Duration::ZERO,
                round_trip_p99: Duration::ZERO,
                missing_rights: None,
                tracking_refused: None,
                audits: self.audits(),
            }),
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let found = store.diagnose().await?;
                let at = |percent: usize| {
                    let last = found.round_trips.len().saturating_sub(1);
                    found.round_trips.get(last * percent / 100).copied()
                };
                let missing = found.missing_rights.map(|missing| {
                    let missing = missing.into_iter();
                    missing
                        .map(|(right, used_by)| MissingRight { right, used_by })
                        .collect()
                });
                Ok(Diagnosis {
                    store: self.inner().store.name(),
                    servers: found.nodes.into_iter().map(server_facts).collect(),
                    index_sets: found.sets,
                    incomplete_index_sets: found.incomplete_sets,
                    round_trip_p50: at(50).unwrap_or_default(),
                    round_trip_p99: at(99).unwrap_or_default(),
                    missing_rights: missing,
                    tracking_refused: found.tracking.err(),
                    audits: self.audits_of_fleet().await,
                })
            }
        }
    }

    /// Return the findings of all processes, oldest first; those of this one alone, if the others
    /// can't be read.
    #[cfg(feature = "redis")]
    async fn audits_of_fleet(&self) -> Vec<AuditFinding> {
        let own = self.inner().instance.name();
        let fleet = self.fleet().await.unwrap_or_default().into_iter();
        let others = fleet.filter(|process| process.instance != own);
        let mut found = self.audits();
        found.extend(others.flat_map(|process| process.audits));
        found.sort_by_key(|finding| finding.found);
        found
    }
}

#[cfg(feature = "redis")]
fn server_facts(node: crate::store::redis::NodeFacts) -> ServerFacts {
    let info = node.info.unwrap_or_default();
    let text = |name: &str| {
        let mut lines = info.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.map(|value| value.trim().to_owned())
    };
    let number = |name: &str| text(name)?.parse().ok();
    ServerFacts {
        address: node.address,
        version: text("redis_version"),
        role: text("role"),
        eviction_policy: text("maxmemory_policy"),
        max_memory: number("maxmemory"),
        used_memory: number("used_memory"),
        evicted_keys: number("evicted_keys"),
        append_only: text("aof_enabled").map(|enabled| enabled == "1"),
        snapshots: node.save,
        last_snapshot: number("rdb_last_save_time").map(|at| {
            Duration::from_millis(crate::clock::unix_millis().saturating_sub(at * 1_000))
        }),
        changes_since_snapshot: number("rdb_changes_since_last_save"),
    }
}
