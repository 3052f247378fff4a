//! A model's patterns as SQL expressions.

use cache_runtime::model::{ColumnKind, ModelInfo, ModelPattern, PatternPart};

use crate::dialect::Dialect;

/// The text of `NULL`, as that of `None` in a placeholder.
pub(super) const NONE: &str = "'%none'";

/// Write a pattern over the values of `row`: `NEW`, `OLD` or an alias. `column` writes the escaped
/// text of one column.
pub(super) fn expression(
    dialect: Dialect,
    pattern: &ModelPattern,
    row: &str,
    column: fn(&str, ColumnKind) -> String,
) -> String {
    let mut parts = pattern.parts.iter().map(|part| match part {
        PatternPart::Column { name, kind } => {
            column(&format!("{row}.{}", dialect.name(name)), *kind)
        }
        PatternPart::Text(text) => dialect.text(text),
        other => unknown(other),
    });
    match dialect {
        Dialect::MySql => {
            let parts: Vec<String> = parts.collect();
            format!("CONCAT({})", parts.join(", "))
        }
        _ => {
            let first = parts.next().unwrap_or_default();
            parts.fold(first, |all, part| all + " || " + &part)
        }
    }
}

/// Whether a pattern is the same for all rows.
pub(super) fn is_constant(pattern: &ModelPattern) -> bool {
    let mut parts = pattern.parts.iter();
    parts.all(|part| matches!(part, PatternPart::Text(_)))
}

/// Return the patterns that match whatever the rows contained, each once.
pub(crate) fn of_all_rows(model: &ModelInfo) -> Vec<String> {
    let mut all = Vec::new();
    for pattern in model.patterns {
        let parts = pattern.parts.iter().map(|part| match part {
            PatternPart::Text(text) => text,
            _ => "*",
        });
        let pattern: String = parts.collect();
        if !all.contains(&pattern) {
            all.push(pattern);
        }
    }
    all
}

/// Return the columns that the patterns name, each once.
pub(super) fn columns(model: &ModelInfo) -> Vec<&'static str> {
    let mut columns = Vec::new();
    for part in model.patterns.iter().flat_map(|pattern| pattern.parts) {
        if let PatternPart::Column { name, .. } = part
            && !columns.contains(name)
        {
            columns.push(*name);
        }
    }
    columns
}

/// Write a statement that changes nothing and fails if a name is unknown. Postgres and SQLite look
/// at the names in a trigger only when it runs, and then the write fails.
pub(super) fn check(dialect: Dialect, model: &ModelInfo) -> String {
    // A qualified name: SQLite takes an unknown name in quotes as a text.
    let names = columns(model).into_iter().map(|name| dialect.name(name));
    let columns: String = names.map(|name| format!(", t.{name}")).collect();
    format!(
        "SELECT o.prefix, o.patterns, o.source{columns} FROM cache_outbox AS o, {} AS t WHERE 1 = 0",
        dialect.table(model.table),
    )
}

/// A part that this version doesn't know can have any value.
fn unknown(_: &PatternPart) -> String {
    "'*'".to_owned()
}
