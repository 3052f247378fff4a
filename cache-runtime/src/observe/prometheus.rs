//! Prometheus's text format, version 0.0.4.

use std::fmt::Write as _;

use super::sample::{Sample, SampleValue};
use crate::core::Cache;

/// The content type of [`Cache::prometheus_text`].
pub const PROMETHEUS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Cache {
    /// Return all counters in Prometheus's text format, for an endpoint that Prometheus reads. Needs
    /// no library.
    ///
    /// Serve it with the content type
    /// [`PROMETHEUS_CONTENT_TYPE`](crate::observe::PROMETHEUS_CONTENT_TYPE). The texts of several
    /// caches can't be joined, since a metric must not occur twice: give each an endpoint of its
    /// own, or use the adapter for a metrics library.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().prefix("blog").build()?;
    /// cache.blocking().get_or_set("answer", 60, || 42);
    /// let text = cache.prometheus_text();
    /// let line = "cache_fills_total{cache=\"blog\",function=\"Cache\"} 1\n";
    /// assert!(text.contains(line));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn prometheus_text(&self) -> String {
        let mut text = String::new();
        let mut metric = "";
        self.observe(&mut |sample| {
            if sample.name != metric {
                metric = sample.name;
                let (help, kind) = (escaped(sample.help, false), sample.kind().name());
                let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} {kind}");
            }
            write_sample(&mut text, &sample);
        });
        text
    }
}

fn write_sample(text: &mut String, sample: &Sample<'_>) {
    match sample.value {
        SampleValue::Counter(value) | SampleValue::Gauge(value) => {
            line(text, sample, "", None, value);
        }
        SampleValue::Histogram(buckets) => {
            for (bound, count) in buckets.cumulative() {
                let bound = match bound.is_finite() {
                    true => bound.to_string(),
                    false => "+Inf".to_owned(),
                };
                line(text, sample, "_bucket", Some(&bound), count as f64);
            }
            line(text, sample, "_sum", None, buckets.sum);
            line(text, sample, "_count", None, buckets.count() as f64);
        }
    }
}

/// Write one line. `le`: the bound of a bucket.
fn line(text: &mut String, sample: &Sample<'_>, suffix: &str, le: Option<&str>, value: f64) {
    let _ = write!(text, "{}{suffix}", sample.name);
    let labels = sample.labels.iter().copied().chain(le.map(|le| ("le", le)));
    let mut before = '{';
    for (name, value) in labels {
        let _ = write!(text, "{before}{name}=\"{}\"", escaped(value, true));
        before = ',';
    }
    if before == ',' {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

/// Return a text with the characters escaped that have a meaning in the format: in a label's value
/// the quotes, too.
fn escaped(text: &str, in_quotes: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '"' if in_quotes => escaped.push_str("\\\""),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Buckets, Sample, SampleValue};
    use super::*;

    #[test]
    fn characters_with_a_meaning_are_escaped() {
        assert_eq!(escaped("a\\b\"c\nd", true), "a\\\\b\\\"c\\nd");
        assert_eq!(escaped("a\\b\"c\nd", false), "a\\\\b\"c\\nd");
    }

    #[test]
    fn a_histogram_has_cumulative_buckets_a_sum_and_a_count() {
        let mut text = String::new();
        let sample = Sample {
            name: "x_seconds",
            help: "",
            unit: None,
            labels: &[("op", "a\"b")],
            value: SampleValue::Histogram(Buckets {
                bounds: &[0.5, 1.0],
                counts: &[1, 0, 2],
                sum: 7.25,
            }),
        };
        write_sample(&mut text, &sample);
        assert_eq!(
            text,
            "x_seconds_bucket{op=\"a\\\"b\",le=\"0.5\"} 1\n\
             x_seconds_bucket{op=\"a\\\"b\",le=\"1\"} 1\n\
             x_seconds_bucket{op=\"a\\\"b\",le=\"+Inf\"} 3\n\
             x_seconds_sum{op=\"a\\\"b\"} 7.25\n\
             x_seconds_count{op=\"a\\\"b\"} 3\n"
        );
    }
}
