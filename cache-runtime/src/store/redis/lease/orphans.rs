//! Leases of this process that nobody holds any more, and that could not be given back: the store was down.
//!
//! They would stand until they expire, and who meets one would wait for nobody. So callers of this process take them
//! for junk, and they are given back when the store is there again, for the sake of others.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::redis::client::Client;

/// How many are remembered. Older ones expire.
const MOST: usize = 1_024;

#[derive(Default)]
pub(crate) struct Orphans(Mutex<VecDeque<Orphan>>);

struct Orphan {
    key: Arc<str>,
    token: u64,
    /// Still remembered then: the command that took the lease may arrive later than what gave it back.
    given_back: bool,
}

impl Orphans {
    fn all(&self) -> MutexGuard<'_, VecDeque<Orphan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, key: Arc<str>, token: u64) {
        let mut all = self.all();
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back(Orphan {
            key,
            token,
            given_back: false,
        });
    }

    /// Whether this is one.
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
    /// Gives a lease back, or a claim, with the value that it is on or without, now or when that is possible.
    pub(crate) async fn give_back(self: &Arc<Self>, key: Arc<str>, token: u64, withdraws: bool) {
        if self.release(&key, token, withdraws).await.is_err() {
            self.orphans.add(key, token);
        }
    }

    pub(crate) async fn give_back_orphans(self: &Arc<Self>) {
        for (key, token) in self.orphans.to_give_back() {
            // What fails once more expires.
            let _ = self.release(&key, token, false).await;
        }
    }
}
