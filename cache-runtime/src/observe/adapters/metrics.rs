//! For the recorder of the crate `metrics`.

use metrics::{Key, Label, Level, Metadata, Recorder, SharedString, Unit as RecordedUnit};

use crate::core::Cache;
use crate::observe::sample::{Buckets, MetricKind, Sample, SampleValue, Unit};

const METADATA: Metadata<'static> = Metadata::new("cache", Level::INFO, None);

impl Cache {
    /// Publish all counters to the current recorder of the crate `metrics`: the local one of this
    /// thread, or the program's. Call it before the recorder is read, or once every few seconds.
    ///
    /// Counters are set to their totals, so it doesn't matter how often this is called. The recorder
    /// takes whole numbers as counters only, so `cache_saved_seconds_total` is rounded down. It takes
    /// single values as histograms only, so a histogram of this cache is published as Prometheus has
    /// it: as the counters `.._bucket`, with the label `le`, and `.._count`, and as the gauge
    /// `.._sum`. The queries are the same.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// // Once a recorder is installed:
    /// tokio::spawn({
    ///     let cache = cache.clone();
    ///     async move {
    ///         loop {
    ///             cache.publish_metrics();
    ///             tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    ///         }
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn publish_metrics(&self) {
        metrics::with_recorder(|recorder| {
            let mut described = "";
            self.observe(&mut |sample| {
                if sample.name != described {
                    described = sample.name;
                    describe(recorder, &sample);
                }
                publish(recorder, &sample);
            });
        });
    }
}

fn describe(recorder: &dyn Recorder, sample: &Sample<'_>) {
    let unit = sample.unit.map(|unit| match unit {
        Unit::Seconds => RecordedUnit::Seconds,
        Unit::Bytes => RecordedUnit::Bytes,
    });
    let help = || SharedString::const_str(sample.help);
    match sample.kind() {
        MetricKind::Counter => recorder.describe_counter(sample.name.into(), unit, help()),
        MetricKind::Gauge => recorder.describe_gauge(sample.name.into(), unit, help()),
        MetricKind::Histogram => {
            let name = |suffix| format!("{}{suffix}", sample.name).into();
            recorder.describe_counter(name("_bucket"), None, help());
            recorder.describe_counter(name("_count"), None, help());
            recorder.describe_gauge(name("_sum"), unit, help());
        }
    }
}

fn publish(recorder: &dyn Recorder, sample: &Sample<'_>) {
    match sample.value {
        SampleValue::Counter(total) => {
            let key = key(sample, "", None);
            recorder
                .register_counter(&key, &METADATA)
                .absolute(total as u64);
        }
        SampleValue::Gauge(value) => {
            let key = key(sample, "", None);
            recorder.register_gauge(&key, &METADATA).set(value);
        }
        SampleValue::Histogram(buckets) => publish_histogram(recorder, sample, &buckets),
    }
}

fn publish_histogram(recorder: &dyn Recorder, sample: &Sample<'_>, buckets: &Buckets<'_>) {
    for (bound, count) in buckets.cumulative() {
        let bound = match bound.is_finite() {
            true => bound.to_string(),
            false => "+Inf".to_owned(),
        };
        let key = key(sample, "_bucket", Some(bound));
        recorder.register_counter(&key, &METADATA).absolute(count);
    }
    let count = key(sample, "_count", None);
    let count = recorder.register_counter(&count, &METADATA);
    count.absolute(buckets.count());
    let sum = key(sample, "_sum", None);
    recorder.register_gauge(&sum, &METADATA).set(buckets.sum);
}

/// Return the key of a sample, or of a part of a histogram.
fn key(sample: &Sample<'_>, suffix: &str, le: Option<String>) -> Key {
    let labels = sample.labels.iter();
    let labels = labels.map(|(name, value)| Label::new(*name, (*value).to_owned()));
    let labels = labels.chain(le.map(|le| Label::new("le", le)));
    let labels: Vec<Label> = labels.collect();
    match suffix {
        "" => Key::from_parts(sample.name, labels),
        suffix => Key::from_parts(format!("{}{suffix}", sample.name), labels),
    }
}
