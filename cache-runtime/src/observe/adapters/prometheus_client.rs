//! For a registry of the crate `prometheus-client`.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit as ClientUnit;

use crate::core::Cache;
use crate::observe::sample::{MetricKind, Sample, SampleValue, Unit};

/// The counters of a cache as a collector of the crate `prometheus-client`.
///
/// Several caches can be in one registry, each with a prefix of its own. The names are those of
/// [`Cache::prometheus_text`].
///
/// ```
/// use cache_runtime::{Cache, observe::PrometheusCollector};
/// use prometheus_client::{encoding::text::encode, registry::Registry};
///
/// let cache = Cache::builder().prefix("blog").build()?;
/// let mut registry = Registry::default();
/// registry.register_collector(Box::new(PrometheusCollector::new(&[cache.clone()])));
/// cache.blocking().get_or_set("answer", 60, || 42);
///
/// let mut text = String::new();
/// encode(&mut text, &registry).unwrap();
/// assert!(text.contains("cache_fills_total{cache=\"blog\",function=\"Cache\"} 1"));
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PrometheusCollector {
    caches: Vec<Cache>,
}

impl PrometheusCollector {
    /// Create a collector for these caches. Their prefixes should differ, since the prefix is a
    /// label. The collector keeps the caches alive.
    pub fn new(caches: &[Cache]) -> Self {
        Self {
            caches: caches.to_vec(),
        }
    }
}

impl Collector for PrometheusCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut metrics: Vec<Metric> = Vec::new();
        for cache in &self.caches {
            cache.observe(&mut |sample| Metric::add(&mut metrics, &sample));
        }
        for metric in &metrics {
            metric.encode(&mut encoder)?;
        }
        Ok(())
    }
}

/// A metric with the samples of all caches, since a metric is described once.
struct Metric {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    kind: MetricKind,
    samples: Vec<(Vec<(&'static str, String)>, Value)>,
}

enum Value {
    Number(f64),
    Histogram { sum: f64, buckets: Vec<(f64, u64)> },
}

impl Metric {
    fn add(metrics: &mut Vec<Self>, sample: &Sample<'_>) {
        let known = metrics.iter().position(|metric| metric.name == sample.name);
        let at = known.unwrap_or_else(|| {
            metrics.push(Self {
                name: sample.name,
                help: sample.help,
                unit: sample.unit,
                kind: sample.kind(),
                samples: Vec::new(),
            });
            metrics.len() - 1
        });
        let labels = sample.labels.iter();
        let labels = labels.map(|(name, value)| (*name, (*value).to_owned()));
        let value = match sample.value {
            SampleValue::Counter(value) | SampleValue::Gauge(value) => Value::Number(value),
            SampleValue::Histogram(buckets) => {
                let bounds = buckets.bounds.iter().copied().chain([f64::INFINITY]);
                Value::Histogram {
                    sum: buckets.sum,
                    buckets: bounds.zip(buckets.counts.iter().copied()).collect(),
                }
            }
        };
        metrics[at].samples.push((labels.collect(), value));
    }

    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let unit = self.unit.map(|unit| match unit {
            Unit::Seconds => ClientUnit::Seconds,
            Unit::Bytes => ClientUnit::Bytes,
        });
        // The crate appends these suffixes.
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        let name = match &unit {
            Some(unit) => name
                .strip_suffix(unit.as_str())
                .and_then(|name| name.strip_suffix('_'))
                .unwrap_or(name),
            None => name,
        };
        let kind = match self.kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
            MetricKind::Histogram => MetricType::Histogram,
        };
        let mut encoder = encoder.encode_descriptor(name, self.help, unit.as_ref(), kind)?;
        for (labels, value) in &self.samples {
            let labels = labels.as_slice();
            self.encode_value(encoder.encode_family(&labels)?, value)?;
        }
        Ok(())
    }

    fn encode_value(&self, mut encoder: MetricEncoder<'_>, value: &Value) -> fmt::Result {
        match value {
            // Whole counts as whole numbers: an `f64` would be written with a fraction.
            Value::Number(value) if value.fract() == 0.0 && self.unit != Some(Unit::Seconds) => {
                let whole = *value as u64;
                match self.kind {
                    MetricKind::Counter => {
                        encoder.encode_counter::<NoLabelSet, _, u64>(&whole, None)
                    }
                    _ => encoder.encode_gauge(&whole),
                }
            }
            Value::Number(value) => match self.kind {
                MetricKind::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(value, None),
                _ => encoder.encode_gauge(value),
            },
            Value::Histogram { sum, buckets } => {
                let count = buckets.iter().map(|(_, count)| count).sum();
                encoder.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
            }
        }
    }
}
