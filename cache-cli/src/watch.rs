//! `watch`: changes of entries, as they happen.

use std::io::{BufRead, Read as _};
use std::pin::pin;
use std::process::ExitCode;

use cache_runtime::Watch;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::args::WatchArgs;
use crate::entry::time;
use crate::failure::Failure;
use crate::interrupt::interrupted;
use crate::output::{Color, Output, duration, printable, size};
use crate::source::Source;

/// Longest line that is read: an event holds a key.
const MAX_LINE: u64 = 1 << 20;

/// A change, as the runtime and the admin API write it.
#[derive(Deserialize, Serialize)]
pub(crate) struct Event {
    /// Seconds since 1970.
    at: f64,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// Where changes come from.
enum Changes {
    OfCache(Box<Watch>),
    /// Lines that a thread reads from the service.
    OfApp(mpsc::Receiver<Result<Event, Failure>>),
}

impl Changes {
    async fn begin(source: Source<'_>, pattern: &str) -> Result<Self, Failure> {
        match source {
            Source::Cache(cache) => Ok(Self::OfCache(Box::new(cache.watch(pattern).await?))),
            Source::App(app) => {
                let lines = app.events("events", &[("pattern", pattern)])?;
                let (tell, told) = mpsc::channel(64);
                std::thread::spawn(move || read_events(lines, &tell));
                Ok(Self::OfApp(told))
            }
        }
    }

    async fn next(&mut self) -> Result<Option<Event>, Failure> {
        match self {
            Self::OfCache(watch) => match watch.next().await {
                Some(change) => event(&change).map(Some),
                None => Ok(None),
            },
            Self::OfApp(told) => told.recv().await.transpose(),
        }
    }
}

/// Read server-sent events until the stream ends, which is an error, or nobody listens.
fn read_events(mut lines: impl BufRead, tell: &mpsc::Sender<Result<Event, Failure>>) {
    let mut data = String::new();
    let cause = loop {
        let mut line = String::new();
        match lines.by_ref().take(MAX_LINE).read_line(&mut line) {
            Ok(0) => break "the service has ended the stream".to_owned(),
            Ok(_) => {}
            Err(error) => break format!("the stream from the service has ended: {error}"),
        }
        let line = line.trim_end_matches(['\n', '\r']);
        if let Some(part) = line.strip_prefix("data:") {
            data.push_str(part.trim_start());
        } else if line.is_empty() && !data.is_empty() {
            // Another kind of event, such as a greeting, is no change.
            if let Ok(event) = serde_json::from_str(&std::mem::take(&mut data))
                && tell.blocking_send(Ok(event)).is_err()
            {
                return;
            }
        }
    };
    let _ = tell.blocking_send(Err(Failure::Failed(cause)));
}

fn event(change: &impl Serialize) -> Result<Event, Failure> {
    let json = serde_json::to_value(change).and_then(serde_json::from_value);
    json.map_err(|error| Failure::Failed(error.to_string()))
}

/// Print changes until the process is interrupted, or nobody reads them.
pub(crate) async fn run(
    args: &WatchArgs,
    source: Source<'_>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let mut interrupted = pin!(interrupted());
    let mut changes = Changes::begin(source, &args.pattern).await?;
    if !output.json {
        let what = printable(&args.pattern);
        output.hint(&format!(
            "Watching {what}. Times are UTC. Ctrl-C ends it.\n"
        ));
    }
    loop {
        let next = tokio::select! {
            next = changes.next() => next?,
            () = &mut interrupted => return Ok(ExitCode::SUCCESS),
        };
        let Some(event) = next else {
            return Ok(ExitCode::SUCCESS);
        };
        let line = match output.json {
            true => json(&event)?,
            false => text(&event, *output),
        };
        if !output.line(&line) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn json(event: &Event) -> Result<String, Failure> {
    serde_json::to_string(event).map_err(|error| Failure::Failed(error.to_string()))
}

fn text(event: &Event, output: Output) -> String {
    let color = match &event.kind[..] {
        "filled" | "resumed" => Some(Color::Green),
        "removed" | "flushed" | "interrupted" => Some(Color::Red),
        "lost" | "evicted" | "unknown" => Some(Color::Yellow),
        _ => None,
    };
    let kind = format!("{:11}", printable(&event.kind));
    let kind = color.map_or(kind.clone(), |color| output.colored(&kind, color));
    let mut line = format!("{}  {kind}", time_of_day(event.at));
    if let Some(key) = &event.key {
        line.push_str(&format!("  {}", printable(key)));
    }
    if let Some(bytes) = event.bytes {
        line.push_str(&format!("  {}", size(bytes)));
    }
    if let Some(ttl) = event.ttl {
        line.push_str(&format!("  ttl {}", duration(time(ttl))));
    }
    if let Some(lost) = event.lost {
        line.push_str(&format!("  {lost} changes weren't told"));
    }
    if let Some(cause) = &event.cause {
        line.push_str(&format!("  {}", printable(cause)));
    }
    line
}

/// Return the time of day of seconds since 1970, in UTC: `12:03:04.567`.
fn time_of_day(at: f64) -> String {
    let millis = (at * 1e3).round() as u64 % 86_400_000;
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    format!(
        "{:02}:{:02}:{:02}.{millis:03}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_day_in_utc() {
        assert_eq!(time_of_day(1_700_000_000.25), "22:13:20.250");
        assert_eq!(time_of_day(0.0), "00:00:00.000");
    }

    #[tokio::test]
    async fn a_stream_of_events_is_read_and_its_end_is_an_error() {
        let stream = ": heartbeat\n\nevent: change\ndata: {\"at\":1,\ndata: \"kind\":\"filled\"}\n\ndata: hello\n\n";
        let (tell, told) = mpsc::channel(8);
        std::thread::spawn(move || read_events(stream.as_bytes(), &tell));
        let mut changes = Changes::OfApp(told);
        let first = changes.next().await.expect("it is read");
        assert_eq!(first.expect("it is one").kind, "filled");
        assert!(changes.next().await.is_err());
    }

    #[test]
    fn an_event_is_read_as_it_is_written() {
        let text = r#"{"at":1.5,"kind":"lost","lost":3}"#;
        let event: Event = serde_json::from_str(text).expect("it is one");
        assert_eq!(json(&event).expect("it is JSON"), text);
    }
}
