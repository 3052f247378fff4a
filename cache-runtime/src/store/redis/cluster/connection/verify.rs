//! Checks that the masters are still those that this connection was opened to.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use redis::{ErrorKind, RedisResult};

use crate::store::redis::cluster::connection::ClusterConnection;
use crate::store::redis::cluster::handshake::handshake;
use crate::store::redis::cluster::{Identity, agree};
use crate::store::redis::tracking::End;

/// How long a verification of the masters is valid. A replica takes over no sooner than
/// `cluster-node-timeout` after its master fell silent, so a check every second notices the silent
/// master first.
const VERIFIED_FOR: Duration = Duration::from_secs(2);

impl ClusterConnection {
    /// Ask every master whether the set of masters is unchanged. If it has changed, the connection
    /// ends.
    ///
    /// # Errors
    ///
    /// The set of masters has changed, or a master didn't answer.
    pub(crate) async fn verify(&self) -> RedisResult<()> {
        let verified = self.try_verify().await;
        if verified.is_err() {
            self.end();
        }
        verified
    }

    async fn try_verify(&self) -> RedisResult<()> {
        let begun = Instant::now();
        if self.identify_all(&[]).await? != self.0.identity {
            return Err(self.end());
        }
        self.view().verified_at = begun;
        Ok(())
    }

    /// Return the identity of the masters, as they report it over these connections.
    ///
    /// Without `ends`, ask over this connection's own links; the masters must be unchanged then.
    /// Fails if this user may not query the identity.
    pub(crate) async fn identify(&self, ends: &[End]) -> RedisResult<String> {
        let identity = self.identify_all(ends).await?;
        if identity.partial {
            let text = "the Redis user lacks the permissions to list the masters; allow them (see docs/operations/cluster.md)";
            return Err((ErrorKind::Client, text).into());
        }
        if ends.is_empty() && identity != self.0.identity {
            return Err(self.end());
        }
        Ok(identity.text.to_string())
    }

    async fn identify_all(&self, ends: &[End]) -> RedisResult<Identity> {
        let map = self.map();
        let handshakes = map.masters.iter().map(|master| async {
            let end = ends
                .iter()
                .find(|end| end.node.as_ref() == Some(&master.address));
            let node = match end {
                Some(end) => end.connection.clone(),
                None => self.node(&master.address).await?,
            };
            handshake(node, master).await
        });
        agree(&map, try_join_all(handshakes).await?)
    }

    /// Verify masters that haven't answered recently before anything is sent to them.
    pub(crate) async fn verify_if_due(&self) -> RedisResult<()> {
        let fresh = || self.view().verified_at.elapsed() < VERIFIED_FOR;
        if !self.0.ended.load(Ordering::Acquire) && fresh() {
            return Ok(());
        }
        let _reading = self.0.reading.lock().await;
        if self.0.ended.load(Ordering::Acquire) {
            return Err(self.end());
        }
        if fresh() {
            return Ok(());
        }
        self.verify().await
    }
}
