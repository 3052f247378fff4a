//! The table that the demo prints.

use std::fmt;
use std::time::Duration;

use cache_runtime::Stats;

use crate::client::{Request, Response};

/// The effect of one request on the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Hit,
    Miss,
    /// A write, with the number of entries that it removed.
    Invalidate(u64),
    /// No effect: the cache is off or unreachable, or the write failed.
    Nothing,
}

impl Outcome {
    /// Derive the outcome from the counters before and after a request.
    pub fn between(before: &Stats, after: &Stats) -> Self {
        if after.misses > before.misses {
            Self::Miss
        } else if after.hits > before.hits {
            Self::Hit
        } else if after.invalidated > before.invalidated {
            Self::Invalidate(after.invalidated - before.invalidated)
        } else {
            Self::Nothing
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hit => f.pad("HIT"),
            Self::Miss => f.pad("MISS"),
            Self::Invalidate(1) => f.pad("1 entry out"),
            Self::Invalidate(entries) => f.pad(&format!("{entries} entries out")),
            Self::Nothing => f.pad("-"),
        }
    }
}

/// One request.
#[derive(Debug)]
pub struct Row {
    pub request: Request,
    pub outcome: Outcome,
    pub time: Duration,
    pub response: Response,
    /// The uncached server's response.
    pub expected: Response,
}

impl Row {
    /// Whether the cache was invisible to the client, apart from the time.
    pub fn is_transparent(&self) -> bool {
        self.response == self.expected
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request {
            method, path, user, ..
        } = self.request;
        let user = user.map(|id| format!(" (user {id})")).unwrap_or_default();
        let request = format!("{method:<6} {path}{user}");
        let (outcome, status) = (self.outcome, self.response.status);
        let milliseconds = self.time.as_secs_f64() * 1000.0;
        write!(
            f,
            "{request:<54} {status:<4} {outcome:<14} {milliseconds:>7.2} ms"
        )?;
        if !self.is_transparent() {
            let (got, expected) = (&self.response, &self.expected);
            write!(f, "\n  WRONG:    {got:?}\n  uncached: {expected:?}")?;
        }
        Ok(())
    }
}

/// All requests, in order.
#[derive(Debug, Default)]
pub struct Report {
    pub rows: Vec<Row>,
}

impl Report {
    /// Whether every response was that of an uncached run.
    pub fn is_transparent(&self) -> bool {
        self.rows.iter().all(Row::is_transparent)
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.rows
            .iter()
            .filter(|row| row.outcome == outcome)
            .count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<54} CODE {:<14} {:>10}", "REQUEST", "CACHE", "TIME")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        let (hits, misses) = (self.count(Outcome::Hit), self.count(Outcome::Miss));
        let wrong = self.rows.iter().filter(|row| !row.is_transparent()).count();
        writeln!(
            f,
            "\n{} requests: {hits} hits, {misses} misses",
            self.rows.len()
        )?;
        match wrong {
            0 => write!(f, "every response equals that of an uncached run"),
            _ => write!(f, "{wrong} responses DIFFER from an uncached run"),
        }
    }
}
