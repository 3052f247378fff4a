//! `doctor`: look for problems, and say how to mend each.

use std::process::ExitCode;

use cache_runtime::{Cache, FindingLevel};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::failure::Failure;
use crate::output::{Color, Output, printable};
use crate::progress::Progress;
use crate::source::Source;

/// Result of one check, as the admin API tells it.
#[derive(Debug, Deserialize, Serialize)]
struct Finding {
    check: String,
    level: Level,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    /// Worth knowing, and no problem.
    Note,
    Problem,
}

pub(crate) async fn run(source: Source<'_>, output: &Output) -> Result<ExitCode, Failure> {
    let progress = Progress::new("checks");
    let findings = match source {
        Source::Cache(cache) => of_cache(cache).await,
        Source::App(app) => of_app(app)?,
    };
    drop(progress);
    let problems = findings
        .iter()
        .filter(|finding| finding.level == Level::Problem)
        .count();
    match output.json {
        true => output.json(&findings)?,
        false => output.text(&text(&findings, problems, *output)),
    }
    Ok(ExitCode::from(u8::from(problems > 0)))
}

async fn of_cache(cache: &Cache) -> Vec<Finding> {
    let findings = cache.findings().await.into_iter();
    let findings = findings.map(|finding| Finding {
        check: finding.check.to_owned(),
        level: match finding.level {
            FindingLevel::Ok => Level::Ok,
            FindingLevel::Problem => Level::Problem,
            _ => Level::Note,
        },
        text: finding.text,
        fix: finding.fix.map(std::borrow::Cow::into_owned),
    });
    findings.collect()
}

fn of_app(app: &App) -> Result<Vec<Finding>, Failure> {
    #[derive(Deserialize)]
    struct Told {
        findings: Vec<Finding>,
    }
    app.get("doctor", &[]).map(|told: Told| told.findings)
}

fn text(findings: &[Finding], problems: usize, output: Output) -> String {
    let mut text = String::new();
    for finding in findings {
        let (level, color) = match finding.level {
            Level::Ok => ("ok     ", Color::Green),
            Level::Note => ("note   ", Color::Yellow),
            Level::Problem => ("problem", Color::Red),
        };
        text.push_str(&format!(
            "{}  {:12} {}\n",
            output.colored(level, color),
            printable(&finding.check),
            printable(&finding.text)
        ));
        if let Some(fix) = &finding.fix {
            text.push_str(&format!("{:23}fix: {}\n", "", printable(fix)));
        }
    }
    text.push_str(&match problems {
        0 => "\nNo problems.\n".to_owned(),
        1 => "\n1 problem.\n".to_owned(),
        count => format!("\n{count} problems.\n"),
    });
    text
}
