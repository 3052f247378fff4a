//! Reports of the calls of a future or closure.

use std::future::Future;

use crate::core::Cache;
use crate::report::{self, CallReport, Record};
use crate::runtime::block_on;

impl Cache {
    /// Run the future with this cache as the current one, as [`scope`](Cache::scope) does, and
    /// report what its first cached call did: for an `X-Cache` header, or in a test.
    ///
    /// The future may make any number of cached calls: the first is the report, and the others are
    /// in [`CallReport::others`]. Calls of tasks that it spawns are not recorded. After the future
    /// has completed, the store is asked for the first key's TTL, and the output is held meanwhile:
    /// the returned future is `Send` only if the output is.
    ///
    /// ```
    /// use cache_runtime::{Cache, CallOutcome, cacheable};
    ///
    /// #[cacheable(key = "posts:<<slug>>", ttl = 600)]
    /// async fn post(slug: &str) -> String {
    ///     format!("the post {slug}")
    /// }
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().prefix("blog").build()?;
    /// let (_, report) = cache.traced(post("hello")).await;
    /// assert_eq!(report.outcome, CallOutcome::Miss);
    /// let (post, report) = cache.traced(post("hello")).await;
    /// assert_eq!(post, "the post hello");
    /// assert_eq!((report.to_string(), &*report.key), ("HIT".to_owned(), "blog:posts:hello"));
    /// assert!(report.ttl_left.is_some_and(|left| left.as_secs() >= 590));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops `future`, or its output.
    pub async fn traced<F: Future>(&self, future: F) -> (F::Output, CallReport) {
        let (output, calls) = report::record(self.scope(future)).await;
        (output, self.report(calls).await)
    }

    /// Like [`traced`](Cache::traced), for blocking code. The report is also the thread's
    /// [`CallReport::last`].
    ///
    /// ```
    /// use cache_runtime::{Cache, CallOutcome, cacheable};
    ///
    /// #[cacheable(key = "answer")]
    /// fn answer() -> u32 {
    ///     42
    /// }
    ///
    /// let cache = Cache::builder().build()?;
    /// let (value, report) = cache.traced_sync(answer);
    /// assert_eq!((value, report.outcome), (42, CallOutcome::Miss));
    /// assert!(cache.traced_sync(answer).1.outcome.is_hit());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn traced_sync<T>(&self, run: impl FnOnce() -> T) -> (T, CallReport) {
        let (output, calls) = report::record_sync(|| self.scope_sync(run));
        let report = block_on(self.report(calls));
        report.remember();
        (output, report)
    }

    async fn report(&self, calls: Vec<Record>) -> CallReport {
        let mut calls = calls.into_iter();
        let Some(first) = calls.next() else {
            return report::none();
        };
        // The key of another cache, by `cache = expr`, isn't cached here.
        let ttl_left = self.ttl(first.key()).await.ok().flatten();
        let mut report = first.into_report(ttl_left);
        report.others = calls.map(|call| call.into_report(None)).collect();
        report
    }
}
