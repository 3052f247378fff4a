//! Which failures of an insertion let the transaction go on.

use crate::Dialect;

/// Why a row wasn't written. The transaction goes on without it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Failure {
    /// The table doesn't exist.
    Missing,
    /// The database refused the row.
    Refused,
}

/// SQLSTATE of a table that doesn't exist.
const MISSING_POSTGRES: &str = "42P01";
const MISSING_MYSQL: &str = "42S02";

/// Classes of SQLSTATE that concern the statement alone: its data, a read-only transaction, its
/// syntax and privileges. After another error of MySQL, such as a lock timeout, the transaction may
/// be rolled back, and a COMMIT would succeed and commit nothing.
const OF_THE_STATEMENT: [&str; 3] = ["22", "25", "42"];

/// Result codes of SQLite after which the transaction is open: ERROR, BUSY, LOCKED, READONLY, AUTH.
const OPEN_AFTER: [u32; 5] = [1, 5, 6, 8, 23];

impl Failure {
    /// Classify the error of an insertion by its code, a SQLSTATE or SQLite's result code. Return
    /// `None` if it must be the error of the commit.
    pub(crate) fn of(dialect: Dialect, code: Option<&str>, message: &str) -> Option<Self> {
        let code = code?;
        match dialect {
            Dialect::Postgres if code == MISSING_POSTGRES => Some(Self::Missing),
            // A savepoint is around it.
            Dialect::Postgres => Some(Self::Refused),
            Dialect::MySql if code == MISSING_MYSQL => Some(Self::Missing),
            Dialect::MySql => OF_THE_STATEMENT
                .iter()
                .any(|class| code.starts_with(class))
                .then_some(Self::Refused),
            Dialect::Sqlite => match code.parse::<u32>().ok()? & 0xff {
                1 if message.contains("no such table") => Some(Self::Missing),
                code => OPEN_AFTER.contains(&code).then_some(Self::Refused),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_table_is_known_on_each_database() {
        for (dialect, code) in [
            (Dialect::Postgres, "42P01"),
            (Dialect::MySql, "42S02"),
            (Dialect::Sqlite, "1"),
        ] {
            let failure = Failure::of(dialect, Some(code), "no such table: cache_outbox");
            assert_eq!(failure, Some(Failure::Missing));
        }
    }

    #[test]
    fn an_error_that_may_end_the_transaction_is_not_ignored() {
        // Deadlock and lock timeout of MySQL; I/O error and full disk of SQLite.
        for (dialect, code) in [
            (Dialect::MySql, "40001"),
            (Dialect::MySql, "HY000"),
            (Dialect::Sqlite, "10"),
            (Dialect::Sqlite, "13"),
        ] {
            assert_eq!(Failure::of(dialect, Some(code), ""), None);
        }
    }

    #[test]
    fn a_broken_connection_is_not_ignored() {
        for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
            assert_eq!(Failure::of(dialect, None, "broken pipe"), None);
        }
    }
}
