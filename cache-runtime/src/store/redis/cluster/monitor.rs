//! In a cluster, a look every second whether the masters are still the same ones.
//!
//! A replica that takes over may lack invalidations which its master had acknowledged; who sent them sends them again. A
//! process notices by a command that fails; one whose client all go to other masters, by this look. A
//! replica takes over no sooner than `cluster-node-timeout` after its master fell silent (15 s, unless configured
//! otherwise), so the look sees the silence first. It goes on after the last command for as long as invalidations
//! are remembered.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::index::Layout;
use crate::store::redis::recovery::outage::Purpose;

const PAUSE: Duration = Duration::from_secs(1);

impl Client {
    /// Starts the watch, if it doesn't run and there is something to watch.
    pub(crate) fn start_monitor(self: &Arc<Self>) {
        // The common case costs loads only: every call comes here.
        if self.index.layout == Layout::Split
            && !self.watched.load(Ordering::Relaxed)
            && !self.watched.swap(true, Ordering::AcqRel)
            && runtime::spawn(run(Arc::downgrade(self))).is_err()
        {
            self.watched.store(false, Ordering::Release);
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
        // Without a connection, whoever makes the next one sees who the masters are.
        if idle > client.limits.replay_window || client.manager.server().is_none() {
            continue;
        }
        // A failure opens the breaker, which is all that is to be done.
        let _ = client
            .send_for(Purpose::Invalidation, |connection| async move {
                connection.verify().await
            })
            .await;
        client.manager.used.store(false, Ordering::Relaxed);
    }
}
