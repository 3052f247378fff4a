//! `GET /keys` and `GET /key`.

use cache_runtime::{AnyValue, Cache, CacheError, EntriesLevel, EntriesPage, Inspection, topology};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use super::access::Access;
use super::change::caller;
use super::query::Parameters;
use super::reply::Reply;

/// Number of entries of an answer, unless the request says otherwise.
const LIMIT: usize = 100;
/// Largest number of entries of an answer.
const MAX_LIMIT: usize = 1_000;

#[derive(Serialize)]
struct Listed<'a> {
    status: &'static str,
    pattern: &'a str,
    more: bool,
    #[serde(flatten)]
    page: EntriesPage,
}

#[derive(Serialize)]
struct Below<'a> {
    status: &'static str,
    level: &'a str,
    more: bool,
    #[serde(flatten)]
    level_entries: EntriesLevel,
}

/// Return a page of the entries that a pattern matches, or a level of the tree that keys form.
///
/// Cancel safety: nothing is changed.
pub(super) async fn keys(cache: &Cache, parts: &Parts) -> Result<Reply, Reply> {
    let mut parameters = Parameters::of(parts)?;
    let pattern = parameters.take("pattern")?;
    let level = parameters.take("level")?;
    let after = parameters.take("after")?;
    let limit = match parameters.take("limit")? {
        Some(limit) => read_limit(&limit)?,
        None => LIMIT,
    };
    parameters.end()?;
    let after = after.as_deref();
    let Some(level) = level else {
        let pattern = pattern.as_deref().unwrap_or("*");
        let page = cache.entries_page(pattern, after, limit).await;
        let page = page.map_err(|error| failed(&error))?;
        return Ok(Reply::ok(&Listed {
            status: "success",
            pattern,
            more: page.next.is_some(),
            page,
        }));
    };
    if pattern.is_some() {
        let error = "give `pattern` or `level`, not both";
        return Err(Reply::error(StatusCode::BAD_REQUEST, error));
    }
    if !level.is_empty() && !level.ends_with(':') {
        let error = "`level` is a prefix that ends in `:`, such as `posts:`, or empty for the top";
        return Err(Reply::error(StatusCode::BAD_REQUEST, error));
    }
    let found = cache.entries_below(&level, after, limit).await;
    let found = found.map_err(|error| failed(&error))?;
    Ok(Reply::ok(&Below {
        status: "success",
        level: &level,
        more: found.next.is_some(),
        level_entries: found,
    }))
}

fn read_limit(text: &str) -> Result<usize, Reply> {
    let limit = text.parse().ok();
    limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| {
            let error = format!("`limit` is a number from 1 to {MAX_LIMIT}");
            Reply::error(StatusCode::BAD_REQUEST, error)
        })
}

fn failed(error: &CacheError) -> Reply {
    let status = match error {
        CacheError::InvalidOption { .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Reply::error(status, error)
}

#[derive(Serialize)]
struct Inspected<'a> {
    status: &'static str,
    #[serde(flatten)]
    entry: &'a Inspection,
    stale: bool,
    /// The functions whose template makes the key.
    functions: Vec<String>,
    /// The writes that reach it.
    removed_by: Vec<String>,
    /// There only if asked for; `null` if the codec doesn't describe its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Option<AnyValue>>,
}

/// The part of an entry that a request asks for.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Facts,
    /// The value, too, as JSON.
    Value,
    /// Only the value, as its codec wrote it.
    Bytes,
}

/// Return what is at a key. The value may be personal data, so it needs the right to change
/// entries, and each one that is shown is logged.
///
/// Cancel safety: nothing is changed.
pub(super) async fn key(cache: &Cache, parts: &Parts, access: Access) -> Result<Reply, Reply> {
    let wrong = |error: &str| Reply::error(StatusCode::BAD_REQUEST, error);
    let mut parameters = Parameters::of(parts)?;
    let key = parameters.take("key")?;
    let wanted = match parameters.take("value")?.as_deref() {
        None | Some("0") => Wanted::Facts,
        Some("1") => Wanted::Value,
        Some("raw") => Wanted::Bytes,
        Some(_) => return Err(wrong("`value` is 1, `raw`, or isn't there")),
    };
    let shows_value = wanted != Wanted::Facts;
    parameters.end()?;
    let key = key.ok_or_else(|| wrong("`key` is missing; send `/key?key=posts:42`"))?;
    if shows_value && access < Access::Admin {
        let error = "values need `Access::Admin`, since they may be personal data; this request has `Access::Read`";
        return Err(Reply::error(StatusCode::FORBIDDEN, error));
    }
    let entry = cache.inspect(&key).await;
    let entry = entry.map_err(|error| failed(&error))?.ok_or_else(|| {
        let error = format!("nothing is cached at {key:?}");
        Reply::error(StatusCode::NOT_FOUND, error)
    })?;
    if shows_value {
        let caller = caller(parts);
        tracing::info!(
            target: "cache", op = "show-value", caller, key = entry.key,
            "[Cache] ADMIN the value at {:?} is shown to {caller}", entry.key
        );
    }
    if wanted == Wanted::Bytes {
        let bytes = entry.value_bytes().ok_or_else(|| {
            let error = format!("what is at {key:?} has no value that can be read");
            Reply::error(StatusCode::NOT_FOUND, error)
        })?;
        return Ok(Reply::text(
            StatusCode::OK,
            "application/octet-stream",
            bytes,
        ));
    }
    let topology = topology();
    let reads = topology.reads_of(&entry.path).into_iter();
    let writes = topology.writes_to(&entry.path).into_iter();
    Ok(Reply::ok(&Inspected {
        status: "success",
        stale: entry.is_stale(),
        functions: reads
            .map(|read| format!("{}::{}", read.module, read.function))
            .collect(),
        removed_by: writes
            .map(|write| format!("{}::{}", write.module, write.function))
            .collect(),
        value: shows_value.then(|| entry.decode()),
        entry: &entry,
    }))
}
