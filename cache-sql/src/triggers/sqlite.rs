//! Triggers of SQLite: one run for each row.

use cache_runtime::model::{ColumnKind, ModelInfo};

use super::Event;
use super::names::Names;
use super::pattern::{NONE, check, expression};
use crate::dialect::Dialect;

const SQL: Dialect = Dialect::Sqlite;

pub(super) fn create(model: &ModelInfo, prefix: &str, names: &Names) -> Vec<String> {
    let mut statements = vec![check(SQL, model)];
    let prefix = SQL.text(prefix);
    // The table is in the schema of the trigger, and its name can't have one here.
    let table = model.table.rsplit('.').next().unwrap_or(model.table);
    let table = SQL.name(table);
    for (event, removed) in Event::ALL.into_iter().zip(drop(model, names)) {
        statements.push(removed);
        let name = SQL.beside(model.table, &names.trigger(event.sql()));
        let patterns = event.rows().iter().flat_map(|row| {
            let patterns = model.patterns.iter();
            patterns.map(|pattern| {
                let pattern = expression(SQL, pattern, row, column);
                format!("    SELECT {pattern} AS pattern")
            })
        });
        let patterns: Vec<String> = patterns.collect();
        // UNION keeps one of two equal patterns.
        let patterns = patterns.join("\n    UNION\n");
        statements.push(format!(
            "CREATE TRIGGER {name} AFTER {} ON {table} FOR EACH ROW
BEGIN
  INSERT INTO cache_outbox (prefix, patterns, source)
  SELECT {prefix}, group_concat(pattern, {}), 'trigger' FROM (
{patterns}
  );
END",
            event.sql(),
            SQL.line_break(),
        ));
    }
    statements
}

pub(super) fn drop(model: &ModelInfo, names: &Names) -> Vec<String> {
    let events = Event::ALL.into_iter();
    let names = events.map(|event| SQL.beside(model.table, &names.trigger(event.sql())));
    names
        .map(|name| format!("DROP TRIGGER IF EXISTS {name}"))
        .collect()
}

/// Write the escaped text of a column.
fn column(value: &str, kind: ColumnKind) -> String {
    let text = match kind {
        ColumnKind::Integer => format!("ELSE CAST(CAST({value} AS INTEGER) AS TEXT)"),
        ColumnKind::Bool => format!("WHEN {value} THEN 'true' ELSE 'false'"),
        ColumnKind::Uuid => format!("ELSE {}", uuid(value)),
        // Texts of these characters are their own escape. GLOB ends at a NUL.
        _ => format!(
            "WHEN {value} NOT GLOB '*[^-A-Za-z0-9_.]*' AND instr({value}, char(0)) = 0 THEN {value} \
             ELSE {}",
            escape(value)
        ),
    };
    format!("CASE WHEN {value} IS NULL THEN {NONE} {text} END")
}

/// Write a UUID, stored as 16 bytes or as text, with hyphens.
fn uuid(value: &str) -> String {
    let digits = format!(
        "lower(replace(CASE typeof({value}) WHEN 'blob' THEN hex({value}) ELSE {value} END, '-', ''))"
    );
    let groups = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)];
    let groups = groups.map(|(from, count)| format!("substr({digits}, {from}, {count})"));
    format!("({})", groups.join(" || '-' || "))
}

/// Write the escaping of `cache_runtime::escape` as a query that moves one character after the other
/// from `rest` to `escaped`. `width` is the number of bytes of the first character of `rest`.
///
/// It is a query, since 90 nested calls of `replace` overflow the stack of SQLite's parser, and
/// works on bytes, since the functions of texts end at a NUL.
fn escape(value: &str) -> String {
    let width = |first: &str| {
        format!(
            "CASE WHEN {first} < x'80' THEN 1 WHEN {first} < x'E0' THEN 2 WHEN {first} < x'F0' THEN 3 \
             ELSE 4 END"
        )
    };
    let first = width(&format!("substr(CAST({value} AS BLOB), 1, 1)"));
    let next = width("substr(rest, width + 1, 1)");
    let character = "substr(rest, 1, width)";
    format!(
        "(
      WITH RECURSIVE characters(escaped, rest, width) AS (
        SELECT '', CAST({value} AS BLOB), {first}
        UNION ALL
        SELECT escaped || CASE
            WHEN {character} <= x'20' OR {character} = x'7F'
              OR {character} IN (x'23', x'25', x'2A', x'3A', x'3F', x'5B', x'5C', x'5D', x'7B', x'7D')
              OR {character} BETWEEN x'C280' AND x'C2A0'
              OR {character} BETWEEN x'E28080' AND x'E2808A'
              OR {character} IN (x'E19A80', x'E280A8', x'E280A9', x'E280AF', x'E2819F', x'E38080')
            THEN '%' || hex(substr(rest, 1, 1))
              || CASE WHEN width > 1 THEN '%' || hex(substr(rest, 2, 1)) ELSE '' END
              || CASE WHEN width > 2 THEN '%' || hex(substr(rest, 3, 1)) ELSE '' END
            ELSE CAST({character} AS TEXT)
          END,
          substr(rest, width + 1),
          {next}
        FROM characters WHERE rest <> x''
      )
      SELECT escaped FROM characters WHERE rest = x'')"
    )
}
