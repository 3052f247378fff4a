//! Capturing `tracing` events.

use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level, Metadata, Subscriber};

/// An event of the target `cache`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// The level: `INFO` and so on.
    pub level: String,
    /// Its message.
    pub message: String,
    /// Its field `function`.
    pub function: String,
    /// Its field `key`.
    pub key: String,
    /// Its field `op`.
    pub op: String,
}

/// Run the test and return the cache's events of this thread, up to `level`.
pub fn events_of(level: Level, test: impl FnOnce()) -> Vec<Event> {
    // With a single subscriber, `tracing` asks only the thread that first meets an event whether
    // the event is enabled, and caches the answer. Another test's thread, which has no subscriber,
    // would then disable the event for this test too. A second dispatcher prevents that.
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));
    LazyLock::force(&SECOND);
    let events = Arc::new(Mutex::new(Vec::new()));
    let collector = Collector {
        level,
        events: Arc::clone(&events),
    };
    tracing::subscriber::with_default(collector, test);
    let events = events.lock().expect("no test panics here");
    events.clone()
}

struct Collector {
    level: Level,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "cache" && *metadata.level() <= self.level
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut seen = Event {
            level: event.metadata().level().to_string(),
            ..Event::default()
        };
        event.record(&mut Reader(&mut seen));
        self.events.lock().expect("no test panics here").push(seen);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Reader<'a>(&'a mut Event);

impl Visit for Reader<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.0.message = text,
            "function" => self.0.function = text,
            "key" => self.0.key = text,
            "op" => self.0.op = text,
            _ => {}
        }
    }
}
