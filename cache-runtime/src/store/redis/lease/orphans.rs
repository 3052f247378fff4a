//! Abandoned leases of this process that could not be given back because the store was down.
//!
//! They would exist until they expire, and callers that find one would wait for a fill that never
//! comes. So callers of this process treat them as junk, and the process gives them back when the
//! store is up again, for the sake of other processes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::redis::client::Client;

/// Number of leases that are remembered. Older ones expire.
const MAX_ORPHANS: usize = 1_024;

#[derive(Default)]
pub(crate) struct Orphans(Mutex<VecDeque<Orphan>>);

struct Orphan {
    key: Arc<str>,
    token: u64,
    /// Whether it was given back. It is still remembered then, since the command that took the
    /// lease may arrive after the one that gave it back.
    given_back: bool,
}

impl Orphans {
    fn all(&self) -> MutexGuard<'_, VecDeque<Orphan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, key: Arc<str>, token: u64) {
        let mut all = self.all();
        if all.len() >= MAX_ORPHANS {
            all.pop_front();
        }
        all.push_back(Orphan {
            key,
            token,
            given_back: false,
        });
    }

    /// Report whether this is the token of an abandoned lease.
    pub(crate) fn hold(&self, token: u64) -> bool {
        self.all().iter().any(|orphan| orphan.token == token)
    }

    fn to_give_back(&self) -> Vec<(Arc<str>, u64)> {
        self.all()
            .iter_mut()
            .filter_map(|orphan| {
                let given_back = std::mem::replace(&mut orphan.given_back, true);
                (!given_back).then(|| (Arc::clone(&orphan.key), orphan.token))
            })
            .collect()
    }
}

impl Client {
    /// Give back a lease, or a claim (with or without the value that it is on), now or when the
    /// store is up again.
    pub(crate) async fn give_back(self: &Arc<Self>, key: Arc<str>, token: u64, withdraws: bool) {
        if self.release(&key, token, withdraws).await.is_err() {
            self.orphans.add(key, token);
        }
    }

    pub(crate) async fn give_back_orphans(self: &Arc<Self>) {
        for (key, token) in self.orphans.to_give_back() {
            // If it fails again, the lease expires.
            let _ = self.release(&key, token, false).await;
        }
    }
}
