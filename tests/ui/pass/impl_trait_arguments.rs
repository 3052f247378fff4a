//! `impl Trait` in the arguments.
use cache_runtime::{cacheable, invalidate};
use std::fmt::Display;

#[cacheable(key = "shown:<<what>>", skip(then))]
async fn show(
    what: impl Display + Send + Sync,
    then: impl Fn(&str) -> String + Send + Sync,
) -> String {
    then(&what.to_string())
}

#[cacheable(key = "shown:<<what>>")]
fn show_sync(what: impl Display) -> String {
    what.to_string()
}

#[invalidate(patterns = ["shown:<<what>>"])]
async fn forget(what: impl Display + Send + Sync) {
    drop(what);
}

fn main() {
    let _ = show_sync_no_cache("x");
}
