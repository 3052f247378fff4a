//! The walk over the keyspace: it makes an index whole, and stands in for one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::try_join_all;
use once_cell::sync::Lazy;
use redis::{Cmd, Script, from_redis_value};

use super::cluster::Sight;
use super::commands::Commands;
use super::connection::Node;
use super::index::{BUCKETS, Layout, Token, bucket_of};
use super::lease::fresh_token;
use super::outage::Errand;
use crate::background;
use crate::error::CacheError;
use crate::pattern::Pattern;

/// The marks of all walks: how they begin, and the range that they are in.
const BUILDING: &[u8] = b"\0building:";
const BUILDING_RANGE: [&[u8]; 2] = [b"[\0building:", b"(\0building;"];

/// The marks of sets that are whole to certain masters.
const WHOLE_RANGE: [&[u8]; 2] = [b"[\0whole:", b"(\0whole;"];

/// How many keys a step looks at, and how many one command deletes.
const STEP: usize = 1_000;
const BATCH: usize = 500;
/// How often a walk begins, if slots move meanwhile. Then it fails: what needs it is owed, and reads run uncached.
const MOST_BEGINNINGS: u32 = 8;

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
    /// the walk register themselves. The sets may be on different nodes, so each is marked by a command of its own.
    pub(super) async fn make_whole(self: &Arc<Self>, errand: Errand) -> Result<(), CacheError> {
        let _walking = self.index.walking.lock().await;
        let whole = self.whole(errand).await?;
        let server = self.link.server();
        let mark = [BUILDING, &fresh_token().to_le_bytes()[..]].concat();
        let begins = (0..BUCKETS).map(|bucket| self.begin(bucket, &mark, &whole, errand));
        let partial: Vec<bool> = try_join_all(begins).await?;
        if !partial.contains(&true) {
            return Ok(());
        }
        let mut walk = Walk::over(&Pattern::new("*"));
        while let Some(keys) = walk.step(self, errand).await? {
            self.enlist(&keys, &partial, errand).await?;
        }
        // Another server may know the mark (it followed this one, or came back from a snapshot), but not what this
        // one's cursors mean. Not whole then: who needs it walks again.
        if server.is_none() || self.link.server() != server {
            return Ok(());
        }
        let built = (0..BUCKETS).filter(|bucket| partial[*bucket]);
        let ends = built.map(|bucket| self.finish(bucket, &mark, &whole, errand));
        try_join_all(ends).await.map(drop)
    }

    /// Marks a set as being built, unless it is whole; whether that was needed.
    async fn begin(
        self: &Arc<Self>,
        bucket: usize,
        mark: &[u8],
        whole: &[u8],
        errand: Errand,
    ) -> Result<bool, CacheError> {
        let needed: i64 = self
            .script(errand, &BEGIN, |call| {
                call.key(self.bucket(bucket)).arg(mark).arg(whole);
            })
            .await?;
        Ok(needed == 1)
    }

    /// Registers keys that a walk met, in those sets that aren't whole.
    async fn enlist(
        self: &Arc<Self>,
        keys: &[Vec<u8>],
        partial: &[bool],
        errand: Errand,
    ) -> Result<(), CacheError> {
        let members = match self.index.layout {
            Layout::Together => keys
                .iter()
                .map(|key| {
                    let member = Layout::Together.member(key, Token::default());
                    (bucket_of(key), member)
                })
                .collect(),
            Layout::Apart => self.members_apart(keys, errand).await?,
        };
        let mut of_sets: [Vec<Vec<u8>>; BUCKETS] = Default::default();
        for (bucket, member) in members {
            if partial[bucket] {
                of_sets[bucket].push(member);
            }
        }
        let lists = of_sets.iter().enumerate().filter(|(_, of)| !of.is_empty());
        let enlisted = lists.map(|(bucket, of)| {
            self.script::<i64>(errand, &ENLIST, move |call| {
                call.key(self.bucket(bucket)).arg(of);
            })
        });
        try_join_all(enlisted).await.map(drop)
    }

    /// Declares a set whole, if it still carries this walk's mark.
    async fn finish(
        self: &Arc<Self>,
        bucket: usize,
        mark: &[u8],
        whole: &[u8],
        errand: Errand,
    ) -> Result<(), CacheError> {
        self.script::<i64>(errand, &FINISH, |call| {
            call.key(self.bucket(bucket)).arg(mark).arg(whole);
            call.arg(&BUILDING_RANGE).arg(&WHOLE_RANGE);
        })
        .await
        .map(drop)
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
                let in_bucket: Vec<&[u8]> = keys
                    .iter()
                    .map(|key| &key[..])
                    .filter(|key| bucket_of(key) == bucket)
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
/// must void is found: what is leased later computes later. In a cluster each master is scanned in turn, and a key
/// whose slot moves can hop from one that isn't scanned yet to one that is. So before, between and after the masters
/// the walk looks at what each of them holds, gives away and takes over:
///
/// * All looks are the same, and no slot is being moved: none began to move and came to its end either, since that
///   gives a master a new epoch, which is looked at too. No key hopped.
/// * All looks are the same, and slots are being moved: their keys hop once at most, from A to B. All masters
///   are scanned twice. If the key hops before the second scan of B begins, that one finds it; if later, the first scan
///   of A had ended, and found it.
/// * The looks differ: the walk begins anew.
///
/// What remains is a move that began, carried the key, carried it back and was called off, all during the scan of
/// one master.
struct Walk {
    pattern: Pattern,
    course: Option<Course>,
    /// How often it began.
    begun: u32,
}

/// The way of a walk.
struct Course {
    sight: Sight,
    /// The nodes that are still to be scanned. The first one is under way.
    nodes: VecDeque<Node>,
    /// Where to go on at that one.
    cursor: u64,
}

impl Walk {
    fn over(pattern: &Pattern) -> Self {
        Self {
            pattern: pattern.clone(),
            course: None,
            begun: 0,
        }
    }

    /// The next keys, without the prefix and at least one; none at the end. A walk that begins anew gives keys again.
    async fn step(
        &mut self,
        commands: &Arc<Commands>,
        errand: Errand,
    ) -> Result<Option<Vec<Vec<u8>>>, CacheError> {
        loop {
            let mut course = match self.course.take() {
                Some(course) => course,
                None => self.begin(commands, errand).await?,
            };
            let Some(node) = course.nodes.front() else {
                self.course = Some(course);
                return Ok(None);
            };
            let (next, keys) = self.scan(commands, node, course.cursor, errand).await?;
            course.cursor = next;
            if next == 0 {
                course.nodes.pop_front();
                if commands.sight(errand).await? == course.sight {
                    self.course = Some(course);
                }
            } else {
                self.course = Some(course);
            }
            let matching: Vec<Vec<u8>> = keys
                .into_iter()
                .filter(|key| self.pattern.matches(key))
                .collect();
            if !matching.is_empty() {
                return Ok(Some(matching));
            }
        }
    }

    async fn begin(
        &mut self,
        commands: &Arc<Commands>,
        errand: Errand,
    ) -> Result<Course, CacheError> {
        if self.begun == MOST_BEGINNINGS {
            let reason = "slots of the cluster moved during each of several walks over its keys";
            return Err(CacheError::Store {
                source: Arc::from(Box::from(reason)),
            });
        }
        self.begun += 1;
        let sight = commands.sight(errand).await?;
        let nodes = commands
            .send_for(errand, |connection| async move { Ok(connection.nodes()) })
            .await?;
        let again = sight.moves().then(|| nodes.clone());
        Ok(Course {
            sight,
            nodes: nodes
                .into_iter()
                .chain(again.into_iter().flatten())
                .collect(),
            cursor: 0,
        })
    }

    /// A step at one node: where to go on, and the keys without the prefix.
    async fn scan(
        &self,
        commands: &Arc<Commands>,
        node: &Node,
        cursor: u64,
        errand: Errand,
    ) -> Result<(u64, Vec<Vec<u8>>), CacheError> {
        let mut scan = Cmd::new();
        scan.arg("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(self.pattern.scan_glob(&commands.prefix))
            .arg("COUNT")
            .arg(STEP);
        // Bytes: a foreign key needn't be text.
        let (next, keys): (u64, Vec<Vec<u8>>) = commands
            .send_for(errand, |mut connection| async move {
                Ok(from_redis_value(connection.ask(node, &scan).await?)?)
            })
            .await?;
        let ours = commands.prefix.len() + 1;
        let keys = keys
            .into_iter()
            .filter_map(|key| key.get(ours..).map(<[u8]>::to_vec));
        Ok((next, keys.collect()))
    }
}

impl Commands {
    async fn sight(self: &Arc<Self>, errand: Errand) -> Result<Sight, CacheError> {
        self.send_for(errand, |connection| async move { connection.sight().await })
            .await
    }
}
