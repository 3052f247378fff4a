//! Rebuilds the directory of owners, and with it every account, by a scan of the keyspace.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::runtime;
use crate::store::redis::client::Client;
use crate::store::redis::index::Layout;
use crate::store::redis::index::scan::KeyScan;
use crate::store::redis::lease::fresh_token;
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;

/// Start of the marks of all rebuilds. No owner's text has a NUL.
const BUILDING: &[u8] = b"\0building:";

/// Number of keys that one script enters.
const BATCH: usize = 100;

impl Client {
    /// Start a rebuild in the background, if none is under way. The first fill of a prefix does
    /// this.
    pub(super) fn rebuild_directory_soon(self: &Arc<Self>) {
        if self.index.directory_started.swap(true, Ordering::AcqRel) {
            return;
        }
        let client = Arc::clone(self);
        let scan = async move {
            // If it fails, the next fill tries again.
            let _ = client.rebuild_directory(Purpose::Invalidation).await;
            let started = &client.index.directory_started;
            started.store(false, Ordering::Release);
        };
        if runtime::spawn(scan).is_err() {
            let started = &self.index.directory_started;
            started.store(false, Ordering::Release);
        }
    }

    /// Make the directory complete, by one scan at most. Values that are stored during the scan
    /// enter their accounts by themselves.
    ///
    /// If the directory is lost in between, its mark is lost too, and it isn't declared complete.
    pub(super) async fn rebuild_directory(
        self: &Arc<Self>,
        purpose: Purpose,
    ) -> Result<(), CacheError> {
        if self.index.layout == Layout::Split {
            return Ok(());
        }
        let _rebuilding = self.index.rebuilding.lock().await;
        let server = self.server_of(purpose);
        let mark = [BUILDING, &fresh_token().to_le_bytes()[..]].concat();
        let needed: i64 = self
            .script(purpose, &lua::OWNER_REBUILD_BEGIN, |call| {
                call.key(self.directory()).arg(&mark[..]);
            })
            .await?;
        if needed == 0 {
            return Ok(());
        }
        let mut scan = KeyScan::over(&Pattern::new("*"));
        while let Some(keys) = scan.step(self, purpose).await? {
            for batch in keys.chunks(BATCH) {
                let _: i64 = self
                    .script(purpose, &lua::OWNER_ENTER, |call| {
                        call.key(self.directory());
                        for key in batch {
                            call.key(self.full_key_bytes(key));
                        }
                    })
                    .await?;
            }
        }
        // Another server's keys weren't scanned.
        if server.is_none() || self.server_of(purpose) != server {
            return Ok(());
        }
        self.script::<i64>(purpose, &lua::OWNER_REBUILD_FINISH, |call| {
            call.key(self.directory()).arg(&mark[..]);
        })
        .await
        .map(drop)
    }

    /// Delete the accounts of a few owners whose entries have all expired.
    pub(crate) async fn sweep_owners(self: &Arc<Self>) -> Result<(), CacheError> {
        if self.index.layout == Layout::Split || !self.limits.has_owners {
            return Ok(());
        }
        self.script::<i64>(Purpose::Call, &lua::OWNER_SWEEP, |call| {
            call.key(self.directory());
        })
        .await
        .map(drop)
    }
}
