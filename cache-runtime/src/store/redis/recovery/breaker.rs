//! The circuit breaker: refuses calls while the store is down, and decides what is logged about it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisError;

use crate::clock::{Clock, Moment, later};
use crate::error::CacheError;
use crate::store::redis::conn::server_error::error_code;

/// First pause before a store that is down is tried again.
const FIRST_PROBE: Duration = Duration::from_millis(50);
/// Longest such pause, for a store that fails each time soon after it is back.
const SLOWEST_FIRST_PROBE: Duration = Duration::from_secs(10);
/// A failure this soon after the breaker has closed means that the probe has checked too little.
const SOON: Duration = Duration::from_secs(1);
/// Time without a failure after which the store counts as healthy, and a later failure as a new
/// one.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// Number of different causes that are logged until the store is healthy.
const MAX_CAUSES: usize = 8;

/// Breaker. It remembers that the store is down, and why, so that calls don't find out one by one.
pub(crate) struct Breaker {
    open: AtomicBool,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cause: Option<CacheError>,
    /// Number of times that it was opened.
    number: u64,
    /// Time when it was last closed.
    closed: Option<Moment>,
    /// First pause of the probe.
    pause: Duration,
    /// Causes logged since the store was last healthy. A recurring cause is logged once.
    logged: Vec<String>,
    /// Whether a message said that the store fails repeatedly.
    logged_repeated: bool,
    /// Whether the last opening was logged.
    logged_opening: bool,
}

/// How an opening is logged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LogAs {
    /// The store is down.
    Down,
    /// The store is down again, by a cause that was logged before.
    Again,
    Nothing,
}

/// Result of opening the breaker.
#[derive(Debug, PartialEq)]
pub(crate) struct Opened {
    pub(crate) log_as: LogAs,
    /// Time to wait before the store is tried again.
    pub(crate) pause: Duration,
}

/// Result of closing the breaker.
#[derive(Debug, PartialEq)]
pub(crate) enum Closed {
    /// Its opening was logged, so its closing is, too.
    Logged,
    /// The store has failed several times in a row. It counts as healthy if it doesn't fail for
    /// this time.
    Unstable { number: u64, pause: Duration },
}

impl Breaker {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            open: AtomicBool::new(false),
            clock,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fail if the breaker is open. Costs one load while it is closed.
    pub(crate) fn check(&self) -> Result<(), CacheError> {
        if !self.open.load(Ordering::Acquire) {
            return Ok(());
        }
        let cause = self.state().cause.clone();
        let source: crate::error::Cause = match cause {
            Some(cause) => Arc::new(cause),
            None => Arc::from(Box::from("the store was down until a moment ago")),
        };
        Err(CacheError::Unavailable { source })
    }

    /// Open the breaker. Return `None` if it was open already.
    pub(crate) fn open(&self, cause: &CacheError) -> Option<Opened> {
        let mut state = self.state();
        if self.open.swap(true, Ordering::AcqRel) {
            return None;
        }
        let now = self.clock.now();
        let closed = state.closed;
        let is_within = |time| closed.is_some_and(|closed| now < later(closed, time));
        state.pause = match is_within(SOON) {
            true => (state.pause * 2).min(SLOWEST_FIRST_PROBE),
            false => FIRST_PROBE,
        };
        if !is_within(HEALTHY_AFTER) {
            state.logged.clear();
            state.logged_repeated = false;
        }
        state.number += 1;
        state.cause = Some(cause.clone());
        let log_as = match state.remember(cause) {
            true => LogAs::Down,
            false if state.logged_repeated => LogAs::Nothing,
            false => LogAs::Again,
        };
        state.logged_repeated |= log_as == LogAs::Again;
        state.logged_opening = log_as == LogAs::Down;
        Some(Opened {
            log_as,
            pause: state.pause,
        })
    }

    /// Remember the current reason why the store can't be used. Report whether to log it. A
    /// server's own error is worth more than the way in which a connection ended.
    pub(crate) fn note_cause(&self, cause: &CacheError) -> bool {
        let mut state = self.state();
        if !self.open.load(Ordering::Acquire) || matches!(cause, CacheError::Timeout { .. }) {
            return false;
        }
        state.cause = Some(cause.clone());
        let says = is_server_error(cause) && state.remember(cause);
        state.logged_opening |= says;
        says
    }

    pub(crate) fn close(&self) -> Closed {
        let mut state = self.state();
        state.cause = None;
        state.closed = Some(self.clock.now());
        self.open.store(false, Ordering::Release);
        match state.logged_opening {
            true => Closed::Logged,
            false => Closed::Unstable {
                number: state.number,
                pause: HEALTHY_AFTER,
            },
        }
    }

    /// Report whether the breaker has stayed closed since it was closed after this opening.
    pub(crate) fn stayed_closed_since(&self, number: u64) -> bool {
        let state = self.state();
        state.number == number && !self.open.load(Ordering::Acquire)
    }
}

impl State {
    /// Remember a cause. Report whether it differs from those that were logged.
    fn remember(&mut self, cause: &CacheError) -> bool {
        let kind = kind_of(cause);
        let is_new = self.logged.len() < MAX_CAUSES && !self.logged.contains(&kind);
        if is_new {
            self.logged.push(kind);
        }
        is_new
    }
}

fn redis_error(cause: &CacheError) -> Option<&RedisError> {
    match cause {
        CacheError::Store { source } => source.downcast_ref(),
        _ => None,
    }
}

/// Report whether the server itself gave the cause.
fn is_server_error(cause: &CacheError) -> bool {
    redis_error(cause).is_some_and(|error| error_code(error).is_some() || !error.is_io_error())
}

/// Return the cause without the parts that differ from call to call: the error's code, or its text
/// without digits. In a cluster, errors name the slot of each key, and timeouts differ in length.
fn kind_of(cause: &CacheError) -> String {
    match redis_error(cause).and_then(error_code) {
        Some(code) if code != "ERR" => code.to_owned(),
        _ => cause
            .to_string()
            .chars()
            .filter(|c| !c.is_ascii_digit())
            .take(200)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_error(reply: &str) -> CacheError {
        let value = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes());
        let error = value.and_then(redis::Value::extract_error);
        CacheError::store(error.expect_err("an error"))
    }

    fn opens(breaker: &Breaker, reply: &str) -> (LogAs, u64) {
        let opened = breaker
            .open(&server_error(reply))
            .expect("the breaker was closed");
        (opened.log_as, opened.pause.as_millis() as u64)
    }

    #[test]
    fn a_recurring_cause_is_logged_twice_and_probed_at_growing_intervals() {
        let clock = Clock::manual();
        let breaker = Breaker::new(clock.clone());
        assert_eq!(opens(&breaker, "MOVED 7 127.0.0.1:1"), (LogAs::Down, 50));
        assert_eq!(breaker.close(), Closed::Logged);
        assert_eq!(opens(&breaker, "MOVED 8 127.0.0.1:2"), (LogAs::Again, 100));
        for pause in [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000] {
            assert!(matches!(breaker.close(), Closed::Unstable { .. }));
            assert_eq!(
                opens(&breaker, "MOVED 9 127.0.0.1:3"),
                (LogAs::Nothing, pause)
            );
        }
        breaker.close();
        clock.advance(SOON);
        assert_eq!(opens(&breaker, "MOVED 7 127.0.0.1:1"), (LogAs::Nothing, 50));
    }

    #[test]
    fn a_new_cause_is_logged_and_a_minute_without_outage_resets_the_log() {
        let clock = Clock::manual();
        let breaker = Breaker::new(clock.clone());
        assert_eq!(opens(&breaker, "OOM used memory").0, LogAs::Down);
        breaker.close();
        assert_eq!(opens(&breaker, "READONLY replica").0, LogAs::Down);
        assert_eq!(breaker.close(), Closed::Logged);
        assert_eq!(opens(&breaker, "OOM used memory").0, LogAs::Again);
        let closed = breaker.close();
        assert_eq!(
            closed,
            Closed::Unstable {
                number: 3,
                pause: HEALTHY_AFTER
            }
        );
        assert!(breaker.stayed_closed_since(3));
        clock.advance(HEALTHY_AFTER);
        assert_eq!(opens(&breaker, "OOM used memory"), (LogAs::Down, 50));
        assert!(!breaker.stayed_closed_since(3));
    }

    #[test]
    fn causes_that_differ_each_time_are_bounded() {
        let breaker = Breaker::new(Clock::manual());
        let downs = (0..100).filter(|number| {
            let letter = char::from(b'a' + number % 26);
            let log_as = opens(&breaker, &format!("ERR {letter} failed")).0;
            breaker.close();
            log_as == LogAs::Down
        });
        assert_eq!(downs.count(), MAX_CAUSES);
    }

    #[test]
    fn a_probe_replaces_the_cause_by_the_servers_error_only() {
        let breaker = Breaker::new(Clock::manual());
        let io = |text: &str| {
            CacheError::store(RedisError::from(std::io::Error::other(text.to_owned())))
        };
        breaker.open(&io("broken pipe"));
        assert!(!breaker.note_cause(&io("connection refused")));
        assert!(breaker.note_cause(&server_error("LOADING the dataset")));
        assert!(!breaker.note_cause(&server_error("LOADING the dataset")));
        let shown = breaker
            .check()
            .expect_err("the breaker is open")
            .to_string();
        assert!(shown.contains("the dataset"), "{shown}");
    }
}
