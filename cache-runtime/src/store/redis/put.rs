//! Stores values that were computed by the caller.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use crate::entry;
use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::lease::fresh_token;
use crate::store::redis::purpose::Purpose;

/// Number of entries stored in one batch. An entry behind too many others would exceed the response
/// timeout and look like an outage.
const BATCH: usize = 500;

type Entry = (Arc<str>, Vec<u8>);

impl Client {
    /// Store entries, whatever is at their keys. Each takes its lease unconditionally and is filled
    /// by it, so a late fill can't undo an invalidation. Takes two round trips for each [`BATCH`].
    pub(crate) async fn store(
        self: &Arc<Self>,
        entries: Vec<Entry>,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        let mut entries = last_of_each_key(entries);
        // Redis has no TTL of zero. A value stored with one replaces the entry and is gone at once.
        if ttl.is_zero() {
            for part in entries.chunks(BATCH) {
                let removals = part.iter().map(|(key, _)| self.remove(key, Purpose::Call));
                try_join_all(removals).await?;
            }
            return Ok(());
        }
        for part in entries.chunks_mut(BATCH) {
            let token = fresh_token();
            // An entry keeps the token of its fill, since its member in the index may carry it.
            for (_, entry) in &mut *part {
                entry::set_token(entry, token);
            }
            if let Err(error) = self.store_part(part, token, ttl).await {
                let leases = part
                    .iter()
                    .map(|(key, _)| self.give_back(Arc::clone(key), token, false));
                join_all(leases).await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn store_part(
        self: &Arc<Self>,
        part: &[Entry],
        token: u64,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        let leases = part
            .iter()
            .map(|(key, _)| self.take_over((key, token), None, false));
        try_join_all(leases).await?;
        let fills = part
            .iter()
            .map(|(key, entry)| self.fill((key, token), None, entry, ttl));
        try_join_all(fills).await.map(drop)
    }
}

/// Return the entries without those that a later one overwrites, since the first fill of a key ends
/// its lease.
fn last_of_each_key(entries: Vec<Entry>) -> Vec<Entry> {
    let mut seen = HashSet::with_capacity(entries.len());
    let mut last: Vec<Entry> = entries
        .into_iter()
        .rev()
        .filter(|(key, _)| seen.insert(Arc::clone(key)))
        .collect();
    last.reverse();
    last
}
