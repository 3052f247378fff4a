//! Storing what was computed elsewhere.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use crate::entry;
use crate::error::CacheError;
use crate::store::redis::client::Client;
use crate::store::redis::lease::fresh_token;
use crate::store::redis::recovery::outage::Purpose;

/// How many entries are stored at a time: one behind so many others that it seems late would look like an outage.
const PART: usize = 500;

type Entry = (Arc<str>, Vec<u8>);

impl Client {
    /// Stores entries over whatever stands: each takes its lease unconditionally and fills by it, so that one that
    /// arrives late can't undo an invalidation. Two round trips for each [`PART`].
    pub(crate) async fn store(
        self: &Arc<Self>,
        entries: Vec<Entry>,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        let mut entries = last_of_each_key(entries);
        // Redis knows no lifetime of zero: what is stored for no time at all replaces what stands, and is gone.
        if ttl.is_zero() {
            for part in entries.chunks(PART) {
                let removals = part.iter().map(|(key, _)| self.remove(key, Purpose::Call));
                try_join_all(removals).await?;
            }
            return Ok(());
        }
        for part in entries.chunks_mut(PART) {
            let token = fresh_token();
            // The token of its fill stays with an entry: its member in the index may carry it.
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
            .map(|(key, _)| self.take_over(key, token, false));
        try_join_all(leases).await?;
        let fills = part
            .iter()
            .map(|(key, entry)| self.fill(key, token, entry, ttl));
        try_join_all(fills).await.map(drop)
    }
}

/// The entries without those that a later one overwrites: one of a key's fills ends the lease of all.
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
