//! Removes the members of expired and evicted entries from the index.
//!
//! Registrations check a few random members of their set and drop the dead ones, in the script that
//! registers. So dead members can't outnumber live ones while new entries arrive. When none
//! arrive, this sweeper finds the entries that expire: it checks samples from time to time, and
//! goes on while it finds many dead members (like Redis's own active expiry). In a cluster, check
//! and removal are two steps, see [`Layout::Split`].

use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::error::CacheError;
use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::index::{BUCKETS, Layout};
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;

const BUSY_PAUSE: Duration = Duration::from_millis(50);
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Number of members in a sample, and number of samples of one set in a row.
const SAMPLE: usize = 100;
const MAX_SAMPLES: usize = 50;

impl Client {
    /// Start the sweeper, if it doesn't run.
    pub(crate) fn start_sweeper(self: &Arc<Self>) {
        if !self.index.sweeping.swap(true, Ordering::AcqRel)
            && runtime::spawn(run(Arc::downgrade(self))).is_err()
        {
            self.index.sweeping.store(false, Ordering::Release);
        }
    }

    /// Sweep every set until few members of a sample are dead, or up to the limit of samples.
    async fn sweep(self: &Arc<Self>) -> SweepResult {
        let mut result = SweepResult::Nothing;
        for bucket in 0..BUCKETS {
            for sample in 1..=MAX_SAMPLES {
                let dead = self.sweep_one(bucket).await.unwrap_or(0);
                if dead > 0 {
                    result = result.max(SweepResult::Some);
                }
                if dead * 4 < SAMPLE {
                    break;
                }
                if sample == MAX_SAMPLES {
                    result = SweepResult::Many;
                }
            }
        }
        // If it fails, the next fill or sweep finds the same accounts.
        let _ = self.sweep_owners().await;
        result
    }

    /// Check one sample of one set. Return the number of members dropped.
    async fn sweep_one(self: &Arc<Self>, bucket: usize) -> Result<usize, CacheError> {
        if self.index.layout == Layout::Split {
            return self.sweep_split(bucket, SAMPLE).await;
        }
        self.script(Purpose::Call, &lua::SWEEP, |call| {
            call.key(self.bucket(bucket))
                .arg(self.full_key(""))
                .arg(SAMPLE);
        })
        .await
    }
}

/// How many dead members a sweep found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SweepResult {
    Nothing,
    Some,
    /// Many, and there are more.
    Many,
}

async fn run(client: Weak<Client>) {
    let mut pause = MIN_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        let Some(client) = client.upgrade() else {
            return;
        };
        pause = match client.sweep().await {
            SweepResult::Many => BUSY_PAUSE,
            SweepResult::Some => MIN_PAUSE,
            SweepResult::Nothing => (pause * 2).clamp(MIN_PAUSE, MAX_PAUSE),
        };
    }
}
