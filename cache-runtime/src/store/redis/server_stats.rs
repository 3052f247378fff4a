//! The server's figures: entries, memory, evictions.

use std::sync::Arc;

use redis::{Cmd, FromRedisValue, RedisError, from_redis_value};

use crate::error::CacheError;
use crate::store::redis::RedisStore;
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Node;
use crate::store::redis::conn::server_error::refused;
use crate::store::redis::index::BUCKETS;
use crate::store::redis::times::Operation;

/// Size of the server, or of all masters of a cluster together.
#[derive(Debug, Default)]
pub(crate) struct ServerStats {
    /// Members of the prefix's index.
    pub(crate) entries: u64,
    pub(crate) used_memory: u64,
    pub(crate) evicted_keys: u64,
}

impl RedisStore {
    /// Ask for the sizes. Read-only.
    pub(crate) async fn server_stats(&self) -> Result<ServerStats, CacheError> {
        self.run(Operation::Other, |client| async move {
            client.server_stats().await
        })
        .await
    }
}

impl Client {
    async fn server_stats(self: &Arc<Self>) -> Result<ServerStats, CacheError> {
        let mut stats = ServerStats::default();
        let nodes = self
            .send(|connection| async move { Ok(connection.nodes()) })
            .await?;
        for node in &nodes {
            let memory: String = self
                .ask_node(node, Cmd::new().arg("INFO").arg("memory"))
                .await?;
            stats.used_memory += field(&memory, "used_memory:");
            let counters: String = self
                .ask_node(node, Cmd::new().arg("INFO").arg("stats"))
                .await?;
            stats.evicted_keys += field(&counters, "evicted_keys:");
        }
        for number in 0..BUCKETS {
            let bucket = self.bucket(number);
            let node = &self
                .send(|connection| {
                    let node = connection.node_of(bucket.as_bytes());
                    async move { node }
                })
                .await?;
            // Marks begin with a NUL, and are no entries.
            let mut count = redis::cmd("ZLEXCOUNT");
            count.arg(bucket).arg("[\u{1}").arg("+");
            stats.entries += self.ask_node::<u64>(node, &count).await?;
        }
        Ok(stats)
    }

    /// Send a command to a node. A command that this user may not run is the caller's error, and
    /// not an outage: calls don't need it.
    pub(crate) async fn ask_node<T: FromRedisValue>(
        self: &Arc<Self>,
        node: &Node,
        command: &Cmd,
    ) -> Result<T, CacheError> {
        let reply = self
            .send(|mut connection| async move {
                match connection.ask(node, command).await {
                    Ok(reply) => Ok(Ok(from_redis_value::<T>(reply)?)),
                    Err(error) if refused(&error).is_some() => Ok(Err(error)),
                    Err(error) => Err(error),
                }
            })
            .await?;
        reply.map_err(|error: RedisError| CacheError::Store {
            source: Arc::new(error),
        })
    }
}

/// Return a number of an `INFO` section, 0 if the server doesn't tell it.
fn field(section: &str, name: &str) -> u64 {
    let line = section.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let section = "# Memory\r\nused_memory:1024\r\nused_memory_rss:4096\r\n";
        assert_eq!(field(section, "used_memory:"), 1024);
        assert_eq!(field(section, "evicted_keys:"), 0);
    }
}
