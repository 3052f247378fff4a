//! The findings of a look at entries and at the index.

use super::Finding;
use super::text::size;
use crate::cache::Examination;

/// A value that keeps the server from other commands for some milliseconds.
const LARGE: u64 = 1 << 20;
/// A few dead members are normal: they are dropped by and by.
const FEW_MEMBERS: u64 = 100;

impl Examination {
    /// Return what the figures mean. `prefix`: that of the cache. See
    /// [`Cache::findings`](crate::Cache::findings), which includes them.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let seen = cache.examine(1_000).await?;
    /// assert_eq!(seen.findings(cache.prefix())[0].check, "indexed");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn findings(&self, prefix: &str) -> Vec<Finding> {
        let looked = match self.all {
            true => format!("all {} keys", self.keys),
            false => format!("{} keys that were looked at", self.keys),
        };
        let mut findings = Vec::new();
        findings.push(match self.unindexed {
        0 => Finding::ok("indexed", format!("{looked}: none is past the index")),
        count => Finding::problem(
            "indexed",
            format!(
                "{count} of {looked} are entries past the index, so no invalidation by pattern finds them: {}",
                self.unindexed_keys.join(", ")
            ),
            format!(
                "rebuild the index, by one walk over all keys: `redis-cli --scan --pattern '{prefix}#index:*' | xargs redis-cli DEL`, then `cachectl ls`"
            ),
        ),
    });
        let (members, dead) = (self.members, self.dead_members);
        let text = format!("{dead} of {members} members of the index have no entry");
        findings.push(match dead > FEW_MEMBERS && dead * 2 > members {
        true => Finding::problem(
            "members",
            format!("{text}; each takes about 120 bytes"),
            "start a process of the service, which drops them within a minute; or `cachectl clear --all`",
        ),
        false => Finding::ok("members", text),
    });
        findings.push(match self.unknown {
        0 => Finding::ok("format", format!("{looked}: each is an entry of this format")),
        count => Finding::problem(
            "format",
            format!(
                "{count} of {looked} are no entries of this release: {}",
                self.unknown_keys.join(", ")
            ),
            "give other programs, and other releases that don't share entries, another prefix; delete the keys with `redis-cli UNLINK`",
        ),
    });
        let Some(largest) = self.largest.first() else {
            return findings;
        };
        let shown = self.largest.iter();
        let shown = shown.map(|entry| format!("{} ({})", entry.key, size(entry.bytes)));
        let shown = shown.collect::<Vec<_>>().join(", ");
        findings.push(match largest.bytes > LARGE {
        true => Finding::note(
            "size",
            format!("the largest of {looked}: {shown}; a value above 1 MiB keeps the server from other commands for milliseconds: store less, or compress it (`compress_over`)"),
        ),
        false => Finding::ok("size", format!("the largest of {looked}: {shown}")),
    });
        findings
    }
}
