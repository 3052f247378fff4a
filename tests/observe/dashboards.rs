//! The dashboard and the alert rules name metrics and labels that exist.

use std::collections::BTreeSet;

use cache_runtime::Cache;
use serde_json::Value;
use tests::{Exposition, PATIENCE, RedisServer};

const DASHBOARD: &str = include_str!("../../docs/operations/grafana.json");
const ALERTS: &str = include_str!("../../docs/operations/alerts.yml");

/// Return the words of a query that begin like a metric.
fn metrics_of(query: &str) -> BTreeSet<&str> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = query.split(|character| !is_word(character));
    words.filter(|word| word.starts_with("cache_")).collect()
}

/// Return the label matchers of a query, as names and alternatives.
fn matchers_of(query: &str) -> Vec<(&str, Vec<&str>)> {
    let selectors = query.split('{').skip(1);
    let selectors = selectors.map(|rest| rest.split('}').next().unwrap());
    let matchers = selectors.flat_map(|selector| selector.split(','));
    matchers
        .filter(|matcher| !matcher.is_empty())
        .map(|matcher| {
            let (name, value) = matcher.split_once('=').unwrap();
            let value = value.trim_start_matches('~').trim_matches('"');
            (name.trim_end_matches('!'), value.split('|').collect())
        })
        .collect()
}

/// Return the values of all fields of this name.
fn fields<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                match value {
                    Value::String(text) if field == name => found.push(text),
                    _ => self::fields(value, name, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, name, found)),
        _ => {}
    }
}

fn exposition() -> String {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .prefix("quickpost")
        .redis(server.url())
        .response_timeout(PATIENCE)
        .near_cache(1 << 20)
        .build()
        .unwrap();
    cache.report_outbox_rows(0);
    cache.blocking().set("answer", &42, 60).unwrap();
    cache.prometheus_text()
}

fn check(queries: &[&str]) -> BTreeSet<String> {
    let text = exposition();
    let text = Exposition::read(&text);
    let (names, labels) = (text.sample_names(), text.labels());
    let mut used = BTreeSet::new();
    for query in queries {
        let metrics = metrics_of(query);
        assert!(!metrics.is_empty(), "{query}");
        for metric in metrics {
            assert!(names.contains(metric), "{metric} in {query}");
            used.insert(metric.to_owned());
        }
        for (label, values) in matchers_of(query) {
            let known = labels
                .get(label)
                .unwrap_or_else(|| panic!("{label} in {query}"));
            for value in values.iter().filter(|value| !value.starts_with('$')) {
                assert!(known.contains(value), "{label}={value} in {query}");
            }
        }
    }
    used
}

#[test]
fn each_metric_and_label_of_the_dashboard_exists_and_each_metric_is_shown() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut queries = Vec::new();
    fields(&dashboard["panels"], "expr", &mut queries);
    assert!(queries.len() > 20, "{}", queries.len());
    let used = check(&queries);
    let text = exposition();
    for metric in Exposition::read(&text).names() {
        let shown = used.iter().any(|used| used.starts_with(metric));
        assert!(shown, "{metric} is on the dashboard");
    }
    let mut ids: Vec<u64> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    let panels = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), panels);
}

#[test]
fn each_metric_and_label_of_the_alert_rules_exists() {
    let rules = ALERTS.split("- alert:").skip(1);
    let queries: Vec<String> = rules
        .map(|rule| {
            let (_, after) = rule.split_once("expr:").expect("a rule has a query");
            let end = ["\n        for:", "\n        labels:"];
            let end = end.iter().filter_map(|end| after.find(end)).min().unwrap();
            after[..end].replace(">-", "").replace('\n', " ")
        })
        .collect();
    assert!(queries.len() > 8, "{}", queries.len());
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    check(&queries);
    for rule in ALERTS.split("- alert:").skip(1) {
        for part in ["severity:", "summary:", "description:"] {
            assert!(rule.contains(part), "{part} in {rule}");
        }
    }
}
