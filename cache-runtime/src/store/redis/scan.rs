use redis::Cmd;

use super::commands::Commands;
use crate::error::CacheError;
use crate::pattern::Pattern;

/// How many keys a step of the walk looks at, and how many one command removes.
const STEP: usize = 1_000;
const BATCH: usize = 500;

impl Commands {
    /// Walks the keyspace and removes what the pattern matches, values and leases; counts the values.
    ///
    /// `SCAN` gives every key that is there from the walk's beginning to its end, so a lease that an
    /// invalidation must void is found: what is leased later computes later.
    pub(super) async fn remove_matching(&self, pattern: &Pattern) -> Result<u64, CacheError> {
        let glob = pattern.scan_glob(&self.prefix);
        let (mut cursor, mut removed) = (0u64, 0);
        loop {
            let mut scan = Cmd::new();
            scan.arg("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(&glob[..])
                .arg("COUNT")
                .arg(STEP);
            // Bytes: a foreign key needn't be text.
            let (next, keys): (u64, Vec<Vec<u8>>) = self
                .link
                .send(|mut connection| async move { scan.query_async(&mut connection).await })
                .await?;
            let ours = self.prefix.len() + 1;
            let matching: Vec<Vec<u8>> = keys
                .into_iter()
                .filter(|key| key.get(ours..).is_some_and(|key| pattern.matches(key)))
                .collect();
            for batch in matching.chunks(BATCH) {
                removed += self.unlink(batch).await?;
            }
            if next == 0 {
                return Ok(removed);
            }
            cursor = next;
        }
    }
}
