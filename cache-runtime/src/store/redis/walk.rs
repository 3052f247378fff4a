//! The walk over the keyspace: it makes an index whole, and stands in for one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use once_cell::sync::Lazy;
use redis::{Cmd, Script};

use super::commands::Commands;
use super::index::{BUCKETS, WHOLE, bucket_of};
use super::lease::fresh_token;
use super::outage::Errand;
use crate::background;
use crate::error::CacheError;
use crate::pattern::Pattern;

/// How many keys a step looks at, and how many one command deletes.
const STEP: usize = 1_000;
const BATCH: usize = 500;

static FINISH: Lazy<Script> = Lazy::new(|| Script::new(include_str!("lua/finish.lua")));

impl Commands {
    /// Asks for a walk in the background, if none is under way: the first registration of a prefix does.
    pub(super) fn make_whole_soon(self: &Arc<Self>) {
        if self.index.walk_asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let commands = Arc::clone(self);
        let walk = async move {
            // What fails here is tried again by the next registration or invalidation.
            let _ = commands.make_whole(Errand::Invalidation).await;
            commands.index.walk_asked.store(false, Ordering::Release);
        };
        if background::spawn(walk).is_err() {
            self.index.walk_asked.store(false, Ordering::Release);
        }
    }

    /// Makes every set of the prefix whole, by one walk at most: who finds another walking waits for that one.
    ///
    /// A walk marks the sets as being built, registers every key that it meets, and replaces the mark at its
    /// end. A loss in between takes the mark with it, and such a set isn't declared whole. Keys that come during
    /// the walk register themselves.
    pub(super) async fn make_whole(self: &Arc<Self>, errand: Errand) -> Result<(), CacheError> {
        let _walking = self.index.walking.lock().await;
        if self.is_whole(errand).await? {
            return Ok(());
        }
        let mark = [b"\0building:", &fresh_token().to_le_bytes()[..]].concat();
        let mut begin = redis::pipe();
        for bucket in 0..BUCKETS {
            begin
                .cmd("ZADD")
                .arg(self.bucket(bucket))
                .arg(0)
                .arg(&mark[..])
                .ignore();
        }
        self.send_for(errand, |mut connection| async move {
            begin.query_async::<()>(&mut connection).await
        })
        .await?;
        let mut walk = Walk::over(&Pattern::new("*"));
        while let Some(keys) = walk.step(self, errand).await? {
            let mut register = redis::pipe();
            for key in &keys {
                register
                    .cmd("ZADD")
                    .arg(self.bucket(bucket_of(key)))
                    .arg(0)
                    .arg(&key[..])
                    .ignore();
            }
            self.send_for(errand, |mut connection| async move {
                register.query_async::<()>(&mut connection).await
            })
            .await?;
        }
        let _whole: i64 = self
            .script(errand, &FINISH, |call| {
                for bucket in 0..BUCKETS {
                    call.key(self.bucket(bucket));
                }
                call.arg(&mark[..]).arg(WHOLE);
            })
            .await?;
        Ok(())
    }

    async fn is_whole(self: &Arc<Self>, errand: Errand) -> Result<bool, CacheError> {
        let mut look = redis::pipe();
        for bucket in 0..BUCKETS {
            look.cmd("ZSCORE").arg(self.bucket(bucket)).arg(WHOLE);
        }
        let marks: Vec<Option<f64>> = self
            .send_for(errand, |mut connection| async move {
                look.query_async(&mut connection).await
            })
            .await?;
        Ok(marks.iter().all(Option::is_some))
    }

    /// Removes what the pattern matches by a walk alone.
    pub(super) async fn remove_walking(
        self: &Arc<Self>,
        pattern: &Pattern,
        errand: Errand,
    ) -> Result<u64, CacheError> {
        let mut removed = 0;
        let mut walk = Walk::over(pattern);
        while let Some(keys) = walk.step(self, errand).await? {
            for bucket in 0..BUCKETS {
                let in_bucket: Vec<Vec<u8>> = keys
                    .iter()
                    .filter(|key| bucket_of(key) == bucket)
                    .cloned()
                    .collect();
                for batch in in_bucket.chunks(BATCH) {
                    removed += self.remove_keys(bucket, batch, errand).await?;
                }
            }
        }
        Ok(removed)
    }
}

/// A walk over the keys that a pattern matches.
///
/// `SCAN` gives every key that is there from the walk's beginning to its end, so a lease that an invalidation
/// must void is found: what is leased later computes later.
struct Walk {
    pattern: Pattern,
    /// Where to go on; none at the end.
    cursor: Option<u64>,
}

impl Walk {
    fn over(pattern: &Pattern) -> Self {
        Self {
            pattern: pattern.clone(),
            cursor: Some(0),
        }
    }

    /// The next keys, without the prefix and at least one; none at the end.
    async fn step(
        &mut self,
        commands: &Arc<Commands>,
        errand: Errand,
    ) -> Result<Option<Vec<Vec<u8>>>, CacheError> {
        let ours = commands.prefix.len() + 1;
        while let Some(cursor) = self.cursor {
            let glob = self.pattern.scan_glob(&commands.prefix);
            let mut scan = Cmd::new();
            scan.arg("SCAN")
                .arg(cursor)
                .arg("MATCH")
                .arg(glob)
                .arg("COUNT")
                .arg(STEP);
            // Bytes: a foreign key needn't be text.
            let (next, keys): (u64, Vec<Vec<u8>>) = commands
                .send_for(errand, |mut connection| async move {
                    scan.query_async(&mut connection).await
                })
                .await?;
            self.cursor = (next != 0).then_some(next);
            let keys = keys
                .into_iter()
                .filter_map(|key| key.get(ours..).map(<[u8]>::to_vec));
            let matching: Vec<Vec<u8>> = keys.filter(|key| self.pattern.matches(key)).collect();
            if !matching.is_empty() {
                return Ok(Some(matching));
            }
        }
        Ok(None)
    }
}
