//! The log as an operator sees it, for a test binary with one test: the cache's own thread writes
//! the log, so the subscriber must be the process's.

use std::sync::{Mutex, MutexGuard};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

static LOG: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

/// Keeps events of level `info` and above.
struct Operator;

impl Subscriber for Operator {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        operator_log().push((*event.metadata().level(), line.0));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }
}

/// Keep the events of this process from now on.
pub fn keep_operator_log() {
    tracing::subscriber::set_global_default(Operator)
        .expect("this process has no other subscriber");
}

/// The events so far: level, and fields as `name=value`.
pub fn operator_log() -> MutexGuard<'static, Vec<(Level, String)>> {
    LOG.lock().expect("no test has panicked with it")
}
