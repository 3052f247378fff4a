//! `clear`: remove entries.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use cache_runtime::topology;
use serde::Serialize;

use crate::args::ClearArgs;
use crate::failure::Failure;
use crate::output::{Output, entries, printable, size};
use crate::source::Source;

/// Number of examples that are shown.
const EXAMPLES: usize = 5;

/// Entries that would be removed.
#[derive(Serialize)]
struct Preview {
    pattern: String,
    entries: u64,
    bytes: u64,
    examples: Vec<String>,
    /// Entries by the function whose template makes the path; `null` in a program without annotated
    /// functions.
    functions: Option<BTreeMap<String, u64>>,
}

/// The removed entries, as JSON.
#[derive(Serialize)]
struct Removed<'a> {
    pattern: &'a str,
    removed: u64,
}

pub(crate) async fn run(
    args: &ClearArgs,
    source: Source<'_>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let pattern = pattern(args, source)?;
    if args.dry_run {
        let preview = preview(&pattern, source).await?;
        match output.json {
            true => output.json(&preview)?,
            false => output.text(&preview.text("Would remove")),
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !is_confirmed(&pattern, source).await? {
        output.text("Nothing was removed.\n");
        return Ok(ExitCode::from(1));
    }
    let removed = source.clear(&pattern).await?;
    match output.json {
        true => output.json(&Removed {
            pattern: &pattern,
            removed,
        })?,
        false => output.text(&format!("Removed {}.\n", entries(removed))),
    }
    Ok(ExitCode::SUCCESS)
}

fn pattern(args: &ClearArgs, source: Source<'_>) -> Result<String, Failure> {
    if let Some(pattern) = &args.pattern {
        return Ok(pattern.clone());
    }
    let Some(name) = &args.function else {
        return Ok("*".to_owned());
    };
    let reads = reads(source)?;
    if reads.is_empty() {
        return Err(Failure::Usage(
            "this program has no annotated functions, so `--function` names none; use `--pattern`, or run the command \
             from your own binary"
                .to_owned(),
        ));
    }
    let mut named = reads.iter().filter(|read| {
        read.function == *name || format!("{}::{}", read.module, read.function) == *name
    });
    match (named.next(), named.next()) {
        (Some(read), None) => Ok(read.pattern.clone()),
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "several functions are named {name}; give the module, too: `--function module::{name}`"
        ))),
        _ => Err(Failure::Usage(format!(
            "no cached function is named {name}; `topology` lists them"
        ))),
    }
}

/// A cached function, and the pattern of its keys.
struct Read {
    function: String,
    module: String,
    pattern: String,
}

fn reads(source: Source<'_>) -> Result<Vec<Read>, Failure> {
    if let Source::App(app) = source {
        let told: crate::topology::Told = app.get("topology", &[])?;
        let reads = told.reads.into_iter().map(|read| Read {
            pattern: pattern_of(&read.template),
            function: read.function,
            module: read.module,
        });
        return Ok(reads.collect());
    }
    let reads = topology().reads.into_iter().map(|read| Read {
        pattern: read.pattern(),
        function: read.function.to_owned(),
        module: read.module.to_owned(),
    });
    Ok(reads.collect())
}

/// Return the pattern that matches every key of a template: `posts:*` of `posts:<<slug>>`.
fn pattern_of(template: &str) -> String {
    let mut pattern = String::new();
    let mut rest = template;
    loop {
        let next = [("<<", ">>"), ("{{", "}}")]
            .into_iter()
            .filter_map(|(open, close)| Some((rest.find(open)?, close)))
            .min();
        let Some((start, close)) = next else {
            return pattern + rest;
        };
        pattern.push_str(&rest[..start]);
        pattern.push('*');
        rest = match rest[start..].find(close) {
            Some(length) => &rest[start + length + close.len()..],
            None => "",
        };
    }
}

async fn preview(pattern: &str, source: Source<'_>) -> Result<Preview, Failure> {
    let topology = topology();
    let mut preview = Preview {
        pattern: pattern.to_owned(),
        entries: 0,
        bytes: 0,
        examples: Vec::new(),
        functions: (!topology.reads.is_empty()).then(BTreeMap::new),
    };
    let mut examples = BTreeSet::new();
    source
        .each_page(pattern, usize::MAX, |page| {
            for entry in page {
                preview.entries += 1;
                preview.bytes += entry.bytes;
                for counts in preview.functions.iter_mut() {
                    for read in topology.reads_of(&entry.path) {
                        let name = format!("{}::{}", read.module, read.function);
                        *counts.entry(name).or_default() += 1;
                    }
                }
                examples.insert(entry.key);
                if examples.len() > EXAMPLES {
                    examples.pop_last();
                }
            }
            true
        })
        .await?;
    preview.examples = examples.into_iter().collect();
    Ok(preview)
}

impl Preview {
    fn text(&self, verb: &str) -> String {
        let mut text = format!(
            "{verb} {} ({}) that {} matches.\n",
            entries(self.entries),
            size(self.bytes),
            printable(&self.pattern)
        );
        for example in &self.examples {
            text.push_str(&format!("  {}\n", printable(example)));
        }
        let more = self.entries - self.examples.len() as u64;
        if more > 0 {
            text.push_str(&format!("  and {more} more\n"));
        }
        for (function, count) in self.functions.iter().flatten() {
            text.push_str(&format!("{function}: {}\n", entries(*count)));
        }
        text
    }
}

/// Ask the person at the terminal. Without a terminal, a script must say `--yes`.
async fn is_confirmed(pattern: &str, source: Source<'_>) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "standard input isn't a terminal, so the command can't ask; add `--yes` to remove, or `--dry-run` to see what would be removed"
                .to_owned(),
        ));
    }
    let preview = preview(pattern, source).await?;
    // Not on standard output, which may be JSON for another program.
    let mut to = io::stderr();
    let _ = write!(
        to,
        "{}Remove them from {}? [y/N] ",
        preview.text("This removes"),
        source.name()
    );
    let _ = to.flush();
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.map_err(|error| Failure::Failed(format!("the answer can't be read: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::pattern_of;

    #[test]
    fn the_pattern_of_a_template_has_a_star_for_each_placeholder() {
        for (template, pattern) in [
            ("posts:<<slug>>", "posts:*"),
            ("a:{{x}}:<<y.z()>>:b", "a:*:*:b"),
            ("settings", "settings"),
            ("odd:<<x", "odd:*"),
        ] {
            assert_eq!(pattern_of(template), pattern);
        }
    }
}
