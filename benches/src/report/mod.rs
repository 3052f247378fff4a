//! Results: as text, Markdown, JSON and charts.

pub mod json;
pub mod markdown;
pub mod svg;
pub mod table;

pub use table::{Goal, Row, Table};

use std::io;
use std::path::{Path, PathBuf};

use crate::machine::Machine;

/// Return the folder `docs` of this repository.
pub fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Replace the tables on the pages, their charts and `latest.json`. Tables that weren't measured in
/// this run stay as they are. `place` returns a table's position on the page.
///
/// # Errors
///
/// Fails if a file can't be read or written, or a page has no place for a table.
pub fn write(
    folder: &Path,
    machine: &Machine,
    tables: &[Table],
    place: fn(&str) -> usize,
) -> io::Result<()> {
    let charts = folder.join("benchmarks");
    std::fs::create_dir_all(&charts)?;
    for table in tables {
        let file = charts.join(format!("{}.svg", table.name));
        std::fs::write(file, svg::chart(table))?;
    }
    let all = json::merge(&charts.join("latest.json"), machine, tables, place)?;
    let mut places: Vec<(&str, String)> = tables
        .iter()
        .map(|table| (table.name.as_str(), markdown::section(table)))
        .collect();
    places.push(("machine", markdown::machine(machine)));
    places.push(("summary", markdown::summary(&all)));
    places.push(("memory-hits", markdown::memory_hits(&all)));
    replace_all(&folder.join("benchmarks.md"), &places)?;
    let targets = [("targets", markdown::goals(&all))];
    replace_all(&folder.join("internals/performance-targets.md"), &targets)
}

/// Replace places on a page.
fn replace_all(page: &Path, places: &[(&str, String)]) -> io::Result<()> {
    let mut text = std::fs::read_to_string(page)?;
    for (name, with) in places {
        let named = |error| io::Error::other(format!("{}: {error}", page.display()));
        text = markdown::replace(&text, name, with).map_err(named)?;
    }
    std::fs::write(page, text)
}
