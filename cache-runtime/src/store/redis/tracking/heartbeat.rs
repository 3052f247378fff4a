//! Keeps the near cache in use: turns on tracking, sends heartbeats, and starts again when tracking
//! is lost. Each loss and each return is logged once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{RedisError, RedisResult};
use tokio::time::timeout;

use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::tracking::{Tracked, Tracking};

/// First pause before tracking is tried again, and the longest.
const FIRST_TRY: Duration = Duration::from_millis(50);
const SLOWEST_TRY: Duration = Duration::from_secs(1);
/// Number of heartbeats in the time for which a silent connection is trusted.
const BEATS: u32 = 4;
const TOO_OLD: &str = "it needs RESP3 and CLIENT TRACKING; use Redis 6 or newer";

/// Keep tracking on while the cache exists.
pub(crate) async fn run(client: Weak<Client>, tracking: Arc<Tracking>) {
    let mut pause = FIRST_TRY;
    // The near cache's end and its return are each logged once.
    let mut logged = false;
    loop {
        let Some(alive) = client.upgrade() else {
            return;
        };
        let attempt = timeout(alive.limits.response_timeout, alive.track(&tracking)).await;
        drop(alive);
        let cause = match attempt {
            Ok(Ok(tracked)) => {
                tracking.install(tracked.clone());
                let cause = tracking
                    .send_heartbeats(&client, tracked, &mut logged)
                    .await;
                tracking.end_term("the cache is gone");
                pause = FIRST_TRY;
                match cause {
                    Some(cause) => cause,
                    None => return,
                }
            }
            Ok(Err(error)) => refusal(&error),
            Err(_) => "the server is silent".to_owned(),
        };
        if !std::mem::replace(&mut logged, true) {
            tracing::warn!(target: "cache", op = "near_down", "[Cache] the near cache is emptied and not used: {cause}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(SLOWEST_TRY);
    }
}

impl Tracking {
    /// Send heartbeats until the term ends, and return the reason. `None` means that the cache was
    /// dropped.
    async fn send_heartbeats(
        &self,
        client: &Weak<Client>,
        tracked: Tracked,
        logged: &mut bool,
    ) -> Option<String> {
        let mut first = true;
        while client.strong_count() > 0 {
            let sent = self.near.now();
            // This timeout ends before the trust that the last answer has given.
            let patience = self.silence / BEATS * (BEATS - 1);
            match timeout(patience, beat(&tracked)).await {
                Ok(Ok(())) => {
                    self.near.trust(tracked.term, sent, self.silence);
                }
                Ok(Err(error)) => self.end_term(&reason(&error)),
                Err(_) => self.end_term("the server is silent"),
            }
            if let Some(why) = self.lost.why() {
                return Some(why);
            }
            if std::mem::take(&mut first) && std::mem::take(logged) {
                tracing::info!(target: "cache", op = "near_up", "[Cache] the near cache is in use again");
            }
            let _ = timeout(self.silence / BEATS, self.lost.wake.notified()).await;
        }
        None
    }
}

/// Wait until all nodes have answered. Every push that a node sent before its answer has been
/// handled then.
async fn beat(tracked: &Tracked) -> RedisResult<()> {
    let beats = tracked.ends.iter().map(|end| async {
        // Not `PING`, which a user with minimal permissions may not send.
        let mut beat = redis::cmd("EXISTS");
        beat.arg(&end.probe);
        beat.query_async::<()>(&mut end.connection.clone()).await
    });
    try_join_all(beats).await.map(drop)
}

/// Return the reason why tracking could not be turned on.
fn refusal(error: &CacheError) -> String {
    match error {
        CacheError::Store { source } => match source.downcast_ref::<RedisError>() {
            Some(error) => reason(error),
            None => source.to_string(),
        },
        other => other.to_string(),
    }
}

/// Return an error's text, with advice if the server is too old or refuses a permission.
pub(crate) fn reason(error: &RedisError) -> String {
    let is_unknown = error.detail().is_some_and(|detail| {
        let detail = detail.to_ascii_lowercase();
        detail.contains("unknown command") || detail.contains("unknown subcommand")
    });
    match error.code() {
        Some("NOPERM") => {
            format!(
                "its Redis user lacks a permission that the near cache needs; allow it (see docs/operations/redis.md#permissions): {error}"
            )
        }
        Some("NOPROTO") => format!("{TOO_OLD}: {error}"),
        _ if is_unknown && error.detail().is_some_and(|detail| detail.contains("INFO")) => {
            format!(
                "it needs the command INFO to tell servers apart; allow it (see docs/operations/redis.md#permissions): {error}"
            )
        }
        _ if is_unknown => format!("{TOO_OLD}: {error}"),
        _ => error.to_string(),
    }
}
