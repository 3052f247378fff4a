//! The counters of a cache for a metrics system: one walk over them, and the forms that are made of
//! it.
//!
//! [`Cache::observe`] shows each sample of each metric. [`Cache::prometheus_text`] and the adapters
//! for metrics libraries (features `prometheus-client`, `metrics` and `opentelemetry-0_33`) are made
//! of it. [`Cache::snapshot`] has the same counters as a value, and [`Cache::fleet`] those of every
//! process on one Redis.
//!
//! Nothing of this costs a hit in memory anything: counters that a hit doesn't have yet are counted
//! where a body runs or Redis is asked.

mod adapters;
mod durations;
mod fleet;
mod metric;
mod prometheus;
mod sample;
mod snapshot;

use crate::core::Cache;
#[cfg(feature = "prometheus-client")]
pub use adapters::PrometheusCollector;
pub use durations::Durations;
pub use prometheus::PROMETHEUS_CONTENT_TYPE;
pub use sample::{Buckets, MetricKind, Sample, SampleValue, Unit};
pub use snapshot::{FunctionSnapshot, OperationSnapshot, Snapshot};

impl Cache {
    /// Show every counter of this cache to a metrics system, one sample after the other. The samples
    /// of one metric are shown together. Walks the counters once, and asks no server.
    ///
    /// Counters are those since the cache was built: [`reset_stats`](Self::reset_stats) doesn't set
    /// them back. The guide's page on observability lists the metrics.
    ///
    /// ```
    /// use cache_runtime::{Cache, observe::SampleValue};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().get_or_set("answer", 60, || 42);
    /// let mut misses = 0.0;
    /// cache.observe(&mut |sample| {
    ///     if sample.name == "cache_gets_total"
    ///         && sample.labels.contains(&("result", "miss"))
    ///         && let SampleValue::Counter(count) = sample.value
    ///     {
    ///         misses += count;
    ///     }
    /// });
    /// assert_eq!(misses, 1.0);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn observe(&self, observer: &mut dyn FnMut(Sample<'_>)) {
        let (snapshot, roles) = self.snapshot_with_idle();
        metric::show(&snapshot, &roles, self.prefix(), observer);
    }

    /// Tell how many rows are in the outbox, for the metric `cache_outbox_rows`. The relay of
    /// `cache-sql` calls this.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.report_outbox_rows(3);
    /// assert_eq!(cache.snapshot().outbox_rows, Some(3));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn report_outbox_rows(&self, rows: u64) {
        self.inner().instance.set_outbox_rows(rows);
    }
}
