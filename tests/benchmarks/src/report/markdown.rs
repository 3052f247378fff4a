//! Tables for people, in a terminal and on a page.

use std::io;

use super::table::{Table, figure};
use crate::machine::Machine;

/// A Markdown table, with its columns aligned, so that it can be read as text too; then what was to be reached.
pub fn table(table: &Table) -> String {
    let mut text = aligned(&table.cells());
    if let Some(reference) = &table.reference {
        text += &format!("\nRatios are to *{reference}*.\n");
    }
    if !table.goals.is_empty() {
        text += &format!("\n{}", aligned(&goal_cells(std::slice::from_ref(table))));
    }
    text
}

/// What was to be reached, of all tables.
pub fn goals(tables: &[Table]) -> String {
    aligned(&goal_cells(tables))
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

/// The page with what stands between `<!-- table: name -->` and `<!-- end -->` replaced.
///
/// # Errors
///
/// If the page has no such place.
pub fn replace(page: &str, name: &str, with: &str) -> io::Result<String> {
    let opening = format!("<!-- table: {name} -->");
    let missing = || {
        io::Error::other(format!(
            "docs/benchmarks.md lacks {opening} .. <!-- end -->"
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
    fn columns_are_aligned() {
        let mut shown = Table::new("t", "T", "ns").goal(Goal::at_most("fast", 2.0, 1.0));
        shown.push("ours", 12.0, None);
        let text = table(&shown);
        assert!(
            text.starts_with("|      | ns   |\n|------|-----:|\n| ours | 12.0 |\n"),
            "{text}"
        );
        assert!(
            text.contains("| fast   | ≤ 1.00 | 2.00  | **no** |"),
            "{text}"
        );
    }
}
