//! Observable instruments of OpenTelemetry.

use std::sync::{Arc, Weak};

use opentelemetry_0_33::KeyValue;
use opentelemetry_0_33::metrics::Meter;

use crate::core::{Cache, CacheInner};
use crate::observe::metric::{self, Metric};
use crate::observe::sample::{MetricKind, Sample, SampleValue, Unit};

impl Cache {
    /// Make an observable instrument of this meter for each metric. The meter's reader asks them
    /// whenever it collects, until the cache is dropped.
    ///
    /// An instrument is named as the metric without `_total`, which exporters to Prometheus append.
    /// OpenTelemetry has no observable histograms: a histogram of this cache becomes the instruments
    /// `.._bucket`, with the attribute `le`, `.._count` and `.._sum`, as Prometheus has it. These are
    /// up-down counters, although they only grow, so that no exporter appends `_total`.
    ///
    /// Call it once for each cache. A second call makes the same instruments again.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// use opentelemetry_0_33::global;
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.observe_with_opentelemetry(&global::meter("cache"));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn observe_with_opentelemetry(&self, meter: &Meter) {
        let cache = Arc::downgrade(&self.inner);
        for (metric, kind) in metric::ALL {
            match kind {
                MetricKind::Counter => add_counter(meter, &cache, metric),
                MetricKind::Gauge => add_gauge(meter, &cache, metric),
                MetricKind::Histogram => add_histogram(meter, &cache, metric),
            }
        }
    }
}

/// Show the samples of one metric, if the cache still exists. Each instrument is asked by itself, so
/// the counters are walked for each.
fn samples_of(cache: &Weak<CacheInner>, name: &str, mut show: impl FnMut(&Sample<'_>)) {
    let Some(inner) = cache.upgrade() else { return };
    Cache { inner }.observe(&mut |sample| {
        if sample.name == name {
            show(&sample);
        }
    });
}

fn attributes(sample: &Sample<'_>) -> Vec<KeyValue> {
    let labels = sample.labels.iter();
    labels
        .map(|(name, value)| KeyValue::new(*name, (*value).to_owned()))
        .collect()
}

fn unit(metric: &Metric) -> &'static str {
    match metric.unit {
        Some(Unit::Seconds) => "s",
        Some(Unit::Bytes) => "By",
        None => "",
    }
}

fn add_counter(meter: &Meter, cache: &Weak<CacheInner>, metric: &'static Metric) {
    let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
    let cache = Weak::clone(cache);
    // Times have fractions.
    if metric.unit == Some(Unit::Seconds) {
        let counter = meter.f64_observable_counter(name);
        let counter = counter
            .with_description(metric.help)
            .with_unit(unit(metric));
        counter
            .with_callback(move |observer| {
                samples_of(&cache, metric.name, |sample| {
                    if let SampleValue::Counter(total) = sample.value {
                        observer.observe(total, &attributes(sample));
                    }
                });
            })
            .build();
        return;
    }
    let counter = meter.u64_observable_counter(name);
    let counter = counter
        .with_description(metric.help)
        .with_unit(unit(metric));
    counter
        .with_callback(move |observer| {
            samples_of(&cache, metric.name, |sample| {
                if let SampleValue::Counter(total) = sample.value {
                    observer.observe(total as u64, &attributes(sample));
                }
            });
        })
        .build();
}

fn add_gauge(meter: &Meter, cache: &Weak<CacheInner>, metric: &'static Metric) {
    let cache = Weak::clone(cache);
    let gauge = meter.u64_observable_gauge(metric.name);
    let gauge = gauge.with_description(metric.help).with_unit(unit(metric));
    gauge
        .with_callback(move |observer| {
            samples_of(&cache, metric.name, |sample| {
                if let SampleValue::Gauge(value) = sample.value {
                    observer.observe(value as u64, &attributes(sample));
                }
            });
        })
        .build();
}

/// Add the instruments of a histogram. They have no unit: an exporter would append it after
/// `_bucket`.
fn add_histogram(meter: &Meter, cache: &Weak<CacheInner>, metric: &'static Metric) {
    let whole = |suffix| {
        let instrument = meter.i64_observable_up_down_counter(format!("{}{suffix}", metric.name));
        instrument.with_description(metric.help)
    };
    let of = Weak::clone(cache);
    whole("_bucket")
        .with_callback(move |observer| {
            samples_of(&of, metric.name, |sample| {
                let SampleValue::Histogram(buckets) = sample.value else {
                    return;
                };
                for (bound, count) in buckets.cumulative() {
                    let bound = match bound.is_finite() {
                        true => bound.to_string(),
                        false => "+Inf".to_owned(),
                    };
                    let mut attributes = attributes(sample);
                    attributes.push(KeyValue::new("le", bound));
                    observer.observe(count as i64, &attributes);
                }
            });
        })
        .build();
    let of = Weak::clone(cache);
    whole("_count")
        .with_callback(move |observer| {
            samples_of(&of, metric.name, |sample| {
                if let SampleValue::Histogram(buckets) = sample.value {
                    observer.observe(buckets.count() as i64, &attributes(sample));
                }
            });
        })
        .build();
    let of = Weak::clone(cache);
    let sum = meter.f64_observable_up_down_counter(format!("{}_sum", metric.name));
    sum.with_description(metric.help)
        .with_callback(move |observer| {
            samples_of(&of, metric.name, |sample| {
                if let SampleValue::Histogram(buckets) = sample.value {
                    observer.observe(buckets.sum, &attributes(sample));
                }
            });
        })
        .build();
}
