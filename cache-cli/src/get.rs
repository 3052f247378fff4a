//! `get`: what is at a key.

use std::process::ExitCode;

use cache_runtime::{AnyValue, Cache, topology};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::args::GetArgs;
use crate::entry::Entry;
use crate::failure::Failure;
use crate::output::{Output, duration, printable, size};
use crate::source::Source;

const NO_TOPOLOGY: &str =
    "unknown: this program has no annotated functions (run the command from your own binary)";

/// The JSON output, and that of the admin API.
#[derive(Deserialize, Serialize)]
struct Shown {
    #[serde(flatten)]
    entry: Entry,
    stale: bool,
    /// `null` in a program without annotated functions.
    functions: Option<Vec<String>>,
    removed_by: Option<Vec<String>>,
    /// `null` if it isn't known.
    #[serde(default)]
    value: Option<AnyValue>,
    /// Why the value isn't known.
    #[serde(skip)]
    hidden: Option<String>,
}

pub(crate) async fn run(
    args: &GetArgs,
    source: Source<'_>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let shown = match source {
        Source::Cache(cache) if args.raw => return raw(cache, &args.key, *output).await,
        Source::Cache(cache) => of_cache(cache, &args.key).await?,
        Source::App(app) if args.raw => return raw_of_app(app, &args.key, *output),
        Source::App(app) => of_app(app, &args.key)?,
    };
    match output.json {
        true => output.json(&shown)?,
        false => output.text(&text(&shown)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn nothing_at(key: &str) -> Failure {
    Failure::Failed(format!("nothing is cached at {key}"))
}

async fn raw(cache: &Cache, key: &str, output: Output) -> Result<ExitCode, Failure> {
    let entry = cache.inspect(key).await?;
    let entry = entry.ok_or_else(|| nothing_at(&full_key(cache, key)))?;
    let Some(bytes) = entry.value_bytes() else {
        let kind = kind(&Entry::from(&entry));
        let text = format!("{} has no value: it is {kind}", entry.key);
        return Err(Failure::Failed(text));
    };
    output.bytes(&bytes);
    Ok(ExitCode::SUCCESS)
}

fn raw_of_app(app: &App, key: &str, output: Output) -> Result<ExitCode, Failure> {
    output.bytes(&app.bytes("key", &[("key", key), ("value", "raw")])?);
    Ok(ExitCode::SUCCESS)
}

async fn of_cache(cache: &Cache, key: &str) -> Result<Shown, Failure> {
    let entry = cache.inspect(key).await?;
    let entry = entry.ok_or_else(|| nothing_at(&full_key(cache, key)))?;
    let value = entry.decode();
    let hidden = match (&value, entry.codec) {
        (Some(_), _) => None,
        (None, Some("messagepack") | None) => {
            Some("The value can't be decoded; `--raw` writes its bytes.".to_owned())
        }
        (None, Some(codec)) => Some(format!(
            "The value isn't shown: {codec} stores values without names. `--raw` writes its bytes;\n\
             `Codec::MessagePack` stores values that can be shown."
        )),
    };
    Ok(Shown {
        stale: entry.is_stale(),
        functions: functions(&entry.path),
        removed_by: removed_by(&entry.path),
        value,
        hidden,
        entry: Entry::from(&entry),
    })
}

/// Ask a service. Values need the right to change entries: without it, all else is shown.
fn of_app(app: &App, key: &str) -> Result<Shown, Failure> {
    let with_value = app.find::<Shown>("key", &[("key", key), ("value", "1")])?;
    let (found, hidden) = match with_value {
        Err(refused) if refused.status.as_u16() == 403 => {
            let hidden = "The value isn't shown: that needs `Access::Admin`.";
            (app.find::<Shown>("key", &[("key", key)])?, hidden)
        }
        found => (
            found,
            "The value isn't shown: its codec stores values without names. `Codec::MessagePack` stores \
             values that can be shown.",
        ),
    };
    match found {
        Ok(mut shown) => {
            shown.hidden = shown.value.is_none().then(|| hidden.to_owned());
            Ok(shown)
        }
        Err(refused) if refused.status.as_u16() == 404 && refused.is_of_api => Err(nothing_at(key)),
        Err(refused) => Err(refused.into()),
    }
}

fn full_key(cache: &Cache, key: &str) -> String {
    let prefix = format!("{}:", cache.prefix());
    match key.starts_with(&prefix) {
        true => key.to_owned(),
        false => prefix + key,
    }
}

/// Return the functions whose template makes the path; `None` where the program has no functions.
fn functions(path: &str) -> Option<Vec<String>> {
    let topology = topology();
    let reads = topology.reads_of(path);
    let names = reads
        .iter()
        .map(|read| format!("{}::{}", read.module, read.function));
    (!topology.reads.is_empty()).then(|| names.collect())
}

fn removed_by(path: &str) -> Option<Vec<String>> {
    let topology = topology();
    let writes = topology.writes_to(path);
    let names = writes
        .iter()
        .map(|write| format!("{}::{}", write.module, write.function));
    (!topology.reads.is_empty()).then(|| names.collect())
}

fn kind(entry: &Entry) -> &'static str {
    match &entry.kind[..] {
        "value" if entry.is_stale() => "a stale value",
        "value" => "a value",
        "none" => "a cached None",
        "error" => "a cached error",
        "lease" => "a lease: a caller is computing the value",
        "write_lease" => "a lease: a write-through is storing the value",
        _ => "unknown: no entry of this release",
    }
}

fn text(shown: &Shown) -> Result<String, Failure> {
    let entry = &shown.entry;
    let stored = match entry.expanded_bytes {
        Some(expanded) => format!(
            "{} stored, {} as a value",
            size(entry.bytes),
            size(expanded)
        ),
        None => size(entry.bytes),
    };
    let names = |names: &Option<Vec<String>>| match names {
        None => NO_TOPOLOGY.to_owned(),
        Some(names) if names.is_empty() => "none".to_owned(),
        Some(names) => names.join(", "),
    };
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let rows = [
        ("key", printable(&entry.key)),
        ("kind", kind(entry).to_owned()),
        ("version", entry.version.to_string()),
        ("codec", or_dash(entry.codec.as_deref().map(printable))),
        (
            "compression",
            or_dash(entry.compression.as_deref().map(printable)),
        ),
        ("age", or_dash(entry.age().map(duration))),
        (
            "ttl",
            entry
                .ttl()
                .map_or_else(|| "never expires".to_owned(), duration),
        ),
        ("grace", or_dash(entry.grace().map(duration))),
        ("compute", or_dash(entry.compute().map(duration))),
        ("bytes", stored),
        (
            "checksum",
            or_dash(entry.intact.map(|intact| match intact {
                true => "ok".to_owned(),
                false => {
                    "wrong: the bytes are damaged, and readers treat them as a miss".to_owned()
                }
            })),
        ),
        ("owner", or_dash(entry.owner.as_deref().map(printable))),
        (
            "refreshing",
            if entry.refreshing { "yes" } else { "no" }.to_owned(),
        ),
        ("functions", names(&shown.functions)),
        ("removed by", names(&shown.removed_by)),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        text.push_str(&format!("{name:12} {value}\n"));
    }
    if entry.kind != "value" {
        return Ok(text);
    }
    text.push('\n');
    if let Some(value) = &shown.value {
        let json = serde_json::to_string_pretty(value);
        text.push_str(&json.map_err(|error| Failure::Failed(error.to_string()))?);
        text.push('\n');
    } else if let Some(hidden) = &shown.hidden {
        text.push_str(hidden);
        text.push('\n');
        if let Some(shape) = &entry.shape {
            let lines: Vec<String> = shape.lines().map(printable).collect();
            text.push_str(&format!("\nIts type:\n\n{}\n", lines.join("\n")));
        }
    }
    Ok(text)
}
