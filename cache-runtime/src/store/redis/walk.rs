//! The walk over the keyspace: it makes an index whole, and stands in for one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use once_cell::sync::Lazy;
use redis::{Cmd, Script};

use super::commands::Commands;
use super::index::{BUCKETS, WHOLE, bucket_of, member_of};
use super::lease::fresh_token;
use super::outage::Errand;
use crate::background;
use crate::error::CacheError;
use crate::pattern::Pattern;

/// The marks of all walks: how they begin, and the range that they are in.
const BUILDING: &[u8] = b"\0building:";
const BUILDING_RANGE: [&[u8]; 2] = [b"[\0building:", b"(\0building;"];

/// How many keys a step looks at, and how many one command deletes.
const STEP: usize = 1_000;
const BATCH: usize = 500;

static BEGIN: Lazy<Script> = Lazy::new(|| Script::new(include_str!("lua/begin.lua")));
static ENLIST: Lazy<Script> = Lazy::new(|| Script::new(include_str!("lua/enlist.lua")));
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
        let mark = [BUILDING, &fresh_token().to_le_bytes()[..]].concat();
        let needed: i64 = self
            .script(errand, &BEGIN, |call| {
                for bucket in 0..BUCKETS {
                    call.key(self.bucket(bucket));
                }
                call.arg(&mark[..]).arg(WHOLE);
            })
            .await?;
        if needed == 0 {
            return Ok(());
        }
        let server = self.link.server();
        let mut walk = Walk::over(&Pattern::new("*"));
        while let Some(keys) = walk.step(self, errand).await? {
            let _enlisted: i64 = self
                .script(errand, &ENLIST, |call| {
                    for bucket in 0..BUCKETS {
                        call.key(self.bucket(bucket));
                    }
                    for key in &keys {
                        call.arg(bucket_of(key) + 1).arg(&*member_of(key));
                    }
                })
                .await?;
        }
        // Another server may know the mark (it followed this one, or came back from a snapshot), but not what this
        // one's cursors mean. Not whole then: who needs it walks again.
        if server.is_none() || self.link.server() != server {
            return Ok(());
        }
        let _whole: i64 = self
            .script(errand, &FINISH, |call| {
                for bucket in 0..BUCKETS {
                    call.key(self.bucket(bucket));
                }
                call.arg(&mark[..]).arg(WHOLE).arg(&BUILDING_RANGE);
            })
            .await?;
        Ok(())
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
