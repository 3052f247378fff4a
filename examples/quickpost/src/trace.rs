//! Print the cache's events as plain lines: `[Cache] MISS: quickpost:posts:my-post`.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::prelude::*;

/// Print events up to `level`: at `INFO`, those of functions with `debug = true`; at `DEBUG`, all.
pub fn print_cache_events(level: LevelFilter) {
    let message_only = debug_fn(|line, field, value| match field.name() {
        "message" => write!(line, "{value:?}"),
        _ => Ok(()),
    });
    let lines = tracing_subscriber::fmt::layer()
        .without_time()
        .with_level(false)
        .with_target(false)
        .fmt_fields(message_only)
        .with_filter(Targets::new().with_target("cache", level));
    tracing_subscriber::registry().with(lines).init();
}
