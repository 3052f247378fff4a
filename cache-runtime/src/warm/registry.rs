//! The warmers of a cache.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::report::{WarmReport, WarmerInfo};
use super::run::{Occasion, run};
use super::schedule;
use super::state::RunState;
use super::users::{UserWarming, Users};
use super::warmer::Warmer;
use crate::core::Cache;
use crate::error::CacheError;

/// The warmers of one cache, and its warming on login.
#[derive(Default)]
pub(super) struct Registry {
    entries: Mutex<Vec<Arc<Entry>>>,
    pub(super) users: Users,
}

/// A warmer of a cache.
pub(super) struct Entry {
    pub(super) warmer: Warmer,
    local: Mutex<Local>,
}

/// The runs of a warmer in this process.
#[derive(Default)]
pub(super) struct Local {
    pub(super) running: Option<Arc<RunState>>,
    /// When the interval after the last complete run is over.
    pub(super) due: Option<Instant>,
    pub(super) last: Option<WarmReport>,
}

impl Registry {
    pub(super) fn of(cache: &Cache) -> &Self {
        cache.inner().above.get()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub(super) fn local(&self) -> MutexGuard<'_, Local> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn info(&self) -> WarmerInfo {
        let (warmer, local) = (&self.warmer, self.local());
        WarmerInfo {
            name: warmer.name.to_string(),
            description: warmer.description.to_owned(),
            every: warmer.every,
            at_start: warmer.at_start,
            concurrency: warmer.concurrency,
            rate: warmer.rate,
            running: local.running.as_ref().map(|state| state.counts()),
            last: local.last.clone(),
        }
    }
}

impl Cache {
    /// Give the cache a warmer, which can then be run by its name.
    ///
    /// One with [`at_start`](Warmer::at_start) begins to run in the background, and one with
    /// [`every`](Warmer::every) runs on its interval, until the cache is dropped. They run on the
    /// tokio runtime that this is called on, and end with it; without a runtime, on a thread beside
    /// the cache's own. So call it where the cache is built, or after `install`, once.
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheError, Warm, cacheable, warmer};
    ///
    /// #[cacheable(key = "topics:<<id>>")]
    /// async fn topic(id: u32) -> String {
    ///     format!("topic {id}")
    /// }
    ///
    /// #[warmer("topics", at_start, every = "10m")]
    /// async fn topics(warm: Warm) {
    ///     warm.each(1..=20, topic).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.add_warmer(topics_warmer())?;
    /// # while cache.stats().fills < 20 { tokio::task::yield_now().await; }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::InvalidOption`] if the cache has a warmer of this name, or an option is invalid:
    /// the text names the fix. [`CacheError::Background`] if the cache's thread can't start.
    pub fn add_warmer(&self, warmer: Warmer) -> Result<(), CacheError> {
        let invalid = |reason| CacheError::InvalidOption {
            option: "add_warmer",
            reason,
        };
        if let Some(mistake) = warmer.mistake() {
            return Err(invalid(mistake));
        }
        let mut entries = Registry::of(self).entries();
        if entries.iter().any(|entry| entry.warmer.name == warmer.name) {
            return Err(invalid(format!(
                "the cache has a warmer {:?} already; give this one another name",
                warmer.name
            )));
        }
        let entry = Arc::new(Entry {
            warmer,
            local: Mutex::default(),
        });
        schedule::start(self, &entry)?;
        entries.push(entry);
        Ok(())
    }

    /// Return the warmers of this cache, in the order in which they were given to it.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warmer};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.add_warmer(Warmer::new("popular", |_| async {}))?;
    /// cache.warm("popular", vec![]).await?;
    /// let warmers = cache.warmers();
    /// assert_eq!(warmers[0].name, "popular");
    /// assert!(warmers[0].last.is_some() && warmers[0].running.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn warmers(&self) -> Vec<WarmerInfo> {
        let entries = Registry::of(self).entries();
        entries.iter().map(|entry| entry.info()).collect()
    }

    /// Run a warmer now, and return its report. The function gets the arguments by
    /// [`Warm::args`](crate::Warm::args).
    ///
    /// One process of the prefix runs a warmer at a time. A run without arguments counts as the one
    /// of its interval.
    ///
    /// The function runs on the task of the caller, with this cache as the current one and an empty
    /// [context](crate::context). If it returns an error or panics, the report says so.
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheError, Warm, WarmOutcome, cacheable, warmer};
    ///
    /// #[cacheable(key = "posts:<<slug>>")]
    /// async fn post(slug: String) -> String {
    ///     format!("the post {slug}")
    /// }
    ///
    /// #[warmer("posts")]
    /// async fn posts(warm: Warm) {
    ///     warm.each(warm.args().to_vec(), post).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.add_warmer(posts_warmer())?;
    /// let report = cache.warm("posts", vec!["hello".to_owned()]).await?;
    /// assert_eq!((report.outcome, report.counts.computed), (WarmOutcome::Complete, 1));
    /// let unknown = cache.warm("post", vec![]).await.unwrap_err();
    /// assert!(matches!(unknown, CacheError::UnknownWarmer { .. }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::UnknownWarmer`], with the names that are known. [`CacheError::WarmerBusy`] if it
    /// is running, here or in another process: wait. [`CacheError::Store`],
    /// [`CacheError::Timeout`], [`CacheError::Unavailable`] or [`CacheError::Background`] if Redis
    /// fails before the run: nothing was run.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the run. What is stored by then stays, and the lease is given back.
    pub async fn warm(&self, name: &str, args: Vec<String>) -> Result<WarmReport, CacheError> {
        let entry = {
            let entries = Registry::of(self).entries();
            let found = entries.iter().find(|entry| entry.warmer.name == name);
            found.map(Arc::clone).ok_or_else(|| {
                let names = entries.iter().map(|entry| entry.warmer.name.to_string());
                CacheError::UnknownWarmer {
                    name: name.to_owned(),
                    known: names.collect(),
                }
            })?
        };
        run(self, &entry, args, Occasion::Asked).await
    }

    /// Return the counts of [`Warm::for_user`](crate::Warm::for_user) on this cache, in this
    /// process.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warm};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// assert!(Warm::of(&cache).for_user(42, (1..=3).map(std::future::ready)));
    /// while cache.user_warming().runs < 1 {
    ///     tokio::task::yield_now().await;
    /// }
    /// assert_eq!(cache.user_warming().counts.items, 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn user_warming(&self) -> UserWarming {
        Registry::of(self).users.counts()
    }
}
