//! A stepwise scan over the keys of a prefix.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::{Cmd, from_redis_value};

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::redis::client::Client;
use crate::store::redis::cluster::ClusterSnapshot;
use crate::store::redis::conn::connection::Node;
use crate::store::redis::purpose::Purpose;

/// Number of keys that a step examines.
const STEP: usize = 1_000;
/// Number of attempts if slots move during the scan. After them the scan fails: an invalidation
/// that needs it is queued, and reads run uncached.
const MAX_ATTEMPTS: u32 = 8;

/// Scan over the keys that a pattern matches.
///
/// `SCAN` returns every key that exists from the scan's beginning to its end, so a lease that an
/// invalidation must void is found. What is leased later is computed later. In a cluster each
/// master is scanned in turn, and a key whose slot moves can hop from a master that isn't scanned
/// yet to one that is. So before, between and after the masters, the scan takes a snapshot of the
/// slots that each of them has, gives away and takes over:
///
/// * All snapshots are equal, and no slot is being moved: no move began and ended in between
///   either, since that gives a master a new epoch, which is part of the snapshot. No key hopped.
/// * All snapshots are equal, and slots are being moved: their keys hop once at most, from A to B.
///   All masters are scanned twice. If the key hops before the second scan of B begins, that scan
///   finds it. If it hops later, the first scan of A had ended, and found it.
/// * The snapshots differ: the scan starts again.
///
/// The case that remains is a move that began, carried the key over and back, and was called off,
/// all during the scan of one master.
pub(crate) struct KeyScan {
    pattern: Pattern,
    attempt: Option<Attempt>,
    /// Number of attempts so far.
    attempts: u32,
}

/// Progress of one attempt.
struct Attempt {
    snapshot: ClusterSnapshot,
    /// Nodes that are still to be scanned, the current one first.
    nodes: VecDeque<Node>,
    /// Where to continue at the current node.
    cursor: u64,
}

impl KeyScan {
    pub(crate) fn over(pattern: &Pattern) -> Self {
        Self {
            pattern: pattern.clone(),
            attempt: None,
            attempts: 0,
        }
    }

    /// Return the next keys, without the prefix and at least one, or `None` at the end. A scan that
    /// starts again returns keys again.
    pub(crate) async fn step(
        &mut self,
        client: &Arc<Client>,
        purpose: Purpose,
    ) -> Result<Option<Vec<Vec<u8>>>, CacheError> {
        loop {
            let mut attempt = match self.attempt.take() {
                Some(attempt) => attempt,
                None => self.begin(client, purpose).await?,
            };
            let Some(node) = attempt.nodes.front() else {
                self.attempt = Some(attempt);
                return Ok(None);
            };
            let (next, keys) = self.scan(client, node, attempt.cursor, purpose).await?;
            attempt.cursor = next;
            if next == 0 {
                attempt.nodes.pop_front();
                if client.snapshot(purpose).await? == attempt.snapshot {
                    self.attempt = Some(attempt);
                }
            } else {
                self.attempt = Some(attempt);
            }
            let matching: Vec<Vec<u8>> = keys
                .into_iter()
                .filter(|key| self.pattern.matches(key))
                .collect();
            if !matching.is_empty() {
                return Ok(Some(matching));
            }
        }
    }

    async fn begin(
        &mut self,
        client: &Arc<Client>,
        purpose: Purpose,
    ) -> Result<Attempt, CacheError> {
        if self.attempts == MAX_ATTEMPTS {
            let reason = "slots of the cluster moved during every attempt to scan its keys; try again when the resharding is over";
            return Err(CacheError::Store {
                source: Arc::from(Box::from(reason)),
            });
        }
        self.attempts += 1;
        client.index.walks.fetch_add(1, Ordering::Relaxed);
        let snapshot = client.snapshot(purpose).await?;
        let nodes = client
            .send_for(purpose, |connection| async move { Ok(connection.nodes()) })
            .await?;
        let again = snapshot.slot_is_moving().then(|| nodes.clone());
        Ok(Attempt {
            snapshot,
            nodes: nodes
                .into_iter()
                .chain(again.into_iter().flatten())
                .collect(),
            cursor: 0,
        })
    }

    /// Scan one step at one node. Return the next cursor, and the keys without the prefix.
    async fn scan(
        &self,
        client: &Arc<Client>,
        node: &Node,
        cursor: u64,
        purpose: Purpose,
    ) -> Result<(u64, Vec<Vec<u8>>), CacheError> {
        let mut scan = Cmd::new();
        scan.arg("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(self.pattern.scan_glob(&client.prefix))
            .arg("COUNT")
            .arg(STEP);
        let scan = &scan;
        // As bytes: a key of another program may not be UTF-8.
        let (next, keys): (u64, Vec<Vec<u8>>) = client
            .send_for(purpose, |mut connection| async move {
                Ok(from_redis_value(connection.ask(node, scan).await?)?)
            })
            .await?;
        let ours = client.prefix.len() + 1;
        let keys = keys
            .into_iter()
            .filter_map(|key| key.get(ours..).map(<[u8]>::to_vec));
        Ok((next, keys.collect()))
    }
}

impl Client {
    async fn snapshot(self: &Arc<Self>, purpose: Purpose) -> Result<ClusterSnapshot, CacheError> {
        self.send_for(
            purpose,
            |connection| async move { connection.snapshot().await },
        )
        .await
    }
}
