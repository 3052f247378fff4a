//! Warming: filling entries before they are read. `#[warmer]` makes a [`Warmer`] of a function;
//! [`Cache::add_warmer`] gives it to a cache; [`run`] runs it, under a lease in Redis, when
//! [`schedule`] says so or [`Cache::warm`] is called. Its function goes through items by
//! [`Warm::each`], which is in [`each`]. Warming for a user who logs in is in [`users`].

mod each;
mod events;
mod panic;
mod rate;
mod registry;
mod report;
mod run;
mod schedule;
mod state;
mod users;
pub(crate) mod warmer;

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::sync::Arc;

use crate::core::Cache;
pub use report::{WarmCounts, WarmOutcome, WarmReport, WarmerInfo};
use state::RunState;
pub use users::UserWarming;
pub use warmer::Warmer;
use warmer::WarmerOutput;

/// Number of items that are computed at a time, unless the warmer says otherwise.
const DEFAULT_CONCURRENCY: usize = 4;

/// One run of a warmer: the first argument of a function with
/// [`#[warmer]`](macro@crate::warmer). Clones are the same run.
///
/// [`Warm::of`] makes one for a function that is called by hand, and for
/// [`for_user`](Self::for_user).
#[derive(Clone)]
pub struct Warm {
    state: Arc<RunState>,
    concurrency: usize,
    rate: Option<u32>,
}

impl Warm {
    /// Create a run by hand. It takes no lease, and has no arguments.
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheError, Warm, cacheable, warmer};
    ///
    /// #[cacheable(key = "topics:<<id>>")]
    /// async fn topic(id: u32) -> String {
    ///     format!("topic {id}")
    /// }
    ///
    /// #[warmer("topics")]
    /// async fn topics(warm: Warm) {
    ///     warm.each(1..=20, topic).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), CacheError> {
    /// let cache = Cache::builder().build()?;
    /// topics(Warm::of(&cache)).await;
    /// assert_eq!(cache.stats().fills, 20);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of(cache: &Cache) -> Self {
        Self::begin(cache, "by hand", Vec::new())
    }

    /// Create a run by hand on [`Cache::current`].
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warm};
    /// let cache = Cache::builder().build()?;
    /// assert!(cache.scope_sync(Warm::current).args().is_empty());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    #[track_caller]
    pub fn current() -> Self {
        Self::of(&Cache::current())
    }

    fn begin(cache: &Cache, name: &str, args: Vec<String>) -> Self {
        Self {
            state: Arc::new(RunState::new(cache, name, args)),
            concurrency: DEFAULT_CONCURRENCY,
            rate: None,
        }
    }

    /// Set the number of items that are computed at a time, at least 1; otherwise the warmer's, or
    /// 4.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warm};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let slowly = Warm::of(&cache).with_concurrency(1);
    /// slowly.each(1..=3, |id| async move { id }).await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_concurrency(mut self, items: usize) -> Self {
        self.concurrency = items.max(1);
        self
    }

    /// Limit the number of items a second that are begun, at least 1; otherwise the warmer's, if
    /// any. Fresh items don't count.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warm};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let gently = Warm::of(&cache).with_rate(1_000);
    /// gently.each(1..=3, |id| async move { id }).await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_rate(mut self, items_a_second: u32) -> Self {
        self.rate = Some(items_a_second.max(1));
        self
    }

    /// Return the arguments that [`Cache::warm`](crate::Cache::warm) was given: by the program,
    /// `cachectl warm NAME ARGS`, or the admin API. Empty in a run at start or on an interval, which
    /// warms everything.
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheError, Warm, cacheable, warmer};
    ///
    /// #[cacheable(key = "posts:<<slug>>")]
    /// async fn post(slug: String) -> String {
    ///     format!("the post {slug}")
    /// }
    ///
    /// #[warmer("posts")]
    /// async fn posts(warm: Warm) {
    ///     let slugs = match warm.args() {
    ///         [] => vec!["hello".to_owned(), "world".to_owned()], // a query for popular ones
    ///         given => given.to_vec(),
    ///     };
    ///     warm.each(slugs, post).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.add_warmer(posts_warmer())?;
    /// cache.warm("posts", vec!["hello".to_owned()]).await?;
    /// assert!(cache.exists("posts:hello").await? && !cache.exists("posts:world").await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn args(&self) -> &[String] {
        &self.state.args
    }

    /// Return the counts of the run so far, over all calls of [`each`](Self::each).
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warm};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let warm = Warm::of(&cache);
    /// warm.each(1..=3, |id| async move { id }).await;
    /// warm.each(1..=4, |id| async move { id }).await;
    /// assert_eq!(warm.counts().items, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn counts(&self) -> WarmCounts {
        self.state.counts()
    }

    /// Return whether the run was stopped, so that [`each`](Self::each) begins no further items: the
    /// breaker has opened, or the lease is lost. A warmer that does long work of its own can ask.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warm};
    /// let cache = Cache::builder().build()?;
    /// assert!(!Warm::of(&cache).is_stopped());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn is_stopped(&self) -> bool {
        self.state.stopped().is_some()
    }

    /// Call a cached function for each of the items, a few at a time, and return the counts.
    ///
    /// An entry that is fresh costs what a hit costs, and its body doesn't run. The number of items
    /// at a time and the rate are those of the warmer, or of
    /// [`with_concurrency`](Self::with_concurrency) and [`with_rate`](Self::with_rate). Items are
    /// taken from the iterator as they are needed. Calls are made with the run's cache as the
    /// current one, on the task of the caller: blocking work in them delays the others.
    ///
    /// A call that panics is counted as failed and logged, and the others go on. So is one in which
    /// a cached function has returned an error; another error in the output isn't noticed, see
    /// [`try_each`](Self::try_each).
    ///
    /// When the breaker opens, since Redis is out of reach, no further items are begun.
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheError, Warm, cacheable};
    ///
    /// #[cacheable(key = "posts:<<id>>")]
    /// async fn post(id: u32) -> Result<String, String> {
    ///     if id == 13 { Err("the database refuses".to_owned()) } else { Ok(format!("post {id}")) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let counts = Warm::of(&cache).each(1..=20, |id| post(id)).await;
    /// assert_eq!((counts.computed, counts.failed), (19, 1));
    /// let counts = Warm::of(&cache).each(1..=20, |id| post(id)).await;
    /// assert_eq!((counts.fresh, counts.failed), (19, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the calls that are under way, and begins no others. What is stored
    /// by then stays.
    pub async fn each<I, F, Fut>(&self, items: I, call: F) -> WarmCounts
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future,
    {
        each::each(self, items, call, |_| None).await
    }

    /// [`each`](Self::each) for calls that return a `Result`: each error is counted as failed, and
    /// the first ten of a run are logged as their `Debug` shows them.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warm};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let parse = |text: &'static str| async move { text.parse::<u32>() };
    /// let counts = Warm::of(&cache).try_each(["1", "one"], parse).await;
    /// assert_eq!((counts.items, counts.failed), (2, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As for `each`.
    pub async fn try_each<I, F, Fut, T, E>(&self, items: I, call: F) -> WarmCounts
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Debug,
    {
        each::each(self, items, call, warmer::error).await
    }

    /// Warm the entries of a user in the background, when the user logs in. Never delays the caller,
    /// and never fails: it returns whether the calls will be made.
    ///
    /// `items` are calls: futures that run nothing until they are awaited, as those of async
    /// functions are. See [`for_user_with`](Self::for_user_with) if they have to be queried first,
    /// and for the limits.
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheError, Warm, cacheable};
    ///
    /// #[cacheable(key = "feeds:<<user>>:<<page>>")]
    /// async fn feed(user: u64, page: u32) -> Vec<String> {
    ///     vec![format!("post {page} for {user}")]
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let user = 42;
    /// // In the handler of the login:
    /// Warm::of(&cache).for_user(user, (1..=3).map(move |page| feed(user, page)));
    /// # while cache.stats().fills < 3 { tokio::task::yield_now().await; }
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_user<I>(&self, id: impl Display, items: I) -> bool
    where
        I: IntoIterator<Item: Future + Send + 'static>,
        I::IntoIter: Send + 'static,
    {
        let items = items.into_iter();
        self.for_user_with(id, move |warm| async move {
            warm.each(items, |call| call).await
        })
    }

    /// Warm the entries of a user in the background, by a function like a warmer's.
    ///
    /// The function runs on the caller's runtime, with the values of the caller's
    /// [context](crate::context) and `user_id` set to the id. The run has the concurrency and rate
    /// of this one. Its counts are in [`Cache::user_warming`](crate::Cache::user_warming), and not
    /// in this run's.
    ///
    /// Nothing is run, and `false` is returned,
    /// * if a run for this user is waiting or under way,
    /// * if 256 users are waiting already (4 at a time have their turn),
    /// * while Redis is out of reach, or if the cache is disabled.
    ///
    /// A run that takes longer than a minute is dropped. Errors and panics are counted and logged.
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheError, Warm, cacheable};
    ///
    /// #[cacheable(key = "posts:<<slug>>")]
    /// async fn post(slug: String) -> Result<String, std::io::Error> {
    ///     Ok(format!("the post {slug}"))
    /// }
    ///
    /// async fn latest_of(user: u64) -> Result<Vec<String>, std::io::Error> {
    ///     Ok(vec![format!("post-of-{user}")]) // a query
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let user = 42;
    /// Warm::of(&cache).for_user_with(user, move |warm| async move {
    ///     warm.each(latest_of(user).await?, post).await;
    ///     Ok::<(), std::io::Error>(())
    /// });
    /// # while cache.stats().fills < 1 { tokio::task::yield_now().await; }
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_user_with<F, Fut>(&self, id: impl Display, work: F) -> bool
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output: WarmerOutput> + Send + 'static,
    {
        users::begin(self, &id.to_string(), work)
    }
}

impl Debug for Warm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warm")
            .field("name", &self.state.name)
            .field("args", &self.state.args)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
