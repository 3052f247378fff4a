//! Triggers of Postgres: one for each statement, with the changed rows in transition tables.

use cache_runtime::model::{ColumnKind, ModelInfo};

use super::Event;
use super::names::Names;
use super::pattern::{NONE, check, columns, expression, of_all_rows};
use crate::dialect::Dialect;

const SQL: Dialect = Dialect::Postgres;

/// The largest number of patterns in one row of the outbox: a statement may change all rows of a
/// table.
const PATTERNS_PER_ROW: u32 = 500;

/// The escaping of `cache_runtime::escape`. Bytes are compared, since the order of texts depends on
/// the collation, and the code of a character on the encoding of the database.
const ESCAPE: &str = r#"CREATE OR REPLACE FUNCTION cache_escape(value text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $cache$
  SELECT CASE WHEN value COLLATE "C" !~ '[^-A-Za-z0-9_.]' THEN value ELSE (
    SELECT string_agg(
      CASE
        WHEN b <= '\x20'::bytea OR b = '\x7f'::bytea
          OR b IN ('\x23'::bytea, '\x25'::bytea, '\x2a'::bytea, '\x3a'::bytea, '\x3f'::bytea,
            '\x5b'::bytea, '\x5c'::bytea, '\x5d'::bytea, '\x7b'::bytea, '\x7d'::bytea)
          OR b BETWEEN '\xc280'::bytea AND '\xc2a0'::bytea
          OR b BETWEEN '\xe28080'::bytea AND '\xe2808a'::bytea
          OR b IN ('\xe19a80'::bytea, '\xe280a8'::bytea, '\xe280a9'::bytea, '\xe280af'::bytea,
            '\xe2819f'::bytea, '\xe38080'::bytea)
        THEN regexp_replace(upper(encode(b, 'hex')), '(..)', '%\1', 'g')
        ELSE c
      END, '' ORDER BY n)
    FROM string_to_table(value, NULL) WITH ORDINALITY AS t(c, n),
      LATERAL (SELECT convert_to(c, 'UTF8')) AS u(b)
  ) END
$cache$"#;

pub(super) fn create(model: &ModelInfo, prefix: &str, names: &Names) -> Vec<String> {
    let table = SQL.table(model.table);
    let function = SQL.name(names.function());
    let mut statements = vec![
        check(SQL, model),
        ESCAPE.to_owned(),
        define(&function, model, prefix),
    ];
    let mut trigger = |event: &str, rows: &str| {
        let name = SQL.name(&names.trigger(event));
        statements.push(format!(
            "CREATE OR REPLACE TRIGGER {name} AFTER {event} ON {table}{rows} FOR EACH STATEMENT \
             EXECUTE FUNCTION {function}()"
        ));
    };
    for event in Event::ALL {
        let rows: Vec<String> = event
            .rows()
            .iter()
            .map(|row| format!("{row} TABLE AS {}_rows", row.to_ascii_lowercase()))
            .collect();
        trigger(event.sql(), &format!(" REFERENCING {}", rows.join(" ")));
    }
    trigger("TRUNCATE", "");
    statements
}

pub(super) fn drop(model: &ModelInfo, names: &Names) -> Vec<String> {
    let table = SQL.table(model.table);
    let events = Event::ALL.map(Event::sql).into_iter().chain(["TRUNCATE"]);
    let mut statements: Vec<String> = events
        .map(|event| {
            let name = SQL.name(&names.trigger(event));
            format!("DROP TRIGGER IF EXISTS {name} ON {table}")
        })
        .collect();
    let function = SQL.name(names.function());
    statements.push(format!("DROP FUNCTION IF EXISTS {function}()"));
    statements
}

/// Write the function that the triggers of a model call. It keeps the search path of its creation,
/// so that a writer with another one finds the outbox.
fn define(function: &str, model: &ModelInfo, prefix: &str) -> String {
    let insert = "INSERT INTO cache_outbox (prefix, patterns, source)";
    let prefix = SQL.text(prefix);
    let line_break = SQL.line_break();
    let patterns = model.patterns.iter();
    let values: Vec<String> = patterns
        .map(|pattern| format!("({})", expression(SQL, pattern, "r", column)))
        .collect();
    let values = values.join(", ");
    let branches = Event::ALL.map(|event| {
        let rows = rows(model, event);
        let event = event.sql();
        format!(
            "  IF TG_OP = '{event}' THEN
    {insert}
    SELECT {prefix}, string_agg(pattern, {line_break}), 'trigger'
    FROM (
      SELECT pattern, (row_number() OVER () - 1) / {PATTERNS_PER_ROW} AS part
      FROM (
        SELECT DISTINCT p.pattern COLLATE \"C\" AS pattern
        FROM ({rows}) AS r CROSS JOIN LATERAL (VALUES {values}) AS p(pattern)
      ) AS changed
    ) AS parts
    GROUP BY part;
  END IF;
"
        )
    });
    let branches = branches.concat();
    let all: Vec<String> = of_all_rows(model).iter().map(|all| SQL.text(all)).collect();
    let all = all.join(&format!(" || {line_break} || "));
    let body = format!(
        "
BEGIN
{branches}  IF TG_OP = 'TRUNCATE' THEN
    {insert} VALUES ({prefix}, {all}, 'trigger');
  END IF;
  RETURN NULL;
END
"
    );
    let tag = tag(&body);
    format!(
        "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS {tag}{body}{tag}"
    )
}

/// Write the query of the rows that an event changed, with the columns that patterns need. Names are
/// qualified, since those of plpgsql's variables would otherwise be ambiguous.
fn rows(model: &ModelInfo, event: Event) -> String {
    let columns: Vec<String> = columns(model)
        .into_iter()
        .map(|column| format!("t.{}", SQL.name(column)))
        .collect();
    let columns = columns.join(", ");
    let selects: Vec<String> = event
        .rows()
        .iter()
        .map(|row| {
            format!(
                "SELECT {columns} FROM {}_rows AS t",
                row.to_ascii_lowercase()
            )
        })
        .collect();
    selects.join(" UNION ALL ")
}

/// Write the escaped text of a column.
fn column(value: &str, kind: ColumnKind) -> String {
    match kind {
        // A cast of a `CHAR(n)` would remove its trailing spaces, which a driver returns.
        ColumnKind::Text => format!(
            "CASE WHEN {value} IS NULL THEN {NONE} ELSE cache_escape(format('%s', {value})) END"
        ),
        _ => format!("coalesce(cache_escape({value}::text), {NONE})"),
    }
}

/// Return a dollar quote that doesn't occur in the text.
fn tag(body: &str) -> String {
    let mut tag = "$cache$".to_owned();
    while body.contains(&tag) {
        tag.insert(6, '_');
    }
    tag
}
