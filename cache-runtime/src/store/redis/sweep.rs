//! Expired and evicted entries leave the index.
//!
//! Each registration looks at a few random members of its set and drops the dead, in the script that registers; so
//! dead members can't outnumber the living while entries come. What expires when none come is found by this
//! sweeper: it looks now and then, and goes on while it finds many (as Redis's own active expiry does).

use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use once_cell::sync::Lazy;
use redis::Script;

use super::commands::Commands;
use super::index::BUCKETS;
use super::outage::Errand;
use crate::background;

const SOONEST: Duration = Duration::from_secs(1);
const SLOWEST: Duration = Duration::from_secs(30);
/// How many members one look takes, and how many looks one set gets at a time.
const SAMPLE: usize = 100;
const MOST_LOOKS: usize = 50;

static SWEEP: Lazy<Script> = Lazy::new(|| Script::new(include_str!("lua/sweep.lua")));

impl Commands {
    /// Starts the sweeper, if it doesn't run.
    pub(super) fn sweep_from_now_on(self: &Arc<Self>) {
        if !self.index.sweeping.swap(true, Ordering::AcqRel)
            && background::spawn(run(Arc::downgrade(self))).is_err()
        {
            self.index.sweeping.store(false, Ordering::Release);
        }
    }

    /// Sweeps every set until few of a sample are dead; how many were found.
    pub(super) async fn sweep(self: &Arc<Self>) -> usize {
        let mut dropped = 0;
        for bucket in 0..BUCKETS {
            for _ in 0..MOST_LOOKS {
                let prefix = [self.prefix.as_bytes(), b":"].concat();
                let dead: usize = self
                    .script(Errand::Call, &SWEEP, |call| {
                        call.key(self.bucket(bucket)).arg(prefix).arg(SAMPLE);
                    })
                    .await
                    .unwrap_or(0);
                dropped += dead;
                if dead * 4 < SAMPLE {
                    break;
                }
            }
        }
        dropped
    }
}

async fn run(commands: Weak<Commands>) {
    let mut pause = SOONEST;
    loop {
        tokio::time::sleep(pause).await;
        let Some(commands) = commands.upgrade() else {
            return;
        };
        pause = if commands.sweep().await > 0 {
            SOONEST
        } else {
            (pause * 2).min(SLOWEST)
        };
    }
}
