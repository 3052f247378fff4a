//! A program with a logger of the crate `log`, and without a `tracing` subscriber, sees the events.
//! Logger and subscriber are the process's, so this binary has one test.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Mutex;

use cache_runtime::{Cache, cacheable};
use log::{Level, LevelFilter, Log, Metadata, Record};

static RECORDS: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.target() == "cache" {
            let line = (record.level(), record.args().to_string());
            RECORDS.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

#[cacheable(key = "quiet:<<id>>")]
fn quiet(id: u32) -> u32 {
    id
}

#[cacheable(key = "shown:<<id>>", debug = true)]
fn shown(id: u32) -> u32 {
    id
}

/// Return the records of two calls, a miss and a hit.
fn records(call: impl Fn()) -> Vec<(Level, String)> {
    let cache = Cache::builder().prefix("app").build().unwrap();
    RECORDS.lock().unwrap().clear();
    cache.scope_sync(|| {
        call();
        call();
    });
    std::mem::take(&mut *RECORDS.lock().unwrap())
}

#[test]
fn a_logger_without_a_subscriber_gets_the_events() {
    log::set_logger(&Logger).unwrap();
    for (filter, quietly, loudly) in [
        (LevelFilter::Off, 0, 0),
        (LevelFilter::Info, 0, 5),
        (LevelFilter::Debug, 5, 5),
    ] {
        log::set_max_level(filter);
        assert_eq!(records(|| _ = quiet(1)).len(), quietly, "{filter}");
        assert_eq!(records(|| _ = shown(1)).len(), loudly, "{filter}");
    }
    let lines = records(|| _ = shown(7));
    assert!(lines.iter().all(|(level, _)| *level == Level::Info));
    for (line, message) in lines.iter().zip([
        "[Cache] shown | Args: {id: 7} | Key: app:shown:7",
        "[Cache] MISS: app:shown:7",
        "[Cache] SET: app:shown:7",
        "[Cache] shown",
        "[Cache] HIT: app:shown:7",
    ]) {
        assert!(line.1.contains(message), "{line:?}: {message}");
    }

    // Once the program has a subscriber, the events are the subscriber's alone.
    tracing::subscriber::set_global_default(tracing::subscriber::NoSubscriber::new()).unwrap();
    assert_eq!(records(|| _ = shown(1)), []);
}
