//! The state of the server that decides how well it serves as a cache.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Cmd, Value};

use crate::error::CacheError;
use crate::store::redis::RedisStore;
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Node;
use crate::store::redis::times::Operation;

/// Number of round trips that are measured.
const ROUND_TRIPS: usize = 100;

/// Commands that some features need besides those that each new connection tries.
const OPTIONAL: &[(&str, &[&str], &str)] = &[
    (
        "+client|tracking",
        &["CLIENT", "TRACKING", "ON"],
        "the near cache",
    ),
    (
        "+client|caching",
        &["CLIENT", "CACHING", "YES"],
        "the near cache",
    ),
    ("+multi", &["MULTI"], "the near cache"),
    ("+exec", &["EXEC"], "the near cache"),
    (
        "+info",
        &["INFO", "server"],
        "noticing that another server answers",
    ),
    (
        "+zlexcount",
        &["ZLEXCOUNT", "{prefix}#index:0", "-", "+"],
        "store_stats",
    ),
];

/// Result of [`RedisStore::diagnose`].
#[derive(Debug)]
pub(crate) struct Diagnosed {
    pub(crate) nodes: Vec<NodeFacts>,
    pub(crate) incomplete_sets: usize,
    pub(crate) sets: usize,
    /// Sorted.
    pub(crate) round_trips: Vec<Duration>,
    /// Rights that the user lacks, with their use; `None` where the server can't tell.
    pub(crate) missing_rights: Option<Vec<(&'static str, &'static str)>>,
    /// Why tracking isn't possible.
    pub(crate) tracking: Result<(), String>,
}

/// A server's own description of itself.
#[derive(Debug)]
pub(crate) struct NodeFacts {
    pub(crate) address: Option<String>,
    /// `INFO`; `None` if the user may not run it.
    pub(crate) info: Option<String>,
    /// `CONFIG GET save`, if the user may run it.
    pub(crate) save: Option<String>,
}

impl RedisStore {
    /// Ask for everything that a diagnosis needs. Changes nothing.
    pub(crate) async fn diagnose(&self) -> Result<Diagnosed, CacheError> {
        self.run(
            Operation::Other,
            |client| async move { client.diagnose().await },
        )
        .await
    }
}

impl Client {
    async fn diagnose(self: &Arc<Self>) -> Result<Diagnosed, CacheError> {
        let nodes = self
            .send(|connection| async move { Ok(connection.nodes()) })
            .await?;
        let mut facts = Vec::with_capacity(nodes.len());
        for node in &nodes {
            facts.push(self.facts_of(node).await);
        }
        let first = nodes.first().cloned().flatten();
        Ok(Diagnosed {
            nodes: facts,
            incomplete_sets: self.incomplete_sets().await?,
            sets: super::index::BUCKETS,
            round_trips: self.round_trips().await?,
            missing_rights: self.missing_rights(&first).await,
            tracking: self.tracking_is_possible(&first).await,
        })
    }

    async fn facts_of(self: &Arc<Self>, node: &Node) -> NodeFacts {
        let save = redis::cmd("CONFIG").arg("GET").arg("save").take();
        let save: Result<Vec<String>, CacheError> = self.ask_node(node, &save).await;
        NodeFacts {
            address: node.as_ref().map(|at| format!("{}:{}", at.host, at.port)),
            info: self.ask_node(node, &redis::cmd("INFO")).await.ok(),
            save: save.ok().and_then(|pair| pair.into_iter().nth(1)),
        }
    }

    /// Measure reads of a key that is absent. They need no right that calls don't need.
    async fn round_trips(self: &Arc<Self>) -> Result<Vec<Duration>, CacheError> {
        let get = &Cmd::get(self.probe_key());
        let mut taken = Vec::with_capacity(ROUND_TRIPS);
        for _ in 0..ROUND_TRIPS {
            let started = Instant::now();
            self.send(|mut connection| async move {
                get.query_async::<Option<Vec<u8>>>(&mut connection).await
            })
            .await?;
            taken.push(started.elapsed());
        }
        taken.sort_unstable();
        Ok(taken)
    }

    /// Ask the server which commands this user may run (`ACL DRYRUN`, since Redis 7.0).
    async fn missing_rights(
        self: &Arc<Self>,
        node: &Node,
    ) -> Option<Vec<(&'static str, &'static str)>> {
        let whoami = redis::cmd("ACL").arg("WHOAMI").take();
        let user: String = self.ask_node(node, &whoami).await.ok()?;
        let mut missing = Vec::new();
        for (right, command, used_by) in OPTIONAL {
            let mut dry = redis::cmd("ACL");
            dry.arg("DRYRUN").arg(&user);
            for word in *command {
                dry.arg(word.replace("{prefix}", &self.prefix));
            }
            // A refusal is a text; an error means that the server can't tell.
            let answer: String = self.ask_node(node, &dry).await.ok()?;
            if answer != "OK" {
                missing.push((*right, *used_by));
            }
        }
        Some(missing)
    }

    /// Find out whether a near cache could follow changes. Switching tracking off has no effect on
    /// this connection, which never tracks.
    async fn tracking_is_possible(self: &Arc<Self>, node: &Node) -> Result<(), String> {
        let off = redis::cmd("CLIENT").arg("TRACKING").arg("OFF").take();
        let answer: Result<Value, CacheError> = self.ask_node(node, &off).await;
        answer.map(drop).map_err(|error| error.to_string())
    }
}
