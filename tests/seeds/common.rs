//! Assertions that the modules share.

use std::time::Duration;

use cache_runtime::Cache;

/// Return the paths among these that have an entry.
pub(crate) async fn present<'p>(cache: &Cache, paths: &[&'p str]) -> Vec<&'p str> {
    let mut present = Vec::new();
    for path in paths {
        if cache.exists(path).await.unwrap() {
            present.push(*path);
        }
    }
    present
}

/// Store a number at each of these paths.
pub(crate) async fn fill(cache: &Cache, paths: &[&str]) {
    let entries = paths.iter().map(|path| (*path, 1));
    cache.set_many(entries, 600).await.unwrap();
}

/// Assert that an entry still lives about this many seconds: a minute less at most.
#[track_caller]
pub(crate) fn assert_about(left: Option<Duration>, seconds: u64) {
    let left = left.expect("the entry exists").as_secs_f64();
    let expected = seconds as f64;
    let range = (expected - 60.0).max(0.0)..=expected;
    assert!(range.contains(&left), "{left} s of {seconds} s");
}
