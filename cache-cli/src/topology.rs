//! `topology`: which functions are cached, and which writes remove their entries.

use std::process::ExitCode;

use cache_runtime::topology;
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::args::TopologyArgs;
use crate::failure::Failure;
use crate::output::{Output, printable, table};
use crate::source::Source;

/// The functions of a service, as its admin API tells them.
#[derive(Deserialize)]
pub(crate) struct Told {
    pub(crate) reads: Vec<Read>,
    writes: Vec<Write>,
}

/// A function that is cached.
#[derive(Deserialize)]
pub(crate) struct Read {
    pub(crate) function: String,
    pub(crate) module: String,
    pub(crate) template: String,
    ttl: String,
}

#[derive(Deserialize)]
struct Write {
    function: String,
    module: String,
    patterns: Vec<String>,
}

pub(crate) fn run(
    args: &TopologyArgs,
    source: Source<'_>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if let Source::App(app) = source {
        return of_app(args, app, *output);
    }
    let topology = topology();
    if output.json {
        output.json(&topology)?;
    } else if topology.reads.is_empty() && topology.writes.is_empty() {
        return Err(Failure::Failed(
            "this program has no annotated functions; run the command from your own binary, with `cache_cli::Args`, or give `--app`"
                .to_owned(),
        ));
    } else if args.mermaid {
        output.text(&topology.mermaid());
    } else {
        output.text(&topology.to_string());
    }
    Ok(ExitCode::SUCCESS)
}

fn of_app(args: &TopologyArgs, app: &App, output: Output) -> Result<ExitCode, Failure> {
    if args.mermaid {
        let graph = app.bytes("topology", &[("format", "mermaid")])?;
        for line in String::from_utf8_lossy(&graph).lines() {
            output.text(&format!("{}\n", printable(line)));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if output.json {
        let told: Value = app.get("topology", &[])?;
        output.json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let told: Told = app.get("topology", &[])?;
    let reads = told.reads.iter().map(|read| {
        vec![
            printable(&format!("{}::{}", read.module, read.function)),
            printable(&read.template),
            printable(&read.ttl),
        ]
    });
    let reads: Vec<Vec<String>> = reads.collect();
    let writes = told.writes.iter().flat_map(|write| {
        let patterns = write.patterns.iter();
        patterns.map(|pattern| {
            vec![
                printable(&format!("{}::{}", write.module, write.function)),
                printable(pattern),
            ]
        })
    });
    let writes: Vec<Vec<String>> = writes.collect();
    output.text(&format!(
        "{}\n{}",
        table(&["READ", "KEY", "TTL"], &[false; 3], &reads),
        table(&["WRITE", "PATTERN"], &[false; 2], &writes)
    ));
    Ok(ExitCode::SUCCESS)
}
