//! An entry, as the runtime and the admin API describe it.

use std::time::Duration;

use cache_runtime::{InspectedKind, Inspection};
use serde::{Deserialize, Serialize};

/// Facts of an entry. Times are seconds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) version: u32,
    pub(crate) codec: Option<String>,
    pub(crate) compression: Option<String>,
    /// Shape of the value's type; `null` unless it is known and needed.
    #[serde(default)]
    pub(crate) shape: Option<String>,
    age: Option<f64>,
    ttl: Option<f64>,
    grace: Option<f64>,
    compute: Option<f64>,
    pub(crate) bytes: u64,
    pub(crate) expanded_bytes: Option<u64>,
    pub(crate) intact: Option<bool>,
    pub(crate) owner: Option<String>,
    pub(crate) refreshing: bool,
}

/// Some entries, and the position of the next ones.
#[derive(Deserialize)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    pub(crate) next: Option<String>,
}

impl Entry {
    pub(crate) fn is_stale(&self) -> bool {
        self.kind == "value" && self.ttl == Some(0.0)
    }

    pub(crate) fn age(&self) -> Option<Duration> {
        self.age.map(time)
    }

    pub(crate) fn ttl(&self) -> Option<Duration> {
        self.ttl.map(time)
    }

    pub(crate) fn grace(&self) -> Option<Duration> {
        self.grace.map(time)
    }

    pub(crate) fn compute(&self) -> Option<Duration> {
        self.compute.map(time)
    }
}

/// Return seconds as a duration, whatever another program has written.
pub(crate) fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

impl From<&Inspection> for Entry {
    fn from(seen: &Inspection) -> Self {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        Self {
            key: seen.key.clone(),
            path: seen.path.clone(),
            kind: kind(seen.kind).to_owned(),
            version: seen.version,
            codec: seen.codec.map(str::to_owned),
            compression: seen.compression.map(str::to_owned),
            shape: seen.shape.clone(),
            age: seconds(seen.age),
            ttl: seconds(seen.ttl),
            grace: seconds(seen.grace),
            compute: seconds(seen.compute),
            bytes: seen.bytes,
            expanded_bytes: seen.expanded_bytes,
            intact: seen.intact,
            owner: seen.owner.clone(),
            refreshing: seen.refreshing,
        }
    }
}

fn kind(kind: InspectedKind) -> &'static str {
    match kind {
        InspectedKind::Value => "value",
        InspectedKind::None => "none",
        InspectedKind::Error => "error",
        InspectedKind::Lease => "lease",
        InspectedKind::WriteLease => "write_lease",
        _ => "unknown",
    }
}
