//! A strict reader of Prometheus's text format.

use std::collections::{BTreeMap, BTreeSet};

/// The metrics of a text.
#[derive(Debug, Default)]
pub struct Exposition {
    metrics: BTreeMap<String, Metric>,
}

#[derive(Debug)]
struct Metric {
    kind: String,
    samples: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    name: String,
    labels: Labels,
    value: f64,
}

type Labels = BTreeMap<String, String>;

impl Exposition {
    /// Read a text.
    ///
    /// # Panics
    ///
    /// If the text breaks a rule of the format: a metric occurs twice or without its kind, a sample
    /// occurs twice, an escape is unknown, the buckets of a histogram don't grow to its count.
    pub fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends");
        let mut read = Self::default();
        let mut current = String::new();
        let mut helped = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, text) = help.split_once(' ').expect("a name and a text");
                assert!(!text.is_empty(), "{line}");
                helped = name.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a name and a kind");
                assert_eq!(helped, name, "HELP comes before TYPE");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
                current = name.to_owned();
                let metric = Metric {
                    kind: kind.to_owned(),
                    samples: Vec::new(),
                };
                let before = read.metrics.insert(current.clone(), metric);
                assert!(before.is_none(), "{current} occurs once");
            } else {
                let sample = Line::read(line);
                let metric = read.metrics.get_mut(&current).expect("TYPE comes first");
                metric.add(&current, sample);
            }
        }
        for (name, metric) in &read.metrics {
            assert!(!metric.samples.is_empty(), "{name} has samples");
            metric.check_histogram(name);
        }
        read
    }

    /// Return the names of the metrics.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.metrics.keys().map(String::as_str)
    }

    /// Return the names of the samples: those of the metrics, and with the suffixes of a histogram.
    pub fn sample_names(&self) -> BTreeSet<&str> {
        let metrics = self.metrics.values();
        let samples = metrics.flat_map(|metric| &metric.samples);
        samples.map(|sample| sample.name.as_str()).collect()
    }

    /// Return each sample, as its name with its labels, and its value.
    pub fn values(&self) -> BTreeMap<String, f64> {
        let metrics = self.metrics.values();
        let samples = metrics.flat_map(|metric| &metric.samples);
        samples
            .map(|sample| (format!("{}{:?}", sample.name, sample.labels), sample.value))
            .collect()
    }

    /// Return the samples of counters, in the same form.
    pub fn totals(&self) -> BTreeMap<String, f64> {
        let metrics = self
            .metrics
            .values()
            .filter(|metric| metric.kind != "gauge");
        let samples = metrics.flat_map(|metric| &metric.samples);
        samples
            .map(|sample| (format!("{}{:?}", sample.name, sample.labels), sample.value))
            .collect()
    }

    /// Return the sum of the samples of this name that have all of the labels.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |sample: &&Line| {
            let mut labels = labels.iter();
            sample.name == name
                && labels.all(|(label, value)| {
                    sample
                        .labels
                        .get(*label)
                        .is_some_and(|found| found == value)
                })
        };
        let metrics = self.metrics.values();
        let samples = metrics.flat_map(|metric| &metric.samples);
        let found: Vec<f64> = samples.filter(fits).map(|sample| sample.value).collect();
        assert!(!found.is_empty(), "there is a {name}{labels:?}");
        found.into_iter().sum()
    }

    /// Return every label's name and its values.
    pub fn labels(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for sample in self.metrics.values().flat_map(|metric| &metric.samples) {
            for (name, value) in &sample.labels {
                labels.entry(name).or_default().insert(value);
            }
        }
        labels
    }
}

impl Metric {
    fn add(&mut self, name: &str, sample: Line) {
        let suffix = sample
            .name
            .strip_prefix(name)
            .expect("a sample of its metric");
        let suffixes: &[&str] = match self.kind.as_str() {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        assert!(suffixes.contains(&suffix), "{}", sample.name);
        assert!(sample.value >= 0.0, "{} is negative", sample.name);
        let repeated = |other: &Line| other.name == sample.name && other.labels == sample.labels;
        assert!(!self.samples.iter().any(repeated), "twice: {sample:?}");
        self.samples.push(sample);
    }

    fn check_histogram(&self, name: &str) {
        if self.kind != "histogram" {
            return;
        }
        let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for sample in self.of(name, "_bucket") {
            let mut labels = sample.labels.clone();
            let bound = labels.remove("le").expect("a bucket has a bound");
            let bound: f64 = bound.replace("+Inf", "inf").parse().expect("a number");
            buckets
                .entry(labels)
                .or_default()
                .push((bound, sample.value));
        }
        assert_eq!(buckets.len(), self.of(name, "_count").count(), "{name}");
        assert_eq!(buckets.len(), self.of(name, "_sum").count(), "{name}");
        for count in self.of(name, "_count") {
            let buckets = &buckets[&count.labels];
            assert!(
                buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
                "{name}"
            );
            let last = buckets.last().expect("a bucket");
            assert_eq!(*last, (f64::INFINITY, count.value), "{name}");
        }
    }

    fn of<'a>(&'a self, name: &str, suffix: &str) -> impl Iterator<Item = &'a Line> + use<'a> {
        let name = format!("{name}{suffix}");
        self.samples
            .iter()
            .filter(move |sample| sample.name == name)
    }
}

impl Line {
    fn read(line: &str) -> Self {
        let end = line.find(['{', ' ']).expect("a name and a value");
        let (name, rest) = line.split_at(end);
        assert!(is_name(name), "{line}");
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => read_labels(rest),
            None => (Labels::new(), rest),
        };
        let value = value.strip_prefix(' ').expect("a space before the value");
        Self {
            name: name.to_owned(),
            labels,
            value: value.parse().expect("the value is a number"),
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Read labels, and return the rest of the line after the closing brace.
fn read_labels(mut rest: &str) -> (Labels, &str) {
    let mut labels = Labels::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect("a label and a quote");
        assert!(is_name(name), "{rest}");
        let (mut value, mut characters) = (String::new(), after.char_indices());
        let end = loop {
            match characters.next().expect("the quote is closed") {
                (at, '"') => break at,
                (_, '\\') => value.push(match characters.next().expect("an escape").1 {
                    'n' => '\n',
                    character @ ('\\' | '"') => character,
                    other => panic!("an unknown escape: {other}"),
                }),
                (_, character) => value.push(character),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "{rest}");
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (labels, rest.strip_prefix('}').expect("the brace is closed")),
        }
    }
}
