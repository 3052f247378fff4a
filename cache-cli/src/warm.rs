//! `warm`: run a warmer, or list the warmers.

use std::process::ExitCode;
use std::time::Duration;

use cache_runtime::Cache;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::args::WarmArgs;
use crate::entry::time;
use crate::failure::Failure;
use crate::output::{Output, duration, printable, table};
use crate::progress::Progress;
use crate::source::Source;

/// A run, as the runtime and the admin API report it.
#[derive(Deserialize)]
struct Run {
    warmer: String,
    outcome: String,
    error: Option<String>,
    expected: u64,
    items: u64,
    fresh: u64,
    computed: u64,
    uncached: u64,
    failed: u64,
    seconds: f64,
}

/// A warmer.
#[derive(Deserialize)]
struct Warmer {
    name: String,
    description: String,
    every: Option<f64>,
    at_start: bool,
    last: Option<Run>,
}

pub(crate) async fn run(
    args: &WarmArgs,
    source: Source<'_>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let Some(name) = &args.name else {
        return list(source, *output);
    };
    let progress = Progress::new("warming");
    let report = match source {
        Source::Cache(cache) => of_cache(cache, name, &args.args).await?,
        Source::App(app) => of_app(app, name, &args.args)?,
    };
    drop(progress);
    let run: Run = read(report.clone())?;
    let is_ok = run.outcome == "complete" && run.failed == 0;
    match output.json {
        true => output.json(&report)?,
        false => output.text(&run.text()),
    }
    Ok(ExitCode::from(u8::from(!is_ok)))
}

/// The error in a program that has no warmers.
fn no_warmers() -> Failure {
    Failure::Usage(
        "this program has no warmers: they are functions of the service. Give `--app` with the URL of its admin API, or \
         run the command from its own binary, with `cache_cli::Args` and the warmers given to the cache"
            .to_owned(),
    )
}

async fn of_cache(cache: &Cache, name: &str, args: &[String]) -> Result<Value, Failure> {
    if cache.warmers().is_empty() {
        return Err(no_warmers());
    }
    let report = cache.warm(name, args.to_vec()).await?;
    to_value(&report)
}

fn of_app(app: &App, name: &str, args: &[String]) -> Result<Value, Failure> {
    let mut told: Value = app.post("warm", &json!({ "name": name, "args": args }))?;
    Ok(match told.get_mut("report") {
        Some(report) => report.take(),
        None => told,
    })
}

fn list(source: Source<'_>, output: Output) -> Result<ExitCode, Failure> {
    let told = match source {
        Source::Cache(cache) => {
            let warmers = cache.warmers();
            if warmers.is_empty() {
                return Err(no_warmers());
            }
            to_value(&warmers)?
        }
        Source::App(app) => {
            let told: Value = app.get("warmers", &[])?;
            told.get("warmers").cloned().unwrap_or(told)
        }
    };
    if output.json {
        output.json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let warmers: Vec<Warmer> = read(told)?;
    let rows: Vec<Vec<String>> = warmers
        .iter()
        .map(|warmer| {
            let every = warmer
                .every
                .map(|every| format!("every {}", duration(time(every))));
            let start = warmer.at_start.then(|| "at start".to_owned());
            let runs: Vec<String> = start.into_iter().chain(every).collect();
            let last = warmer.last.as_ref();
            vec![
                printable(&warmer.name),
                match runs.is_empty() {
                    true => "by name".to_owned(),
                    false => runs.join(", "),
                },
                last.map_or_else(|| "-".to_owned(), |last| last.outcome.clone()),
                printable(&warmer.description),
            ]
        })
        .collect();
    output.text(&table(
        &["WARMER", "RUNS", "LAST", "DESCRIPTION"],
        &[false; 4],
        &rows,
    ));
    Ok(ExitCode::SUCCESS)
}

impl Run {
    fn text(&self) -> String {
        let took: Duration = time(self.seconds);
        let of = match self.expected > self.items {
            true => format!("{} of {}", self.items, self.expected),
            false => self.items.to_string(),
        };
        let mut text = format!(
            "{}: {} after {}\n{of} items: {} fresh, {} computed, {} not cached, {} failed\n",
            printable(&self.warmer),
            printable(&self.outcome),
            duration(took),
            self.fresh,
            self.computed,
            self.uncached,
            self.failed
        );
        if let Some(error) = &self.error {
            text.push_str(&format!("error: {}\n", printable(error)));
        }
        text
    }
}

fn to_value(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Failed(error.to_string()))
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value)
        .map_err(|error| Failure::Failed(format!("the answer can't be read: {error}")))
}
