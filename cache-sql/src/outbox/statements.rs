//! The SQL of the outbox.
//!
//! Everything but a row's patterns is written into the text. The numbers are the program's own, and
//! a prefix consists of letters, digits, `_`, `.` and `-`.

use std::fmt::Write;
use std::time::Duration;

use crate::Dialect;

/// The number of rows that a relay takes at once.
pub(crate) const BATCH: usize = 128;

/// The number of rows that are counted at most, so that a relay that is far behind doesn't read the
/// whole table each time.
const MOST_COUNTED: u32 = 10_000;

/// A longer delay than this is the same to a relay, and the arithmetic of no database overflows.
const LONGEST_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The savepoint around an insertion in Postgres, where a failed statement aborts the transaction.
const SAVEPOINT: &str = "cache_outbox_insert";

/// Insert a row, with two parameters: the prefix and the patterns.
pub(crate) const INSERT: &str = "INSERT INTO cache_outbox (prefix, patterns) VALUES (?, ?)";

/// Insert a row in Postgres, in one round trip. Return its id as a row, unless it is given.
pub(crate) fn insert_guarded(id: Option<i64>, prefix: &str, patterns: &str) -> String {
    let patterns = escape_string(patterns);
    let insert = match id {
        Some(id) => format!("(id, prefix, patterns) VALUES ({id}, '{prefix}', {patterns})"),
        None => format!("(prefix, patterns) VALUES ('{prefix}', {patterns}) RETURNING id"),
    };
    format!(
        "SAVEPOINT {SAVEPOINT}; INSERT INTO cache_outbox {insert}; RELEASE SAVEPOINT {SAVEPOINT}"
    )
}

/// Undo a failed [`insert_guarded`], so that the transaction can go on.
pub(crate) fn undo_insert() -> String {
    format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}; RELEASE SAVEPOINT {SAVEPOINT}")
}

/// A literal of Postgres that no setting of the session reads otherwise.
fn escape_string(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 4);
    literal.push_str("E'");
    for char in text.chars() {
        if matches!(char, '\'' | '\\') {
            literal.push(char);
        }
        literal.push(char);
    }
    literal.push('\'');
    literal
}

/// Begin a relay's transaction. It must not take part in the conflicts of serializable transactions
/// (Postgres), nor lock the gaps between rows (MySQL).
pub(crate) fn begin(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        Dialect::Sqlite => "BEGIN IMMEDIATE",
        // One text, so that a drop in between can't leave the level to the next transaction.
        Dialect::MySql => "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION",
    }
}

/// Select rows that are due, and lock them. Rows that another relay has locked are skipped.
pub(crate) fn take(dialect: Dialect, prefix: &str, delay: Duration) -> String {
    let due = due(dialect, prefix, delay);
    let lock = match dialect {
        Dialect::Postgres | Dialect::MySql => " FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    format!("SELECT id, patterns FROM cache_outbox WHERE {due} LIMIT {BATCH}{lock}")
}

/// Select the rows that [`take`] would, without a lock, and at most one.
pub(crate) fn look(dialect: Dialect, prefix: &str, delay: Duration) -> String {
    let due = due(dialect, prefix, delay);
    format!("SELECT id, patterns FROM cache_outbox WHERE {due} LIMIT 1")
}

/// Count the rows of a prefix, due or not, up to [`MOST_COUNTED`]. The second column is there to make
/// it a row like the others.
pub(crate) fn count(prefix: &str) -> String {
    format!(
        "SELECT COUNT(*), COALESCE(MIN(patterns), '') FROM (SELECT patterns FROM cache_outbox WHERE \
         prefix = '{prefix}' LIMIT {MOST_COUNTED}) AS counted"
    )
}

fn due(dialect: Dialect, prefix: &str, delay: Duration) -> String {
    let millis = delay.min(LONGEST_DELAY).as_millis();
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let latest = match dialect {
        Dialect::Postgres => format!("statement_timestamp() - INTERVAL '{millis} milliseconds'"),
        Dialect::Sqlite => {
            format!("strftime('%Y-%m-%d %H:%M:%f', 'now', '-{seconds}.{rest:03} seconds')")
        }
        Dialect::MySql => format!("UTC_TIMESTAMP(3) - INTERVAL {millis}000 MICROSECOND"),
    };
    format!("prefix = '{prefix}' AND (source = 'trigger' OR at <= {latest})")
}

/// Delete rows.
pub(crate) fn delete(dialect: Dialect, ids: impl IntoIterator<Item = i64>) -> String {
    let mut statement = String::new();
    for (place, id) in ids.into_iter().enumerate() {
        // Writing into a `String` can't fail.
        let _ = match (dialect, place) {
            // InnoDB may scan the table for a list, and would wait for rows that others have locked.
            (Dialect::MySql, _) => write!(statement, "DELETE FROM cache_outbox WHERE id = {id};"),
            (_, 0) => write!(statement, "DELETE FROM cache_outbox WHERE id IN ({id}"),
            _ => write!(statement, ", {id}"),
        };
    }
    if dialect != Dialect::MySql {
        statement.push(')');
    }
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_of_postgres_escapes_quotes_and_backslashes() {
        assert_eq!(escape_string(r"a'b\*"), r"E'a''b\\*'");
    }

    #[test]
    fn rows_are_deleted_by_a_list_or_one_by_one() {
        assert_eq!(
            delete(Dialect::Postgres, [1, 2]),
            "DELETE FROM cache_outbox WHERE id IN (1, 2)"
        );
        assert_eq!(
            delete(Dialect::MySql, [1, 2]),
            "DELETE FROM cache_outbox WHERE id = 1;DELETE FROM cache_outbox WHERE id = 2;"
        );
    }

    #[test]
    fn a_delay_keeps_its_milliseconds() {
        let due = |dialect| due(dialect, "blog", Duration::from_millis(2_050));
        assert!(due(Dialect::Postgres).contains("'2050 milliseconds'"));
        assert!(due(Dialect::Sqlite).contains("'-2.050 seconds'"));
        assert!(due(Dialect::MySql).contains("INTERVAL 2050000 MICROSECOND"));
    }
}
