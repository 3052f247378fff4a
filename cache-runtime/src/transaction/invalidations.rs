//! The collector of a transaction's invalidations.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

use crate::core::Cache;
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::runtime::{self, block_on};
use crate::site::Origin;

/// Up to this number of patterns, comparing with each costs less than hashing.
const FEW: usize = 16;

/// Collector of invalidations, for a database transaction.
///
/// An invalidation in front of COMMIT is too early: a reader in between reads the old row and
/// stores it again. This collects the patterns of a transaction, so that they are invalidated once,
/// after COMMIT. A clone is the same collector.
///
/// It is open from the beginning until [`commit`](Self::commit) or [`rollback`](Self::rollback).
/// While it is open, functions with `#[cacheable(tx = ..)]` that name it run uncached. After that, a
/// new pattern opens it again and belongs to the next transaction. Dropped while it is open, it
/// invalidates nothing, as a dropped transaction is rolled back.
///
/// ```
/// use cache_runtime::{Cache, Invalidations, invalidate};
///
/// #[invalidate(patterns = ["posts:<<slug>>:*"], tx = tx)]
/// async fn rename(tx: &Invalidations, slug: &str) {
///     // UPDATE posts ..
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cache_runtime::CacheError> {
/// let cache = Cache::builder().build()?;
/// cache.set("posts:hello", "old", 60).await?;
///
/// let tx = cache.invalidations(); // BEGIN
/// rename(&tx, "hello").await;
/// assert!(cache.exists("posts:hello").await?);
/// // COMMIT
/// assert_eq!(tx.commit().await?, 1);
/// assert!(!cache.exists("posts:hello").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Invalidations {
    shared: Arc<Shared>,
}

struct Shared {
    cache: Cache,
    collected: Mutex<Collected>,
}

/// A value that was written through, and is stored after the commit. Dropping it gives its lease
/// back.
pub(crate) trait PendingFill: Any + Send {
    /// Store the value, or invalidate its key. Returns the work that is still to be awaited.
    fn fill(self: Box<Self>) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>>;
}

/// The key that a call has written through.
struct WrittenKey {
    origin: Origin,
    key: Arc<str>,
    /// `None` if the key is to be invalidated: the outcome of the call is unknown, or a later call
    /// has taken the lease over.
    fill: Option<Box<dyn PendingFill>>,
}

impl WrittenKey {
    fn pattern(&self) -> Pattern {
        Pattern::of_path(&self.key)
    }
}

/// The work after a commit.
struct Ended {
    patterns: Vec<(Origin, Pattern)>,
    fills: Vec<Box<dyn PendingFill>>,
}

/// A place in the lists of patterns and written keys.
type Place = (usize, usize);

/// The patterns of one transaction, each once, in the order of their first occurrence; and the keys
/// that were written through, in the order of the calls.
struct Collected {
    is_open: bool,
    /// The number of transactions that have committed.
    commits: u64,
    patterns: Vec<(Origin, Pattern)>,
    /// The texts of `patterns`; empty while these are few.
    known: HashSet<Arc<str>>,
    written: Vec<WrittenKey>,
    savepoints: Vec<(Savepoint, Place)>,
}

/// Result of [`Invalidations::add_written`].
pub(crate) enum Added {
    /// The commit fills the key.
    Waits,
    /// The transaction has committed: fill now.
    Committed(Option<Box<dyn PendingFill>>),
    /// The transaction has rolled back: the lease is given back.
    RolledBack,
    /// The write may be of either of two transactions: invalidate now.
    Unclear(Option<Box<dyn PendingFill>>),
}

/// The state of a collector when a call of an annotated function begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    is_open: bool,
    commits: u64,
}

/// A point in a transaction. Returned by [`Invalidations::savepoint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Savepoint(u64);

impl Cache {
    /// Return a new collector of invalidations for a database transaction.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("posts:1", "old", 60).await?;
    /// let invalidations = cache.invalidations();
    /// invalidations.add("posts:*");
    /// // .. COMMIT ..
    /// assert_eq!(invalidations.commit().await?, 1);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn invalidations(&self) -> Invalidations {
        Invalidations {
            shared: Arc::new(Shared {
                cache: self.clone(),
                collected: Mutex::new(Collected::new()),
            }),
        }
    }
}

impl Invalidations {
    /// Return the cache that [`commit`](Self::commit) invalidates in.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().prefix("blog").build()?;
    /// assert_eq!(cache.invalidations().cache().prefix(), "blog");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn cache(&self) -> &Cache {
        &self.shared.cache
    }

    /// Add a pattern, in the form of [`Cache::delete_pattern`]. A pattern that was added before is
    /// ignored.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let invalidations = Cache::builder().build()?.invalidations();
    /// invalidations.add("posts:1:*");
    /// invalidations.add("posts:list:*");
    /// invalidations.add("posts:1:*");
    /// assert_eq!(invalidations.patterns(), ["posts:1:*", "posts:list:*"]);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn add(&self, pattern: &str) {
        let origin = Origin::explicit("Invalidations::add");
        self.lock().add_all(origin, vec![Pattern::new(pattern)]);
    }

    /// Return the state in which a call of an annotated function begins.
    pub(crate) fn began(&self) -> Began {
        let collected = self.lock();
        Began {
            is_open: collected.is_open,
            commits: collected.commits,
        }
    }

    /// Add the patterns of a call of an annotated function, whose body may have ended the
    /// transaction. If it has committed, the patterns are returned: the commit hasn't seen them, so
    /// the caller has to invalidate them. If it has rolled back, they are forgotten.
    pub(crate) fn add_since(
        &self,
        began: Began,
        origin: Origin,
        patterns: Vec<Pattern>,
    ) -> Option<Vec<Pattern>> {
        let mut collected = self.lock();
        let has_committed = collected.commits != began.commits;
        if collected.is_open || !(began.is_open || has_committed) {
            // After a commit the next transaction may be open, and the write may be of either.
            let of_both = has_committed.then(|| patterns.clone());
            collected.add_all(origin, patterns);
            return of_both;
        }
        has_committed.then_some(patterns)
    }

    /// Whether no pattern waits for the commit.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let invalidations = Cache::builder().build()?.invalidations();
    /// assert!(invalidations.is_empty());
    /// invalidations.add("posts:*");
    /// assert!(!invalidations.is_empty());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        let collected = self.lock();
        collected.patterns.is_empty() && collected.written.is_empty()
    }

    /// Whether the transaction is open: from the beginning, or a first pattern after its end, until
    /// [`commit`](Self::commit) or [`rollback`](Self::rollback).
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let invalidations = Cache::builder().build()?.invalidations();
    /// assert!(invalidations.is_open());
    /// invalidations.rollback();
    /// assert!(!invalidations.is_open());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn is_open(&self) -> bool {
        self.lock().is_open
    }

    /// Return the patterns that wait for the commit: each once, in the order in which they were
    /// added; then those of the keys that were written through.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let invalidations = Cache::builder().build()?.invalidations();
    /// invalidations.add("posts:*");
    /// assert_eq!(invalidations.patterns(), ["posts:*"]);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn patterns(&self) -> Vec<String> {
        let patterns = self.lock().all_patterns();
        let texts = patterns.iter();
        texts
            .map(|(_, pattern)| pattern.text().to_owned())
            .collect()
    }

    /// Return a point for [`rollback_to`](Self::rollback_to), as SQL's `SAVEPOINT` does.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let invalidations = Cache::builder().build()?.invalidations();
    /// invalidations.add("posts:1");
    /// let savepoint = invalidations.savepoint();
    /// invalidations.add("posts:2");
    /// invalidations.rollback_to(savepoint);
    /// assert_eq!(invalidations.patterns(), ["posts:1"]);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn savepoint(&self) -> Savepoint {
        self.lock().savepoint()
    }

    /// Remove the patterns that were added since the savepoint, and forget the later savepoints, as
    /// SQL's `ROLLBACK TO` does. The savepoint itself stays usable.
    ///
    /// A savepoint of another transaction, or one that was forgotten, removes nothing: an
    /// invalidation too many costs a miss, and one too few a stale value.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let invalidations = Cache::builder().build()?.invalidations();
    /// let outer = invalidations.savepoint();
    /// invalidations.add("posts:1");
    /// let inner = invalidations.savepoint();
    /// invalidations.rollback_to(outer);
    /// invalidations.add("posts:2");
    /// invalidations.rollback_to(inner); // SQL has forgotten it, too
    /// assert_eq!(invalidations.patterns(), ["posts:2"]);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn rollback_to(&self, savepoint: Savepoint) {
        let forgotten = self.lock().rollback_to(savepoint);
        drop(forgotten);
    }

    /// Invalidate the collected patterns, each once, then store the values that were written
    /// through, and return the number of removed entries. Call this after the database has
    /// committed; or, after [`mark_unknown`](Self::mark_unknown), when it isn't known whether it has.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("posts:1", 1), ("posts:2", 2)], 60).await?;
    /// let invalidations = cache.invalidations();
    /// invalidations.add("posts:*");
    /// assert_eq!(invalidations.commit().await?, 2);
    /// assert!(invalidations.is_empty());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`] or [`CacheError::Unavailable`] if Redis fails.
    /// The invalidation is queued and sent before this process serves another cached read, so the
    /// caller needn't repeat it. [`CacheError::Background`] if the cache's thread can't start:
    /// nothing was sent or queued.
    ///
    /// # Cancel safety
    ///
    /// The invalidation begins when this is called, and finishes without its caller.
    pub fn commit(&self) -> impl Future<Output = Result<u64, CacheError>> + Send + use<> {
        let Ended { patterns, fills } = self.lock().commit();
        let invalidated = self.shared.cache.invalidate_distinct(patterns);
        let commit = fill_after(&self.shared.cache, invalidated, fills);
        async move {
            match commit {
                Commit::Invalidation(invalidated) => invalidated.await,
                Commit::Both(underway) => underway?.await.unwrap_or_else(|panic| {
                    Err(CacheError::Background {
                        source: Arc::new(panic),
                    })
                }),
            }
        }
    }

    /// [`commit`](Self::commit) for blocking code.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set("posts:1", "old", 60)?;
    /// let invalidations = cache.invalidations();
    /// invalidations.add("posts:*");
    /// assert_eq!(invalidations.commit_blocking()?, 1);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`commit`](Self::commit).
    pub fn commit_blocking(&self) -> Result<u64, CacheError> {
        // Begun within `block_on`: on the cache's own thread, work that was begun before would wait
        // for the thread that waits for it.
        block_on(async { self.commit().await })
    }

    /// Forget the collected patterns.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let invalidations = Cache::builder().build()?.invalidations();
    /// invalidations.add("posts:*");
    /// invalidations.rollback();
    /// assert_eq!(invalidations.commit().await?, 0);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn rollback(&self) {
        let ended = self.lock().end();
        drop(ended);
    }

    /// Note that the outcome of the commit isn't known. Values that were written through are then
    /// not stored by [`commit`](Self::commit), since the database may not have them: their keys are
    /// invalidated.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Invalidations, write_through};
    /// #[write_through(key = "posts:<<id>>:title", tx = tx)]
    /// async fn rename(tx: &Invalidations, id: u32, title: &str) -> String {
    ///     title.to_owned() // UPDATE posts ..
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let tx = cache.invalidations();
    /// cache.scope(rename(&tx, 1, "new")).await;
    /// // COMMIT, whose connection breaks
    /// tx.mark_unknown();
    /// tx.commit().await?;
    /// assert!(!cache.exists("posts:1:title").await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn mark_unknown(&self) {
        let mut collected = self.lock();
        let fills = collected.written.iter_mut();
        let fills: Vec<_> = fills.filter_map(|written| written.fill.take()).collect();
        drop(collected);
        // Foreign code may run: a value is dropped.
        drop(fills);
    }

    /// Add a key that a call of an annotated function has written through, whose body may have ended
    /// the transaction. Returns the fill to be carried out now if the transaction has committed; the
    /// key to invalidate now if the fill may be of either of two transactions.
    pub(crate) fn add_written(
        &self,
        began: Began,
        origin: Origin,
        key: &Arc<str>,
        fill: Option<Box<dyn PendingFill>>,
    ) -> Added {
        let mut collected = self.lock();
        let has_committed = collected.commits != began.commits;
        let written = |fill| WrittenKey {
            origin,
            key: Arc::clone(key),
            fill,
        };
        if collected.is_open || !(began.is_open || has_committed) {
            if has_committed {
                // After a commit the next transaction may be open, and the write may be of either.
                collected.add_written(written(None));
                return Added::Unclear(fill);
            }
            collected.add_written(written(fill));
            return Added::Waits;
        }
        drop(collected);
        match has_committed {
            true => Added::Committed(fill),
            false => {
                drop(fill);
                Added::RolledBack
            }
        }
    }

    /// Take the value over that an earlier call of this transaction wrote to the key. The key is
    /// then invalidated by the commit, unless a later call fills it.
    pub(crate) fn take_written(&self, key: &str) -> Option<Box<dyn PendingFill>> {
        let mut collected = self.lock();
        let mut written = collected.written.iter_mut().rev();
        written.find(|written| *written.key == *key)?.fill.take()
    }

    fn lock(&self) -> MutexGuard<'_, Collected> {
        let collected = self.shared.collected.lock();
        collected.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work of a commit, which has begun.
enum Commit<I> {
    Invalidation(I),
    /// The fills follow the invalidation. An error if the cache's thread can't start.
    Both(Result<JoinHandle<Result<u64, CacheError>>, CacheError>),
}

/// Carry out fills after the invalidation: in memory now, on Redis without the caller. If they can't
/// be, dropping them gives their leases back.
fn fill_after<I>(cache: &Cache, invalidated: I, fills: Vec<Box<dyn PendingFill>>) -> Commit<I>
where
    I: Future<Output = Result<u64, CacheError>> + Send + 'static,
{
    if fills.is_empty() {
        return Commit::Invalidation(invalidated);
    }
    if cache.inner().store.memory().is_some() {
        for fill in fills {
            let filling = fill.fill();
            debug_assert!(filling.is_none(), "only Redis is waited for");
        }
        return Commit::Invalidation(invalidated);
    }
    Commit::Both(runtime::spawn_telling(async move {
        let invalidated = invalidated.await;
        for fill in fills {
            if let Some(filling) = fill.fill() {
                filling.await;
            }
        }
        invalidated
    }))
}

impl Collected {
    fn new() -> Self {
        Self {
            is_open: true,
            commits: 0,
            patterns: Vec::new(),
            known: HashSet::new(),
            written: Vec::new(),
            savepoints: Vec::new(),
        }
    }

    fn add_written(&mut self, written: WrittenKey) {
        self.is_open = true;
        self.written.push(written);
    }

    fn place(&self) -> Place {
        (self.patterns.len(), self.written.len())
    }

    /// Return the patterns, and those of the written keys that none of them equals.
    fn all_patterns(&self) -> Vec<(Origin, Pattern)> {
        let mut all = self.patterns.clone();
        for written in &self.written {
            let pattern = written.pattern();
            if all.iter().all(|(_, known)| known.text() != pattern.text()) {
                all.push((written.origin, pattern));
            }
        }
        all
    }

    fn add_all(&mut self, origin: Origin, patterns: Vec<Pattern>) {
        self.is_open |= !patterns.is_empty();
        for pattern in patterns {
            self.add(origin, pattern);
        }
    }

    fn add(&mut self, origin: Origin, pattern: Pattern) {
        if self.contains(pattern.text()) {
            return;
        }
        self.patterns.push((origin, pattern));
        match self.patterns.len() {
            ..=FEW => {}
            len if len == FEW + 1 => self.learn_from(0),
            len => self.learn_from(len - 1),
        }
    }

    fn contains(&self, text: &str) -> bool {
        if self.patterns.len() > FEW {
            return self.known.contains(text);
        }
        let mut patterns = self.patterns.iter();
        patterns.any(|(_, pattern)| pattern.text() == text)
    }

    fn learn_from(&mut self, place: usize) {
        let new = self.patterns[place..].iter();
        self.known
            .extend(new.map(|(_, pattern)| pattern.text().into()));
    }

    fn savepoint(&mut self) -> Savepoint {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let here = self.place();
        // With nothing in between, the last savepoint is the same point.
        if let Some((last, _)) = self.savepoints.last().filter(|(_, at)| *at == here) {
            return *last;
        }
        let savepoint = Savepoint(NEXT.fetch_add(1, Ordering::Relaxed));
        self.savepoints.push((savepoint, here));
        savepoint
    }

    /// Return the keys that were written since, for the caller to drop outside the lock.
    fn rollback_to(&mut self, savepoint: Savepoint) -> Vec<WrittenKey> {
        let mut savepoints = self.savepoints.iter();
        let Some(place) = savepoints.rposition(|(known, _)| *known == savepoint) else {
            return Vec::new();
        };
        let (len, written) = self.savepoints[place].1;
        self.savepoints.truncate(place + 1);
        self.patterns.truncate(len);
        self.known.clear();
        if len > FEW {
            self.learn_from(0);
        }
        // A lease that one of them took over from an earlier write goes too, and the earlier key
        // is invalidated at the commit.
        self.written.split_off(written)
    }

    /// Count a commit, and return the work after it. A key that was written through is filled by
    /// the last call that wrote it; otherwise it is invalidated.
    fn commit(&mut self) -> Ended {
        self.commits += 1;
        let Self {
            mut patterns,
            mut written,
            ..
        } = self.end();
        let mut fills = Vec::new();
        let mut last = HashSet::new();
        for mut one in mem::take(&mut written).into_iter().rev() {
            if !last.insert(Arc::clone(&one.key)) {
                continue;
            }
            match one.fill.take() {
                Some(fill) => fills.push(fill),
                None => {
                    let pattern = one.pattern();
                    if patterns
                        .iter()
                        .all(|(_, known)| known.text() != pattern.text())
                    {
                        patterns.push((one.origin, pattern));
                    }
                }
            }
        }
        Ended { patterns, fills }
    }

    /// End the transaction, and return what it has collected.
    fn end(&mut self) -> Self {
        let ended = Self {
            is_open: false,
            commits: self.commits,
            ..Self::new()
        };
        mem::replace(self, ended)
    }
}

impl fmt::Debug for Invalidations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collected = self.lock();
        f.debug_struct("Invalidations")
            .field("cache", &self.shared.cache.prefix())
            .field("is_open", &collected.is_open)
            .field("patterns", &collected.patterns.len())
            .field("written", &collected.written.len())
            .finish()
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn collector() -> Invalidations {
        Cache::builder()
            .build()
            .expect("a memory cache")
            .invalidations()
    }

    fn number(n: usize) -> String {
        format!("posts:{n}")
    }

    #[test]
    fn a_pattern_is_kept_once_however_many_there_are() {
        let collector = collector();
        for n in (0..3 * FEW).chain(0..3 * FEW) {
            collector.add(&number(n));
        }
        let all: Vec<_> = (0..3 * FEW).map(number).collect();
        assert_eq!(collector.patterns(), all);
    }

    #[test]
    fn a_pattern_that_was_rolled_back_can_be_added_again() {
        for before in [1, FEW - 1, FEW, FEW + 1, 2 * FEW] {
            let collector = collector();
            (0..before).for_each(|n| collector.add(&number(n)));
            let savepoint = collector.savepoint();
            (0..2 * before).for_each(|n| collector.add(&number(n)));
            collector.rollback_to(savepoint);
            assert_eq!(collector.patterns().len(), before);
            (0..2 * before).for_each(|n| collector.add(&number(n)));
            let all: Vec<_> = (0..2 * before).map(number).collect();
            assert_eq!(collector.patterns(), all);
        }
    }

    #[test]
    fn savepoints_nest_and_keep_what_came_before() {
        let collector = collector();
        let first = collector.savepoint();
        collector.add("a");
        let second = collector.savepoint();
        collector.add("b");
        let third = collector.savepoint();
        collector.add("a");
        collector.add("c");
        collector.rollback_to(third);
        assert_eq!(collector.patterns(), ["a", "b"]);
        collector.rollback_to(second);
        assert_eq!(collector.patterns(), ["a"]);
        collector.add("d");
        collector.rollback_to(third);
        assert_eq!(collector.patterns(), ["a", "d"], "the third is forgotten");
        collector.rollback_to(first);
        assert!(collector.is_empty());
    }

    #[test]
    fn a_savepoint_of_an_ended_or_other_transaction_removes_nothing() {
        let (ended, other) = (collector(), collector().savepoint());
        ended.add("a");
        let savepoint = ended.savepoint();
        ended.rollback();
        assert!(!ended.is_open());
        ended.add("b");
        assert!(ended.is_open());
        ended.rollback_to(savepoint);
        ended.rollback_to(other);
        assert_eq!(ended.patterns(), ["b"]);
    }

    #[test]
    fn a_call_that_ends_its_transaction_adds_nothing_to_the_next_one() {
        let patterns = || vec![Pattern::new("a")];
        let origin = Origin::explicit("a test");
        let add = |collector: &Invalidations, began| {
            let now = collector.add_since(began, origin, patterns());
            (now.is_some(), collector.patterns().len())
        };
        let open = collector();
        assert_eq!(add(&open, open.began()), (false, 1));
        let committed = collector();
        let began = committed.began();
        drop(committed.commit());
        assert_eq!(add(&committed, began), (true, 0));
        assert_eq!(
            add(&committed, committed.began()),
            (false, 1),
            "the next one"
        );
        let rolled_back = collector();
        let began = rolled_back.began();
        rolled_back.rollback();
        assert_eq!(add(&rolled_back, began), (false, 0));
        let between = collector();
        let began = between.began();
        drop(between.commit());
        between.add("b");
        assert_eq!(add(&between, began), (true, 2), "either of the two");
        let within = collector();
        within.rollback();
        let began = within.began();
        within.add("b");
        drop(within.commit());
        assert_eq!(
            add(&within, began),
            (true, 0),
            "begun and ended within the call"
        );
    }

    #[test]
    fn a_clone_is_the_same_collector_and_dropping_it_invalidates_nothing() {
        let cache = Cache::builder().build().expect("a memory cache");
        cache.blocking().set("a", &1, 60).expect("stored");
        let collector = cache.invalidations();
        collector.clone().add("a");
        assert_eq!(collector.patterns(), ["a"]);
        drop(collector);
        assert_eq!(cache.stats().entries, 1);
    }
}
