//! Whether an error of COMMIT proves that nothing was committed.
//!
//! An invalidation too many costs a miss, and one too few serves a stale value. So an error is a
//! proof only if the database can't report it after it has committed. A connection that breaks,
//! a server that shuts down, a full disk: all of these can happen after the commit record is
//! written, and leave the outcome unknown.

/// SQLSTATE classes of errors that abort a transaction before it commits.
const REFUSING_CLASSES: [&str; 11] = [
    "22", // data exception, such as one raised by a deferred trigger
    "23", // integrity constraint violation, such as a deferred foreign key
    "25", // invalid transaction state, such as a write in a read-only transaction
    "27", // triggered data change violation
    "2D", // invalid transaction termination
    "3B", // savepoint exception
    "40", // transaction rollback: serialization failure, deadlock; see `COMPLETION_UNKNOWN`
    "42", // syntax error or access rule violation, in a deferred trigger
    "44", // WITH CHECK OPTION violation
    "P0", // PL/pgSQL error: RAISE in a deferred trigger
    "55", // object not in prerequisite state: a lock that isn't available
];

/// The one error of class 40 that says that the outcome isn't known.
const COMPLETION_UNKNOWN: &str = "40003";

/// Result codes of SQLite after which the transaction is still open: BUSY, LOCKED and CONSTRAINT.
/// It is then rolled back.
const REFUSING_RESULTS: [u32; 3] = [5, 6, 19];

/// Whether the database's code for an error of COMMIT proves that it rolled back.
///
/// `code` is a SQLSTATE, which always has five characters, or SQLite's extended result code in
/// decimal, which never has. So the code tells its database, also behind a driver for any.
pub(crate) fn is_refusal_code(code: &str) -> bool {
    if code.len() == COMPLETION_UNKNOWN.len() {
        return code != COMPLETION_UNKNOWN && REFUSING_CLASSES.contains(&&code[..2]);
    }
    // The low byte of an extended result code is its primary code.
    code.parse::<u32>()
        .is_ok_and(|code| REFUSING_RESULTS.contains(&(code & 0xff)))
}

/// Whether the error of COMMIT proves that the transaction was rolled back.
#[cfg(any(feature = "_sqlx", feature = "sea-orm"))]
pub(crate) fn is_refusal(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| is_refusal_code(&code))
}

#[cfg(test)]
mod tests {
    use super::is_refusal_code;

    #[test]
    fn an_aborted_transaction_is_refused() {
        for code in [
            "23503", "23505", "40001", "40P01", "22012", "25006", "P0001", "44000",
        ] {
            assert!(is_refusal_code(code), "{code}");
        }
    }

    #[test]
    fn an_outcome_that_the_server_does_not_know_is_not_a_refusal() {
        // Completion unknown, connection failure, admin shutdown, I/O error, disk full, MySQL's
        // general error.
        for code in ["40003", "08006", "57P01", "58030", "53100", "HY000"] {
            assert!(!is_refusal_code(code), "{code}");
        }
    }

    #[test]
    fn sqlite_refuses_when_busy_locked_or_constrained() {
        for code in [5, 6, 19, 5 | (2 << 8), 19 | (3 << 8)] {
            assert!(is_refusal_code(&code.to_string()), "{code}");
        }
        // An error, an I/O error of fsync, a full disk.
        for code in [1, 10, 10 | (4 << 8), 13] {
            assert!(!is_refusal_code(&code.to_string()), "{code}");
        }
    }

    #[test]
    fn an_unknown_code_is_not_a_refusal() {
        for code in ["", "x", "äb3", "23", "2350é"] {
            assert!(!is_refusal_code(code), "{code}");
        }
    }
}
