//! `ls`: the entries that a pattern matches.
//!
//! They are read page by page, and what is kept is bounded: the entries that are shown, or the nodes
//! of a tree.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use crate::args::{LsArgs, Sort};
use crate::entry::Entry;
use crate::failure::Failure;
use crate::output::{Output, duration, entries, printable, size, table};
use crate::source::Source;

/// Number of nodes of a tree. What comes later is counted in the nodes that there are.
const NODES: usize = 200_000;

/// The JSON output.
#[derive(Serialize)]
struct Shown<'a> {
    pattern: &'a str,
    entries: &'a [Entry],
    /// Whether more entries match.
    more: bool,
}

pub(crate) async fn run(
    args: &LsArgs,
    source: Source<'_>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if args.tree {
        return tree(args, source, *output).await;
    }
    // An order needs all matches, of which the first ones are kept.
    let needs_all = args.sort.is_some();
    let wanted = args.limit.saturating_add(1);
    let to_read = if needs_all { usize::MAX } else { wanted };
    let mut kept: Vec<Entry> = Vec::new();
    let mut all = 0;
    source
        .each_page(&args.pattern, to_read, |page| {
            all += page.len();
            kept.extend(page);
            if needs_all && kept.len() > wanted.saturating_mul(2) {
                sort(&mut kept, args.sort);
                kept.truncate(wanted);
            }
            needs_all || kept.len() < wanted
        })
        .await?;
    if !needs_all {
        kept.truncate(wanted);
    }
    sort(&mut kept, args.sort);
    let more = kept.len() > args.limit;
    kept.truncate(args.limit);
    if output.json {
        output.json(&Shown {
            pattern: &args.pattern,
            entries: &kept,
            more,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = match kept.is_empty() {
        true => format!("No entry matches {}.\n", printable(&args.pattern)),
        false => listed(&kept),
    };
    if more {
        text.push_str(&match needs_all {
            true => format!("{} of {all} entries; `--limit` shows more.\n", args.limit),
            false => format!("The first {} entries; `--limit` shows more.\n", args.limit),
        });
    }
    output.text(&text);
    Ok(ExitCode::SUCCESS)
}

fn sort(entries: &mut [Entry], by: Option<Sort>) {
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    match by {
        None => {}
        // One that never expires comes last.
        Some(Sort::Ttl) => entries.sort_by_key(|entry| entry.ttl().unwrap_or(Duration::MAX)),
        Some(Sort::Size) => entries.sort_by_key(|entry| Reverse(entry.bytes)),
        Some(Sort::Age) => entries.sort_by_key(|entry| Reverse(entry.age())),
    }
}

fn listed(entries: &[Entry]) -> String {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                printable(&entry.key),
                kind(entry).to_owned(),
                entry.ttl().map_or_else(|| "never".to_owned(), duration),
                entry.age().map_or_else(|| "-".to_owned(), duration),
                size(entry.bytes),
            ]
        })
        .collect();
    table(
        &["KEY", "KIND", "TTL", "AGE", "SIZE"],
        &[false, false, true, true, true],
        &rows,
    )
}

fn kind(entry: &Entry) -> &'static str {
    match &entry.kind[..] {
        "value" if entry.is_stale() => "stale",
        "value" => "value",
        "none" => "none",
        "error" => "error",
        "lease" | "write_lease" => "lease",
        _ => "unknown",
    }
}

/// A segment of paths, with what is below it.
#[derive(Default, Serialize)]
struct Branch {
    entries: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    below: BTreeMap<String, Branch>,
}

async fn tree(args: &LsArgs, source: Source<'_>, output: Output) -> Result<ExitCode, Failure> {
    let (mut root, mut room) = (Branch::default(), NODES);
    source
        .each_page(&args.pattern, usize::MAX, |page| {
            for entry in page {
                root.add(entry.bytes, entry.path.split(':'), &mut room);
            }
            true
        })
        .await?;
    if output.json {
        output.json(&root)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = Lines {
        shown: Vec::new(),
        limit: args.limit,
        hidden: 0,
    };
    root.draw("", &mut lines);
    let count = entries(root.entries);
    let mut text = format!(
        "{}  {}, {}\n",
        printable(&args.pattern),
        count,
        size(root.bytes)
    );
    lines.shown.iter().for_each(|line| text.push_str(line));
    if lines.hidden > 0 {
        text.push_str(&format!(
            "{} more lines; `--limit` shows more.\n",
            lines.hidden
        ));
    }
    if room == 0 {
        text.push_str(&format!(
            "The tree has more than {NODES} nodes; later ones are counted in those above them.\n"
        ));
    }
    output.text(&text);
    Ok(ExitCode::SUCCESS)
}

/// The lines that are drawn, up to a limit.
struct Lines {
    shown: Vec<String>,
    limit: usize,
    hidden: usize,
}

impl Branch {
    /// Add an entry. `room`: number of nodes that may still be made.
    fn add<'p>(&mut self, bytes: u64, path: impl Iterator<Item = &'p str>, room: &mut usize) {
        let mut branch = self;
        branch.count(bytes);
        for segment in path {
            if !branch.below.contains_key(segment) {
                if *room == 0 {
                    return;
                }
                *room -= 1;
            }
            branch = branch.below.entry(segment.to_owned()).or_default();
            branch.count(bytes);
        }
    }

    fn count(&mut self, bytes: u64) {
        self.entries += 1;
        self.bytes += bytes;
    }

    fn draw(&self, indent: &str, lines: &mut Lines) {
        let last = self.below.len().saturating_sub(1);
        for (at, (segment, branch)) in self.below.iter().enumerate() {
            let (mark, further) = match at == last {
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            if lines.shown.len() < lines.limit {
                let (entries, segment) = (entries(branch.entries), printable(segment));
                let size = size(branch.bytes);
                lines
                    .shown
                    .push(format!("{indent}{mark}{segment}  {entries}, {size}\n"));
            } else {
                lines.hidden += 1;
            }
            branch.draw(&format!("{indent}{further}"), lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_bounded_and_counts_what_it_has_no_room_for() {
        let (mut root, mut room) = (Branch::default(), 3);
        for path in ["a:1", "a:2", "a:3", "b:1"] {
            root.add(10, path.split(':'), &mut room);
        }
        assert_eq!((root.entries, root.bytes), (4, 40));
        let a = &root.below["a"];
        assert_eq!((a.entries, a.below.len()), (3, 2));
        assert!(!root.below.contains_key("b"));
    }
}
