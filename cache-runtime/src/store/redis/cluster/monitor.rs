//! Checks every second that a cluster's masters are unchanged.
//!
//! A replica that takes over may lack invalidations that its master had acknowledged; the processes
//! that sent them send them again. A process usually notices a failover by a command that fails.
//! This check covers a process whose commands all go to other masters. A replica takes over no
//! sooner than `cluster-node-timeout` after its master fell silent (15 s, unless configured
//! otherwise), so the check notices the silence first. The checks continue after the last command
//! for as long as invalidations are remembered.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::index::Layout;
use crate::store::redis::purpose::Purpose;

const PAUSE: Duration = Duration::from_secs(1);

impl Client {
    /// Start the monitor, if this is a cluster and the monitor isn't running.
    pub(crate) fn start_monitor(self: &Arc<Self>) {
        // The common case costs loads only, since every call comes here.
        if self.index.layout == Layout::Split
            && !self.monitor_runs.load(Ordering::Relaxed)
            && !self.monitor_runs.swap(true, Ordering::AcqRel)
            && runtime::spawn(run(Arc::downgrade(self))).is_err()
        {
            self.monitor_runs.store(false, Ordering::Release);
        }
    }
}

async fn run(client: Weak<Client>) {
    let mut idle = Duration::ZERO;
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(client) = client.upgrade() else {
            return;
        };
        idle = match client.manager.used.swap(false, Ordering::Relaxed) {
            true => Duration::ZERO,
            false => idle + PAUSE,
        };
        // Without a connection there is nothing to check: opening the next one identifies the
        // masters.
        if idle > client.limits.replay_window || client.manager.server().is_none() {
            continue;
        }
        // A failure opens the breaker, and nothing more is needed.
        let _ = client
            .send_for(Purpose::Invalidation, |connection| async move {
                connection.verify().await
            })
            .await;
        client.manager.used.store(false, Ordering::Relaxed);
    }
}
