//! A warmer: a function with its arguments and its options.

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::report::WarmCounts;
use super::{DEFAULT_CONCURRENCY, Warm};

/// The output of a warmer's function.
#[diagnostic::on_unimplemented(
    message = "a warmer returns nothing or a `Result` whose error is `Debug`, and `{Self}` is neither",
    label = "not `()` and not a `Result` with an error that is `Debug`"
)]
pub trait WarmerOutput {
    /// Return the error, if it is one.
    fn error(&self) -> Option<String>;
}

impl WarmerOutput for () {
    fn error(&self) -> Option<String> {
        None
    }
}

/// A warmer may end with `warm.each(..).await`.
impl WarmerOutput for WarmCounts {
    fn error(&self) -> Option<String> {
        None
    }
}

impl<T, E: Debug> WarmerOutput for Result<T, E> {
    fn error(&self) -> Option<String> {
        error(self)
    }
}

/// Return the error of a result, as its `Debug` shows it.
pub(super) fn error<T, E: Debug>(result: &Result<T, E>) -> Option<String> {
    result.as_ref().err().map(|error| format!("{error:?}"))
}

/// An argument that a warmer keeps for its runs.
#[diagnostic::on_unimplemented(
    message = "a warmer needs arguments that are `Clone + Send + 'static`, since it keeps them for its runs, and `{Self}` isn't",
    label = "the type of this argument isn't `Clone + Send + 'static`",
    note = "take a handle that is cheap to clone, such as a pool or an `Arc`"
)]
pub trait WarmerArgument: Sized {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + 'static> WarmerArgument for T {}

/// Require of an argument that a warmer can keep it.
pub fn argument<T: WarmerArgument>(argument: T) -> T {
    argument
}

type Run = dyn Fn(Warm) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> + Send + Sync;

/// A function that fills a cache before it is read, with its options.
///
/// [`#[warmer]`](macro@crate::warmer) makes one of an async function: of `popular`, the function
/// `popular_warmer`. Give it to a cache with [`Cache::add_warmer`](crate::Cache::add_warmer).
///
/// ```
/// use cache_runtime::{Cache, Warm, Warmer, cacheable};
///
/// #[cacheable(key = "topics:<<id>>")]
/// async fn topic(id: u32) -> String {
///     format!("topic {id}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cache_runtime::CacheError> {
/// let topics = Warmer::new("topics", |warm: Warm| async move {
///     warm.each(1..=20, topic).await;
/// });
/// let cache = Cache::builder().build()?;
/// cache.add_warmer(topics.concurrency(2))?;
/// assert_eq!(cache.warm("topics", vec![]).await?.counts.computed, 20);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a warmer does nothing until it is given to `Cache::add_warmer`"]
pub struct Warmer {
    pub(super) name: Cow<'static, str>,
    pub(super) description: &'static str,
    pub(super) every: Option<Duration>,
    pub(super) at_start: bool,
    pub(super) concurrency: usize,
    pub(super) rate: Option<u32>,
    pub(super) run: Arc<Run>,
}

impl Warmer {
    /// Create a warmer by hand. The name is what [`Cache::warm`](crate::Cache::warm) takes:
    /// `[A-Za-z0-9_.-]+`.
    ///
    /// The function returns nothing or a `Result`. Each run calls it once.
    pub fn new<F, Fut>(name: impl Into<Cow<'static, str>>, run: F) -> Self
    where
        F: Fn(Warm) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: WarmerOutput> + Send + 'static,
    {
        let run = move |warm: Warm| {
            let ended = run(warm);
            let ended = async move { ended.await.error() };
            Box::pin(ended) as Pin<Box<dyn Future<Output = Option<String>> + Send>>
        };
        Self {
            name: name.into(),
            description: "",
            every: None,
            at_start: false,
            concurrency: DEFAULT_CONCURRENCY,
            rate: None,
            run: Arc::new(run),
        }
    }

    /// Return the name.
    ///
    /// ```
    /// # use cache_runtime::Warmer;
    /// assert_eq!(Warmer::new("popular", |_| async {}).name(), "popular");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Run it on an interval, from the begin of one run to the begin of the next. All processes
    /// together run it once per interval. The first run comes an interval after
    /// [`Cache::add_warmer`](crate::Cache::add_warmer), unless [`at_start`](Self::at_start) is set.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Warmer};
    /// let cache = Cache::builder().build()?;
    /// let popular = Warmer::new("popular", |_| async {});
    /// cache.add_warmer(popular.every(Duration::from_secs(600)))?;
    /// assert_eq!(cache.warmers()[0].every, Some(Duration::from_secs(600)));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = Some(interval);
        self
    }

    /// Set whether it runs, in the background, when it is given to the cache; default false.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warmer};
    /// let cache = Cache::builder().build()?;
    /// cache.add_warmer(Warmer::new("popular", |_| async {}).at_start(true))?;
    /// assert!(cache.warmers()[0].at_start);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn at_start(mut self, at_start: bool) -> Self {
        self.at_start = at_start;
        self
    }

    /// Run it by its name only: not at start, and not on an interval. For a process that doesn't
    /// serve, such as one that runs a command.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warmer};
    /// let cache = Cache::builder().build()?;
    /// let popular = Warmer::new("popular", |_| async {}).at_start(true);
    /// cache.add_warmer(popular.on_demand())?;
    /// assert!(!cache.warmers()[0].at_start);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn on_demand(mut self) -> Self {
        (self.every, self.at_start) = (None, false);
        self
    }

    /// Set the number of items that [`Warm::each`] computes at a time; default 4.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warmer};
    /// let cache = Cache::builder().build()?;
    /// cache.add_warmer(Warmer::new("popular", |_| async {}).concurrency(16))?;
    /// assert_eq!(cache.warmers()[0].concurrency, 16);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn concurrency(mut self, items: usize) -> Self {
        self.concurrency = items;
        self
    }

    /// Limit the number of items a second that [`Warm::each`] begins; unlimited by default. Fresh
    /// items don't count.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Warmer};
    /// let cache = Cache::builder().build()?;
    /// cache.add_warmer(Warmer::new("popular", |_| async {}).rate(50))?;
    /// assert_eq!(cache.warmers()[0].rate, Some(50));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn rate(mut self, items_a_second: u32) -> Self {
        self.rate = Some(items_a_second);
        self
    }

    /// Return what is wrong with its options.
    pub(super) fn mistake(&self) -> Option<String> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let name = &*self.name;
        if name.is_empty() || !name.chars().all(is_name) {
            return Some(format!(
                "the name {name:?} is invalid; use one or more of the characters A-Z, a-z, 0-9, `_`, `.` and `-`"
            ));
        }
        let zero = match () {
            () if self.every.is_some_and(|every| every.is_zero()) => "every",
            () if self.concurrency == 0 => "concurrency",
            () if self.rate == Some(0) => "rate",
            () => return None,
        };
        Some(format!(
            "`{zero}` of the warmer {name:?} is zero; give a positive one"
        ))
    }
}

impl Debug for Warmer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warmer")
            .field("name", &self.name)
            .field("every", &self.every)
            .field("at_start", &self.at_start)
            .field("concurrency", &self.concurrency)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

/// Create the warmer of an annotated function, which gets a clone of the arguments at each run.
pub fn warmer<A, F, Fut>(
    name: &'static str,
    description: &'static str,
    arguments: A,
    run: F,
) -> Warmer
where
    A: Clone + Send + 'static,
    F: Fn(Warm, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: WarmerOutput> + Send + 'static,
{
    // A mutex, so that the arguments needn't be `Sync`.
    let arguments = Mutex::new(arguments);
    let clone = move || {
        let arguments = arguments.lock().unwrap_or_else(PoisonError::into_inner);
        arguments.clone()
    };
    Warmer {
        description,
        ..Warmer::new(name, move |warm| run(warm, clone()))
    }
}
