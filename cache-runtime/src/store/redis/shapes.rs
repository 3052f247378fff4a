//! Shapes of stored types, for people who look at values that their codec stores without names.
//!
//! The sorted set `<prefix>#shapes` has a member for each type: its fingerprint in hexadecimal, a
//! space, and its shape as a text. The score is the day (since 1970) on which a process of that
//! type last published it. So a type that no program stores any more can be told from the others,
//! and is dropped.
//!
//! All of it keeps to the documented permissions, which the commands of sets that list members by
//! score aren't in.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::entry::fingerprint;
use crate::error::CacheError;
use crate::store::redis::RedisStore;
use crate::store::redis::client::Client;
use crate::store::redis::times::Operation;

/// How many days a shape is kept after its last publication.
const KEPT_DAYS: u64 = 35;
/// Number of members that each publication checks. As many shapes grow old meanwhile are dropped,
/// and more, so the set stays small.
const CHECKED: usize = 4;
/// Number of shapes in a command.
const BATCH: usize = 64;
/// Most shapes that are read.
const MOST_READ: usize = 100_000;

impl RedisStore {
    /// Return the published shape with this fingerprint.
    pub(crate) async fn shape(&self, fingerprint: u64) -> Result<Option<String>, CacheError> {
        self.run(Operation::Other, move |client| async move {
            client.read_shape(fingerprint).await
        })
        .await
    }
}

impl Client {
    fn shapes_key(&self) -> String {
        format!("{}#shapes", self.prefix)
    }

    /// Publish the shapes of this process, unless it has published as many. Return their number.
    ///
    /// Each step may be the last one, if the process dies there: another process, or the next
    /// start, continues.
    pub(super) async fn publish_shapes(
        self: &Arc<Self>,
        published: usize,
    ) -> Result<usize, CacheError> {
        let shapes = fingerprint::shapes();
        if shapes.len() == published {
            return Ok(published);
        }
        let (key, today) = (self.shapes_key(), days());
        for batch in shapes.chunks(BATCH) {
            let mut add = redis::cmd("ZADD");
            add.arg(&key);
            for (fingerprint, shape) in batch {
                add.arg(today).arg(member(*fingerprint, shape));
            }
            self.send_aside::<()>(&add).await?;
        }
        let mut keep = redis::cmd("PEXPIRE");
        let lifetime = Duration::from_secs(KEPT_DAYS * 24 * 60 * 60);
        keep.arg(&key).arg(lifetime.as_millis() as u64);
        self.send_aside::<()>(&keep).await?;
        let mut sample = redis::cmd("ZRANDMEMBER");
        sample.arg(&key).arg(CHECKED).arg("WITHSCORES");
        let sample: Vec<(Vec<u8>, u64)> = self.send_aside(&sample).await?;
        for (member, day) in sample {
            if day + KEPT_DAYS < today {
                let mut remove = redis::cmd("ZREM");
                remove.arg(&key).arg(member);
                self.send_aside::<()>(&remove).await?;
            }
        }
        Ok(shapes.len())
    }

    async fn read_shape(self: &Arc<Self>, fingerprint: u64) -> Result<Option<String>, CacheError> {
        // All of them: a count above the number of members returns each once.
        let mut all = redis::cmd("ZRANDMEMBER");
        all.arg(self.shapes_key()).arg(MOST_READ);
        let all = &all;
        let members: Vec<Vec<u8>> = self
            .send(|mut connection| async move { all.query_async(&mut connection).await })
            .await?;
        let start = member(fingerprint, "");
        let mut shapes = members.iter().filter_map(|known| {
            let shape = known.strip_prefix(start.as_bytes())?;
            Some(String::from_utf8_lossy(shape).into_owned())
        });
        Ok(shapes.next())
    }
}

fn member(fingerprint: u64, shape: &str) -> String {
    format!("{fingerprint:016x} {shape}")
}

fn days() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs() / (24 * 60 * 60)
}
