//! The counters in three metrics libraries: each has the values that the cache shows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::observe::PrometheusCollector;
use cache_runtime::{Cache, Clock, cacheable, invalidate};
use metrics::{CounterFn, GaugeFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tests::Exposition;

#[cacheable(key = "adapted:<<id>>", ttl = 600, skip(clock))]
fn row(clock: &Clock, id: u32) -> u32 {
    clock.advance(Duration::from_millis(1_500));
    id
}

#[invalidate(patterns = ["adapted:<<id>>:*"])]
fn change(id: u32) {
    let _ = id;
}

/// Return a cache with calls of each kind, which takes whole and half seconds.
fn used(prefix: &str) -> Cache {
    let clock = Clock::manual();
    let cache = Cache::builder().prefix(prefix).clock(clock.clone());
    let cache = cache.build().unwrap();
    cache.report_outbox_rows(4);
    cache.scope_sync(|| {
        for id in [1, 1, 2, 1] {
            row(&clock, id);
        }
        change(1);
    });
    cache
}

/// The samples by name and labels, as the cache's own text has them.
fn expected(cache: &Cache) -> BTreeMap<String, f64> {
    Exposition::read(&cache.prometheus_text()).values()
}

fn named(name: &str, labels: impl IntoIterator<Item = (String, String)>) -> String {
    let labels: BTreeMap<String, String> = labels.into_iter().collect();
    format!("{name}{labels:?}")
}

#[test]
fn prometheus_client_encodes_the_same_samples() {
    let (one, other) = (used("one"), used("other"));
    let mut registry = Registry::default();
    let collector = PrometheusCollector::new(&[one.clone(), other.clone()]);
    registry.register_collector(Box::new(collector));
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    // OpenMetrics differs: it names counters without their suffix, has units, and an end.
    let (body, end) = text.split_at(text.len() - "# EOF\n".len());
    assert_eq!(end, "# EOF\n");
    let lines = body.lines().filter(|line| !line.starts_with("# UNIT "));
    let mut plain = String::new();
    for line in lines {
        let line = match line.split(' ').collect::<Vec<_>>()[..] {
            ["#", "TYPE", name, "counter"] => format!("# TYPE {name}_total counter"),
            _ => line.to_owned(),
        };
        plain.push_str(&line);
        plain.push('\n');
    }
    let mut found = BTreeMap::new();
    for line in plain.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        found.insert(sorted(name), value.parse::<f64>().unwrap());
    }
    let mut expected = expected(&one);
    expected.extend(self::expected(&other));
    assert_eq!(found.len(), expected.len());
    for (name, value) in &expected {
        assert_eq!(found.get(name), Some(value), "{name}");
    }
    let types = |kind: &str| {
        let ends = format!(" {kind}");
        plain.lines().filter(|line| line.ends_with(&ends)).count()
    };
    assert!(types("counter") > 5 && types("gauge") > 3 && types("histogram") == 2);
}

/// Return a sample's name in the form of [`named`].
fn sorted(sample: &str) -> String {
    let (name, labels) = sample.split_once('{').unwrap();
    let labels = labels.trim_end_matches('}').trim_end_matches('"');
    let labels = labels.split("\",").map(|label| {
        let (name, value) = label.split_once("=\"").unwrap();
        // This library writes whole bounds with a fraction.
        let value = match name {
            "le" => value.trim_end_matches(".0"),
            _ => value,
        };
        (name.to_owned(), value.trim_end_matches('"').to_owned())
    });
    named(name, labels)
}

/// The values that were recorded, by name and labels.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<BTreeMap<String, f64>>>);

struct Cell {
    recorded: Recorded,
    name: String,
}

impl Recorded {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels = key.labels();
        let labels = labels.map(|label| (label.key().to_owned(), label.value().to_owned()));
        Arc::new(Cell {
            recorded: self.clone(),
            name: named(key.name(), labels),
        })
    }
}

impl Cell {
    fn put(&self, value: f64) {
        let mut recorded = self.recorded.0.lock().unwrap();
        recorded.insert(self.name.clone(), value);
    }
}

impl CounterFn for Cell {
    fn increment(&self, _: u64) {
        unreachable!("totals are set")
    }
    fn absolute(&self, value: u64) {
        self.put(value as f64);
    }
}

impl GaugeFn for Cell {
    fn increment(&self, _: f64) {
        unreachable!("gauges are set")
    }
    fn decrement(&self, _: f64) {
        unreachable!("gauges are set")
    }
    fn set(&self, value: f64) {
        self.put(value);
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        metrics::Counter::from_arc(self.cell(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::from_arc(self.cell(key))
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        unreachable!("a distribution can't be recorded")
    }
}

#[test]
fn the_recorder_of_metrics_gets_the_same_samples() {
    let cache = used("one");
    let recorder = Recorded::default();
    metrics::with_local_recorder(&recorder, || cache.publish_metrics());
    // Counters are whole numbers there.
    let mut expected = expected(&cache);
    for (name, value) in &mut expected {
        if name.starts_with("cache_saved_seconds_total") {
            *value = value.floor();
        }
    }
    assert_eq!(*recorder.0.lock().unwrap(), expected);
}

#[test]
fn the_instruments_of_opentelemetry_observe_the_same_samples() {
    let cache = used("one");
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone());
    let provider = provider.build();
    cache.observe_with_opentelemetry(&provider.meter("cache"));
    let mut expected = BTreeMap::new();
    for (name, value) in self::expected(&cache) {
        expected.insert(name.replace("_total{", "{"), value);
    }
    provider.force_flush().unwrap();
    assert_eq!(exported(&exporter), expected);
    // The instruments outlive the cache, and don't keep it alive.
    drop(cache);
    exporter.reset();
    provider.force_flush().unwrap();
    assert_eq!(exported(&exporter), BTreeMap::new());
}

fn exported(exporter: &InMemoryMetricExporter) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            assert!(!metric.description().is_empty());
            let points = match metric.data() {
                AggregatedMetrics::U64(data) => points(data, |value| value as f64),
                AggregatedMetrics::I64(data) => points(data, |value| value as f64),
                AggregatedMetrics::F64(data) => points(data, |value| value),
            };
            for (attributes, value) in points {
                found.insert(named(metric.name(), attributes), value);
            }
        }
    }
    found
}

type Attributes = Vec<(String, String)>;

fn points<T: Copy>(data: &MetricData<T>, number: impl Fn(T) -> f64) -> Vec<(Attributes, f64)> {
    fn labels<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Attributes {
        attributes
            .map(|label| (label.key.to_string(), label.value.to_string()))
            .collect()
    }
    match data {
        MetricData::Gauge(gauge) => gauge
            .data_points()
            .map(|point| (labels(point.attributes()), number(point.value())))
            .collect(),
        MetricData::Sum(sum) => sum
            .data_points()
            .map(|point| (labels(point.attributes()), number(point.value())))
            .collect(),
        _ => panic!("there are no histograms"),
    }
}
