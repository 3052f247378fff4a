//! What is shown: tables, as text, Markdown, JSON and charts.

pub mod json;
pub mod markdown;
pub mod svg;
pub mod table;

pub use table::{Goal, Row, Table};

use std::io;
use std::path::{Path, PathBuf};

use crate::machine::Machine;

/// The folder `docs` of this repository.
pub fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Puts the tables in the place of the same ones in `benchmarks.md`, its charts and `latest.json`. What was not measured now stays.
///
/// # Errors
///
/// If a file can't be read or written, or `benchmarks.md` has no place for a table.
pub fn write(folder: &Path, machine: &Machine, tables: &[Table]) -> io::Result<()> {
    let charts = folder.join("benchmarks");
    std::fs::create_dir_all(&charts)?;
    let page = folder.join("benchmarks.md");
    let mut text = std::fs::read_to_string(&page)?;
    for table in tables {
        std::fs::write(
            charts.join(format!("{}.svg", table.name)),
            svg::chart(table),
        )?;
        text = markdown::replace(&text, &table.name, &markdown::table(table))?;
    }
    text = markdown::replace(&text, "machine", &markdown::machine(machine))?;
    let all = json::merge(&charts.join("latest.json"), machine, tables)?;
    text = markdown::replace(&text, "targets", &markdown::goals(&all))?;
    std::fs::write(page, text)
}
