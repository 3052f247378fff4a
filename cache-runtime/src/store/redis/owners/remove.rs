//! Removal of all entries of an owner.

use std::collections::HashMap;
use std::sync::Arc;

use redis::Cmd;

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::redis::client::Client;
use crate::store::redis::index::{Layout, bucket_of};
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;

/// Number of keys that one step reads, about.
const PAGE: usize = 500;

/// The next cursor, and fields with their values.
type ScanReply = (u64, Vec<(Vec<u8>, Vec<u8>)>);

impl Client {
    /// Remove the entries and leases of an owner, and return the number of values. `patterns` cover
    /// them, for a server that loses accounts again and again.
    pub(crate) async fn remove_owned(
        self: &Arc<Self>,
        owner: &str,
        patterns: &[Pattern],
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        let mut removed = 0;
        for _ in 0..3 {
            if !self.owner_is_known(owner, purpose).await? {
                self.rebuild_directory(purpose).await?;
            }
            removed += self.remove_listed(owner, purpose).await?;
            // Otherwise the account was lost meanwhile.
            if self.owner_is_known(owner, purpose).await? {
                return Ok(removed);
            }
        }
        for pattern in patterns {
            removed += self.remove_by_scan(pattern, purpose).await?;
        }
        Ok(removed)
    }

    /// Report whether all entries of the owner are in its account.
    pub(super) async fn owner_is_known(
        self: &Arc<Self>,
        owner: &str,
        purpose: Purpose,
    ) -> Result<bool, CacheError> {
        // There the patterns find them too.
        if self.index.layout == Layout::Split {
            return Ok(true);
        }
        let known: i64 = self
            .script(purpose, &lua::OWNER_IS_KNOWN, |call| {
                call.key(self.of_owner(owner, "sizes"))
                    .key(self.directory());
                call.arg(owner);
            })
            .await?;
        Ok(known == 1)
    }

    /// Remove what the account lists. `HSCAN` returns every key that is there from the beginning to
    /// the end; a key that enters later is computed later.
    async fn remove_listed(
        self: &Arc<Self>,
        owner: &str,
        purpose: Purpose,
    ) -> Result<u64, CacheError> {
        let sizes = self.of_owner(owner, "sizes");
        let start = self.full_key("");
        let (mut cursor, mut removed) = (0_u64, 0);
        loop {
            let mut scan = Cmd::new();
            scan.arg("HSCAN").arg(&sizes).arg(cursor);
            scan.arg("COUNT").arg(PAGE);
            let scan = &scan;
            let (next, found): ScanReply = self
                .send_for(purpose, |mut connection| async move {
                    scan.query_async(&mut connection).await
                })
                .await?;
            let mut by_bucket: HashMap<usize, Vec<&[u8]>> = HashMap::new();
            // The other fields are totals.
            let keys = found
                .iter()
                .filter_map(|(key, _)| key.strip_prefix(start.as_bytes()));
            for key in keys {
                by_bucket.entry(bucket_of(key)).or_default().push(key);
            }
            for (bucket, keys) in by_bucket {
                for page in keys.chunks(PAGE) {
                    removed += self.remove_keys(bucket, page, purpose).await?;
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(removed);
            }
        }
    }
}
