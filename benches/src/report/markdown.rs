//! Markdown for the terminal and for `docs/benchmarks.md`.

use std::io;

use super::table::{Table, figure};
use crate::machine::Machine;

/// A row of the summary: what is measured, its table, the row of `cache-runtime`, its peers' rows.
type Compared = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// The summary at the top of the page.
const SUMMARY: &[Compared] = &[
    (
        "memory hit on `Arc`, 30,000 keys in a shared store",
        "one-store",
        "cache-runtime, Arc",
        &["cached, concurrent, Arc", "moka, formatted key"],
    ),
    (
        "memory hit on `Arc`, 10,000 keys",
        "memory-hit",
        "cache-runtime, Arc",
        &["cached, concurrent, Arc", "moka, formatted key"],
    ),
    (
        "memory hit on `Arc`, one hot key",
        "two-threads",
        "cache-runtime, 1 thread",
        &[
            "cached, concurrent, 1 thread",
            "moka, formatted key, 1 thread",
        ],
    ),
    (
        "near-cache hit",
        "near-hit",
        "cache-runtime, near cache",
        &["cache-runtime, Redis"],
    ),
    (
        "Redis hits, 64 callers",
        "redis-hit-64",
        "cache-runtime",
        &["redis by hand", "cached"],
    ),
    (
        "Redis miss and fill, one caller",
        "redis-fill-1",
        "cache-runtime",
        &["redis by hand", "cached"],
    ),
    (
        "invalidate 100 of 1,000,000 keys in memory",
        "invalidation-memory",
        "cache-runtime, 1,000,000 keys",
        &["quick_cache, retain, 1,000,000 keys"],
    ),
    (
        "invalidate 100 of 1,000,000 keys on Redis",
        "invalidation-redis",
        "cache-runtime, 1,000,000 keys",
        &["SCAN and UNLINK, 1,000,000 keys"],
    ),
];

/// The figures of a memory hit on `Arc`: the set-up, its table, and its row.
const MEMORY_HITS: &[(&str, &str, &str)] = &[
    (
        "one hot key, one thread",
        "two-threads",
        "cache-runtime, 1 thread",
    ),
    (
        "30,000 random keys of three functions, other code in between, sync",
        "one-store",
        "cache-runtime, Arc",
    ),
    (
        "10,000 random keys, sync",
        "memory-hit",
        "cache-runtime, Arc",
    ),
    (
        "10,000 random keys, async",
        "memory-hit",
        "cache-runtime, Arc, async",
    ),
    (
        "10,000 random keys, sync, in the table of keys",
        "keys",
        "cache-runtime, one placeholder",
    ),
    (
        "10,000 random keys, async, in a task of a multi-threaded runtime",
        "near-hit",
        "cache-runtime, memory",
    ),
];

/// Format a table for a terminal: its figures, then its targets.
pub fn table(table: &Table) -> String {
    let mut text = figures(table);
    if !table.goals.is_empty() {
        text += &format!("\n{}", aligned(&goal_cells(std::slice::from_ref(table))));
    }
    text
}

/// Format what is in a table's place on the page: its chart, then its figures. The image is part of
/// it, so a table that was never measured links no chart that doesn't exist.
pub fn section(table: &Table) -> String {
    let Table { name, title, .. } = table;
    format!("![{title}](benchmarks/{name}.svg)\n\n{}", figures(table))
}

/// Format the figures, with aligned columns, so that they can be read as text.
fn figures(table: &Table) -> String {
    let mut text = aligned(&table.cells());
    if let Some(reference) = &table.reference {
        text += &format!("\nRatios are to *{reference}*.\n");
    }
    text
}

/// Format the targets of all tables.
pub fn goals(tables: &[Table]) -> String {
    aligned(&goal_cells(tables))
}

/// Format the summary, by the tables that were measured.
pub fn summary(tables: &[Table]) -> String {
    let heading = ["", "unit", "cache-runtime", "beside it"];
    let rows = SUMMARY.iter().filter_map(|(what, name, own, peers)| {
        let table = tables.iter().find(|table| table.name == *name)?;
        let of = |name: &str| median(table, name);
        let peers: Vec<String> = peers
            .iter()
            .filter_map(|peer| Some(format!("{peer}: {}", of(peer)?)))
            .collect();
        let what = (*what).to_owned();
        Some(vec![what, table.unit.clone(), of(own)?, peers.join("; ")])
    });
    with_heading(heading, rows)
}

/// Format the figures of a memory hit, each with its set-up.
pub fn memory_hits(tables: &[Table]) -> String {
    let heading = ["set-up", "ns per call", "table"];
    let rows = MEMORY_HITS.iter().filter_map(|(set_up, name, row)| {
        let table = tables.iter().find(|table| table.name == *name)?;
        Some(vec![
            (*set_up).to_owned(),
            median(table, row)?,
            table.title.clone(),
        ])
    });
    with_heading(heading, rows)
}

fn with_heading<const N: usize>(
    heading: [&str; N],
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let heading = heading.map(str::to_owned).to_vec();
    let all: Vec<Vec<String>> = std::iter::once(heading).chain(rows).collect();
    aligned(&all)
}

/// Format the median of a row, if there is one.
fn median(table: &Table, name: &str) -> Option<String> {
    let row = table.rows.iter().find(|row| row.name == name)?;
    Some(figure(row.median))
}

fn goal_cells(tables: &[Table]) -> Vec<Vec<String>> {
    let heading = ["target", "bound", "found", "met"]
        .map(str::to_owned)
        .to_vec();
    let goals = tables.iter().flat_map(|table| &table.goals).map(|goal| {
        let met = if goal.met() { "yes" } else { "**no**" };
        vec![
            goal.what.clone(),
            goal.bound(),
            figure(goal.figure),
            met.to_owned(),
        ]
    });
    std::iter::once(heading).chain(goals).collect()
}

/// Format the line about the machine.
pub fn machine(machine: &Machine) -> String {
    let Machine {
        cores,
        processor,
        system,
        rust,
        redis,
    } = machine;
    format!("{cores} cores of {processor}, {system}; {rust}; {redis}.\n")
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).max(3)).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            text += &format!("| {cell:<width$} ");
        }
        text += "|\n";
        if at == 0 {
            for (column, width) in widths.iter().enumerate() {
                let (dashes, end) = if column == 0 {
                    (width + 2, "")
                } else {
                    (width + 1, ":")
                };
                text += &format!("|{}{end}", "-".repeat(dashes));
            }
            text += "|\n";
        }
    }
    text
}

/// Replace the text between `<!-- table: name -->` and `<!-- end -->` on a page.
///
/// # Errors
///
/// Fails if the page has no such place.
pub fn replace(page: &str, name: &str, with: &str) -> io::Result<String> {
    let opening = format!("<!-- table: {name} -->");
    let missing = || {
        io::Error::other(format!(
            "there is no {opening} .. <!-- end -->; add both lines where the table belongs"
        ))
    };
    let (before, rest) = page.split_once(&opening).ok_or_else(missing)?;
    let (_, after) = rest.split_once("<!-- end -->").ok_or_else(missing)?;
    Ok(format!("{before}{opening}\n\n{with}\n<!-- end -->{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Goal;

    #[test]
    fn only_the_named_place_is_replaced() {
        let page = "a\n<!-- table: x -->\nold\n<!-- end -->\nb\n<!-- table: y -->\n<!-- end -->\n";
        let new = replace(page, "x", "new\n").expect("there is a place");
        assert_eq!(new, page.replace("\nold\n", "\n\nnew\n\n"));
        assert_eq!(replace(&new, "x", "new\n").expect("still"), new);
        assert!(replace(page, "z", "").is_err());
    }

    #[test]
    fn a_section_links_its_chart_and_leaves_targets_out() {
        let mut shown = Table::new("t", "T", "ns").goal(Goal::at_most("fast", 2.0, 1.0));
        shown.push("mine", 12.0, None);
        let text = section(&shown);
        assert!(text.starts_with("![T](benchmarks/t.svg)\n\n|"), "{text}");
        assert!(!text.contains("fast"), "{text}");
    }

    #[test]
    fn the_summary_finds_every_row_that_it_names() {
        let latest = crate::report::docs().join("benchmarks/latest.json");
        let latest = std::fs::read(latest).expect("it is in the repository");
        let mut latest: serde_json::Value = serde_json::from_slice(&latest).expect("it is JSON");
        let tables: Vec<Table> = serde_json::from_value(latest["tables"].take()).expect("tables");
        let heading = 2;
        assert_eq!(
            memory_hits(&tables).lines().count(),
            MEMORY_HITS.len() + heading
        );
        let text = summary(&tables);
        assert_eq!(text.lines().count(), SUMMARY.len() + heading, "{text}");
        for peer in SUMMARY.iter().flat_map(|(_, _, _, peers)| *peers) {
            assert!(text.contains(&format!("{peer}: ")), "{peer}");
        }
    }

    #[test]
    fn columns_are_aligned() {
        let mut shown = Table::new("t", "T", "ns").goal(Goal::at_most("fast", 2.0, 1.0));
        shown.push("mine", 12.0, None);
        let text = table(&shown);
        assert!(
            text.starts_with("|      | ns   |\n|------|-----:|\n| mine | 12.0 |\n"),
            "{text}"
        );
        assert!(
            text.contains("| fast   | ≤ 1.00 | 2.00  | **no** |"),
            "{text}"
        );
    }
}
