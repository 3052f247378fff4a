//! One sample of one metric, as an observer sees it.

/// One value of one metric of a cache. See [`Cache::observe`](crate::Cache::observe).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample<'a> {
    /// The metric's name, with the suffix `_total` if it is a counter.
    pub name: &'static str,
    /// One sentence about the metric.
    pub help: &'static str,
    /// The unit of the value; `None` for a number of things. The name contains it.
    pub unit: Option<Unit>,
    /// The labels, in a fixed order for each metric. A label's value is the cache's prefix, the name
    /// of an annotated function, or one of a fixed set: never a key, a user or a host.
    pub labels: &'a [(&'static str, &'a str)],
    /// The value.
    pub value: SampleValue<'a>,
}

impl Sample<'_> {
    /// Return the metric's kind.
    ///
    /// ```
    /// use cache_runtime::{Cache, observe::MetricKind};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.observe(&mut |sample| {
    ///     let is_total = sample.name.ends_with("_total");
    ///     assert_eq!(sample.kind() == MetricKind::Counter, is_total, "{}", sample.name);
    /// });
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn kind(&self) -> MetricKind {
        match self.value {
            SampleValue::Counter(_) => MetricKind::Counter,
            SampleValue::Gauge(_) => MetricKind::Gauge,
            SampleValue::Histogram(_) => MetricKind::Histogram,
        }
    }
}

/// Value of a [`Sample`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum SampleValue<'a> {
    /// A total since the cache was built. It never goes back. Whole, unless it is a time.
    Counter(f64),
    /// A value that goes up and down.
    Gauge(f64),
    /// A distribution of durations since the cache was built.
    Histogram(Buckets<'a>),
}

/// The durations of a histogram, by bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Buckets<'a> {
    /// The upper bounds of the buckets in seconds, in order, without the last one: it has no bound.
    pub bounds: &'a [f64],
    /// The number of durations in each bucket, one more than there are bounds. A duration is counted
    /// in one bucket: Prometheus's `le` buckets are the sums from the beginning.
    pub counts: &'a [u64],
    /// The sum of all durations, in seconds.
    pub sum: f64,
}

impl Buckets<'_> {
    /// Return the number of durations.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Return each bucket as Prometheus has it: its bound, infinite for the last one, and the number
    /// of durations that don't exceed the bound.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = self.bounds.iter().copied();
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        bounds.chain([f64::INFINITY]).zip(counts)
    }
}

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricKind {
    /// A total that never goes back.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

impl MetricKind {
    /// Return the name of the kind in Prometheus's text format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// Return the unit's name in metric names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
        }
    }
}
