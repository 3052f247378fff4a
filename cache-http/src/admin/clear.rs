//! `POST /clear` and `POST /reset-stats`.

use std::fmt;

use cache_runtime::{Cache, CacheError, InspectedKind, Inspection, escape};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Deserializer, Serialize};

use super::change::Change;
use super::reply::Reply;

/// The body of a request, as written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    #[serde(deserialize_with = "text")]
    namespace: Option<String>,
    #[serde(deserialize_with = "text")]
    pattern: Option<String>,
    dry_run: bool,
}

/// Read a text. A `null` is a mistake: as a missing one, it would clear everything.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// The entries to be removed, and whether to remove them.
struct Order {
    target: Target,
    is_dry_run: bool,
}

enum Target {
    All,
    Namespace(String),
    Pattern(String),
}

impl Order {
    /// Read the body. The refusal names the mistake.
    fn read(body: &[u8]) -> Result<Self, Reply> {
        let wrong = |error: &dyn fmt::Display| Err(Reply::error(StatusCode::BAD_REQUEST, error));
        // serde would take a list for an object, and `[]` for `{}`.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return wrong(
                &"the body isn't a JSON object; send {} to clear everything, {\"namespace\": \"..\"} or {\"pattern\": \"..\"}",
            );
        }
        let written: Written = match serde_json::from_slice(body) {
            Ok(written) => written,
            Err(error) => return wrong(&format_args!("the body can't be used: {error}")),
        };
        let target = match (written.namespace, written.pattern) {
            (None, None) => Target::All,
            (Some(_), Some(_)) => return wrong(&"give `namespace` or `pattern`, not both"),
            (Some(name), _) if name.is_empty() => return wrong(&"`namespace` is empty"),
            (_, Some(pattern)) if pattern.is_empty() => return wrong(&"`pattern` is empty"),
            (Some(name), None) => Target::Namespace(name),
            (None, Some(pattern)) => Target::Pattern(pattern),
        };
        Ok(Self {
            target,
            is_dry_run: written.dry_run,
        })
    }
}

impl Target {
    /// Return the pattern that matches the entries.
    fn pattern(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::Namespace(name) => format!("{}:*", escape(name)),
            Self::Pattern(pattern) => pattern.clone(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all entries"),
            Self::Namespace(name) => write!(f, "the namespace {name:?}"),
            Self::Pattern(pattern) => write!(f, "the pattern {pattern:?}"),
        }
    }
}

#[derive(Serialize)]
struct Cleared {
    status: &'static str,
    message: &'static str,
    entries: u64,
}

/// Remove entries.
///
/// Cancel safety: once the invalidation was polled, it finishes without its caller.
pub(super) async fn clear(cache: &Cache, parts: &Parts, body: &[u8]) -> Result<Reply, Reply> {
    let Order { target, is_dry_run } = Order::read(body)?;
    if is_dry_run {
        return dry_run(cache, &target).await;
    }
    let change = Change::begin("clear", parts, &target);
    let removed = match &target {
        Target::All => cache.clear().await,
        Target::Namespace(_) | Target::Pattern(_) => cache.delete_pattern(&target.pattern()).await,
    };
    change.end(removed.as_ref().copied());
    match removed {
        Ok(entries) => Ok(Reply::ok(&Cleared {
            status: "success",
            message: "Cache cleared",
            entries,
        })),
        Err(error) => Err(failed(&error)),
    }
}

/// Largest number of entries that a dry run counts. The server looks at each.
const COUNTED: usize = 10_000;
/// Number of paths that a dry run shows.
const SHOWN: usize = 10;

#[derive(Serialize)]
struct DryRun {
    status: &'static str,
    message: &'static str,
    entries: usize,
    /// There are more entries than were counted.
    has_more: bool,
    examples: Vec<String>,
}

/// Count the entries that would be removed, and show some. Removes nothing.
async fn dry_run(cache: &Cache, target: &Target) -> Result<Reply, Reply> {
    let found = cache.entries(&target.pattern(), COUNTED + 1).await;
    let mut found = found.map_err(|error| Reply::error(StatusCode::SERVICE_UNAVAILABLE, error))?;
    let has_more = found.len() > COUNTED;
    found.truncate(COUNTED);
    // A lease is no entry yet.
    let is_lease =
        |entry: &Inspection| matches!(entry.kind, InspectedKind::Lease | InspectedKind::WriteLease);
    found.retain(|entry| !is_lease(entry));
    let entries = found.len();
    let examples = found.into_iter().take(SHOWN).map(|entry| entry.path);
    Ok(Reply::ok(&DryRun {
        status: "success",
        message: "Nothing was cleared: a dry run",
        entries,
        has_more,
        examples: examples.collect(),
    }))
}

fn failed(error: &CacheError) -> Reply {
    let later = match error {
        CacheError::Store { .. } | CacheError::Timeout { .. } | CacheError::Unavailable { .. } => {
            "; the invalidation is queued, and is sent once the store answers"
        }
        _ => "",
    };
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Reply::error(status, format_args!("{error}{later}"))
}

#[derive(Serialize)]
struct Reset {
    status: &'static str,
    message: &'static str,
}

/// Set the counters back. A body isn't needed, and isn't read.
pub(super) fn reset_stats(cache: &Cache, parts: &Parts) -> Reply {
    let change = Change::begin("reset-stats", parts, "the counters");
    cache.reset_stats();
    change.end(Ok(0));
    Reply::ok(&Reset {
        status: "success",
        message: "Cache statistics reset",
    })
}
