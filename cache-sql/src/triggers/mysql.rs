//! Triggers of MySQL and MariaDB: one run for each row.

use cache_runtime::model::{ColumnKind, ModelInfo};

use super::Event;
use super::names::Names;
use super::pattern::{NONE, check, expression, is_constant};
use crate::dialect::Dialect;

const SQL: Dialect = Dialect::MySql;

/// The parameters and the body of the escaping of `cache_runtime::escape`. It compares hexadecimal
/// digits, since the order of texts depends on the collation.
const ESCAPE: &str = "(txt LONGTEXT CHARACTER SET utf8mb4)
RETURNS LONGTEXT CHARACTER SET utf8mb4 DETERMINISTIC NO SQL
BEGIN
  DECLARE output LONGTEXT CHARACTER SET utf8mb4 DEFAULT '';
  DECLARE digits LONGTEXT CHARACTER SET utf8mb4 DEFAULT HEX(txt);
  DECLARE place INT UNSIGNED DEFAULT 1;
  DECLARE width INT UNSIGNED;
  DECLARE one VARCHAR(8) CHARACTER SET utf8mb4;
  IF txt IS NULL OR txt NOT REGEXP '[^-A-Za-z0-9_.]' THEN
    RETURN txt;
  END IF;
  WHILE place <= LENGTH(digits) DO
    SET one = SUBSTR(digits, place, 1);
    SET width = CASE WHEN one < '8' THEN 2 WHEN one < 'E' THEN 4 WHEN one < 'F' THEN 6 ELSE 8 END;
    SET one = SUBSTR(digits, place, width);
    IF one <= '20'
      OR one IN ('23', '25', '2A', '3A', '3F', '5B', '5C', '5D', '7B', '7D', '7F')
      OR (width = 4 AND one BETWEEN 'C280' AND 'C2A0')
      OR (width = 6 AND one BETWEEN 'E28080' AND 'E2808A')
      OR one IN ('E19A80', 'E280A8', 'E280A9', 'E280AF', 'E2819F', 'E38080')
    THEN
      SET output = CONCAT(output, '%', SUBSTR(one, 1, 2));
      IF width > 2 THEN SET output = CONCAT(output, '%', SUBSTR(one, 3, 2)); END IF;
      IF width > 4 THEN SET output = CONCAT(output, '%', SUBSTR(one, 5, 2)); END IF;
    ELSE
      SET output = CONCAT(output, CONVERT(UNHEX(one) USING utf8mb4));
    END IF;
    SET place = place + width;
  END WHILE;
  RETURN output;
END";

pub(super) fn create(model: &ModelInfo, prefix: &str, names: &Names) -> Vec<String> {
    let table = SQL.table(model.table);
    // Names in a trigger are looked up in its own schema.
    let escape = SQL.beside(model.table, "cache_escape");
    let mut statements = vec![
        check(SQL, model),
        // Not replaced, since another table's writes would fail in between.
        format!("CREATE FUNCTION IF NOT EXISTS {escape}{ESCAPE}"),
    ];
    let prefix = SQL.text(prefix);
    let line_break = SQL.line_break();
    for (event, removed) in Event::ALL.into_iter().zip(drop(model, names)) {
        statements.push(removed);
        let name = SQL.beside(model.table, &names.trigger(event.sql()));
        let patterns = patterns(model, event).join(", ");
        let event = event.sql();
        statements.push(format!(
            "CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW
INSERT INTO cache_outbox (prefix, patterns, source)
VALUES ({prefix}, CONCAT_WS({line_break}, {patterns}), 'trigger')"
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

/// Write the patterns of the rows of an event. `GROUP_CONCAT`, which could remove duplicates, cuts
/// its result off at 1,024 bytes by default.
fn patterns(model: &ModelInfo, event: Event) -> Vec<String> {
    let mut all = Vec::new();
    for (place, row) in event.rows().iter().enumerate() {
        let patterns = model.patterns.iter();
        let patterns = patterns.filter(|pattern| place == 0 || !is_constant(pattern));
        all.extend(patterns.map(|pattern| expression(SQL, pattern, row, column)));
    }
    all
}

/// Write the escaped text of a column.
fn column(value: &str, kind: ColumnKind) -> String {
    match kind {
        // A number of a column with ZEROFILL has leading zeros, a sum hasn't.
        ColumnKind::Integer => {
            format!("COALESCE(cache_escape(CAST({value} + 0 AS CHAR)), {NONE})")
        }
        ColumnKind::Bool => format!(
            "CASE WHEN {value} IS NULL THEN {NONE} WHEN {value} THEN 'true' ELSE 'false' END"
        ),
        ColumnKind::Uuid => format!("COALESCE(cache_escape({}), {NONE})", uuid(value)),
        _ => format!("COALESCE(cache_escape({value}), {NONE})"),
    }
}

/// Write a UUID, stored as 16 bytes or as text, with hyphens. `LOWER` has no effect on bytes.
fn uuid(value: &str) -> String {
    let digits = format!(
        "CONVERT(IF(LENGTH({value}) = 16, HEX({value}), REPLACE({value}, '-', '')) USING utf8mb4)"
    );
    let hyphens = [9, 14, 19, 24];
    hyphens
        .iter()
        .fold(format!("LOWER({digits})"), |text, place| {
            format!("INSERT({text}, {place}, 0, '-')")
        })
}
