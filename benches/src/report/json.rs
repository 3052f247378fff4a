//! `latest.json`: everything on the page, for programs.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::machine::Machine;

#[derive(Serialize, Deserialize, Default)]
struct Latest {
    machine: Machine,
    tables: Vec<Table>,
}

/// Replace the tables of the same name, and return all tables of the file. `place` returns a table's
/// position on the page.
///
/// # Errors
///
/// Fails if the file can't be read or written, or isn't JSON of this form.
pub fn merge(
    file: &Path,
    machine: &Machine,
    tables: &[Table],
    place: fn(&str) -> usize,
) -> io::Result<Vec<Table>> {
    let mut latest: Latest = match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Latest::default(),
        Err(error) => return Err(error),
    };
    latest.machine = machine.clone();
    for table in tables {
        match latest.tables.iter_mut().find(|old| old.name == table.name) {
            Some(old) => *old = table.clone(),
            None => latest.tables.push(table.clone()),
        }
    }
    latest.tables.sort_by_key(|table| place(&table.name));
    let mut text = serde_json::to_string_pretty(&latest)?;
    text.push('\n');
    std::fs::write(file, text)?;
    Ok(latest.tables)
}
