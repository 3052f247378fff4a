//! Opens the tracked connections, one to each node that has keys.

use std::io;
use std::sync::Arc;

use futures_util::future::try_join_all;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value};

use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::conn::connection::Node;
use crate::store::redis::conn::endpoint::PushHandler;
use crate::store::redis::tracking::tracked_io::tracked_get;
use crate::store::redis::tracking::{End, Tracked, Tracking, handle_push};

impl Client {
    /// Open connections with tracking on, in a new term.
    ///
    /// They must lead to the same servers as the main connection, and the breaker must be closed. A
    /// server that has been replaced may have lost acknowledged invalidations, and the probe that
    /// sends them again runs only when the main connection fails. A cache that reads over the
    /// tracked connections alone would not notice the change.
    pub(crate) async fn track(
        self: &Arc<Self>,
        tracking: &Tracking,
    ) -> Result<Tracked, CacheError> {
        self.breaker.check()?;
        let term = tracking.near.begin();
        tracking.lost.reset();
        let other = self
            .send(|connection| async move { Ok(connection) })
            .await?;
        let probes = other.key_on_each(&self.probe_key()).into_iter();
        let ends = probes.map(|(node, probe)| self.open_end(tracking, term, node, probe));
        let ends: Vec<End> = try_join_all(ends).await.map_err(CacheError::store)?;
        let server = other.identify(&ends).await.map_err(CacheError::store)?;
        let before = self.manager.server();
        let expected = self
            .send(|connection| async move { connection.identify(&[]).await })
            .await?;
        // A server that was replaced meanwhile announced it before this term could receive it.
        let replaced = before.is_some() && before != self.manager.server();
        if server != expected || replaced {
            let text = "it reached a different server from the cache's main connection";
            return Err(CacheError::store(io::Error::other(text)));
        }
        Ok(Tracked {
            ends: ends.into(),
            term,
            server: server.into(),
        })
    }

    /// Turn on tracking at a node, and try the commands that will be sent to it.
    async fn open_end(
        &self,
        tracking: &Tracking,
        term: u64,
        node: Node,
        probe: String,
    ) -> RedisResult<End> {
        let (near, lost) = (Arc::clone(&tracking.near), Arc::clone(&tracking.lost));
        let entries = self.full_key("").into_bytes();
        let on_push: PushHandler =
            Box::new(move |info| handle_push(&info, &near, &lost, term, &entries));
        let mut connection: MultiplexedConnection = self
            .manager
            .endpoint()
            .open_with_push(&node, on_push)
            .await?;
        let mut track = redis::cmd("CLIENT");
        track.arg("TRACKING").arg("ON").arg("OPTIN").arg("NOLOOP");
        track.query_async::<()>(&mut connection).await?;
        tracked_get(&probe)
            .query_async::<(Value,)>(&mut connection)
            .await?;
        Ok(End {
            node,
            connection,
            probe,
        })
    }
}
