//! Keeps the near cache in use: tracks, sends heartbeats, and begins anew when that was lost. The log hears of both, once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{RedisError, RedisResult};
use tokio::time::timeout;

use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::tracking::{Tracked, Tracking};

/// The first pause before tracking is tried again, and the longest.
const FIRST_TRY: Duration = Duration::from_millis(50);
const SLOWEST_TRY: Duration = Duration::from_secs(1);
/// How many heartbeats fit into the time for which a silent connection is trusted.
const BEATS: u32 = 4;
const TOO_OLD: &str = "it needs RESP3 and CLIENT TRACKING, which Redis 6 and newer have";

/// Keeps tracking while the cache lives.
pub(crate) async fn run(client: Weak<Client>, tracking: Arc<Tracking>) {
    let mut pause = FIRST_TRY;
    // It is said once that the near cache is out of use, and once that it is in use again.
    let mut said = false;
    loop {
        let Some(alive) = client.upgrade() else {
            return;
        };
        let attempt = timeout(alive.limits.response, alive.track(&tracking)).await;
        drop(alive);
        let cause = match attempt {
            Ok(Ok(tracked)) => {
                tracking.stands(tracked.clone());
                let cause = tracking.keep(&client, tracked, &mut said).await;
                tracking.doubt("the cache is gone");
                pause = FIRST_TRY;
                match cause {
                    Some(cause) => cause,
                    None => return,
                }
            }
            Ok(Err(error)) => refusal(&error),
            Err(_) => "the server is silent".to_owned(),
        };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(target: "cache", op = "near_down", "[Cache] the near store is empty and out of use: {cause}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(SLOWEST_TRY);
    }
}

impl Tracking {
    /// Sends heartbeats until the term ends, and says why it did. `None`: the cache is gone.
    async fn keep(
        &self,
        client: &Weak<Client>,
        tracked: Tracked,
        said: &mut bool,
    ) -> Option<String> {
        let mut first = true;
        while client.strong_count() > 0 {
            let sent = self.near.now();
            // So long ends before the trust does that the last answer has given.
            let patience = self.silence / BEATS * (BEATS - 1);
            match timeout(patience, beat(&tracked)).await {
                Ok(Ok(())) => {
                    self.near.trust(tracked.term, sent, self.silence);
                }
                Ok(Err(error)) => self.doubt(&reason(&error)),
                Err(_) => self.doubt("the server is silent"),
            }
            if let Some(why) = self.lost.why() {
                return Some(why);
            }
            if std::mem::take(&mut first) && std::mem::take(said) {
                tracing::info!(target: "cache", op = "near_up", "[Cache] the near store is in use again");
            }
            let _ = timeout(self.silence / BEATS, self.lost.wake.notified()).await;
        }
        None
    }
}

/// All nodes have answered: whatever one of them said before has been handle_push.
async fn beat(tracked: &Tracked) -> RedisResult<()> {
    let beats = tracked.ends.iter().map(|end| async {
        // Not `PING`, which a user who has the least rights may not send.
        let mut beat = redis::cmd("EXISTS");
        beat.arg(&end.probe);
        beat.query_async::<()>(&mut end.connection.clone()).await
    });
    try_join_all(beats).await.map(drop)
}

/// What a failed attempt to track says.
fn refusal(error: &CacheError) -> String {
    match error {
        CacheError::Store { source } => match source.downcast_ref::<RedisError>() {
            Some(error) => reason(error),
            None => source.to_string(),
        },
        other => other.to_string(),
    }
}

/// What an error says, with what to do about a server that is too old, or too strict.
pub(crate) fn reason(error: &RedisError) -> String {
    let is_unknown = error.detail().is_some_and(|detail| {
        let detail = detail.to_ascii_lowercase();
        detail.contains("unknown command") || detail.contains("unknown subcommand")
    });
    match error.code() {
        Some("NOPERM") => {
            format!("its user may not do what it needs (see docs/operations/redis.md): {error}")
        }
        Some("NOPROTO") => format!("{TOO_OLD}: {error}"),
        _ if is_unknown && error.detail().is_some_and(|detail| detail.contains("INFO")) => {
            format!("it needs INFO to tell servers apart (see docs/operations/redis.md): {error}")
        }
        _ if is_unknown => format!("{TOO_OLD}: {error}"),
        _ => error.to_string(),
    }
}
