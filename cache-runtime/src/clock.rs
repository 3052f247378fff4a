//! The clock that governs TTLs: the system's, read coarsely, or one that a test moves.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A moment of a [`Clock`]: nanoseconds since some origin.
pub(crate) type Moment = u64;

/// Later than any moment: the expiry of entries that don't expire.
pub(crate) const NEVER: Moment = u64::MAX;

/// Read the kernel's coarse clock. It ticks some hundred times a second and is read in a few
/// nanoseconds, where the precise one takes twenty and more. Each hit in memory reads it.
#[cfg(target_os = "linux")]
fn ticks() -> Moment {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::MonotonicCoarse);
    // Neither is negative: this is the time since the machine was started.
    let (seconds, nanos) = (time.tv_sec as u64, time.tv_nsec as u64);
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos)
}

/// Return the largest lag of the coarse clock.
#[cfg(all(feature = "redis", target_os = "linux"))]
pub(crate) fn lag() -> u64 {
    use rustix::time::{ClockId, clock_getres};
    let tick = clock_getres(ClockId::MonotonicCoarse);
    let (seconds, nanos) = (tick.tv_sec.unsigned_abs(), tick.tv_nsec.unsigned_abs());
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

#[cfg(all(feature = "redis", not(target_os = "linux")))]
pub(crate) fn lag() -> u64 {
    0
}

#[cfg(not(target_os = "linux"))]
fn ticks() -> Moment {
    static ORIGIN: crate::sync::LazyLock<std::time::Instant> =
        crate::sync::LazyLock::new(std::time::Instant::now);
    nanos(ORIGIN.elapsed())
}

/// Source of time for the TTLs of the memory store.
///
/// The default is the system's monotonic clock, accurate to some milliseconds; on Linux it doesn't
/// count the time during which the machine is suspended. A manual clock moves only when it is
/// advanced, so a test sees an entry expire without sleeping. Redis keeps its own time: a manual
/// clock doesn't affect it.
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Cache, Clock};
///
/// # async fn run() -> Result<(), cache_runtime::CacheError> {
/// let clock = Clock::manual();
/// let cache = Cache::builder().clock(clock.clone()).build()?;
/// cache.set("greeting", "hello", Duration::from_secs(60)).await?;
/// clock.advance(Duration::from_secs(61));
/// assert_eq!(cache.get::<String>("greeting").await?, None);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Clock {
    manual: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// Return the system's monotonic clock.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Clock};
    /// let cache = Cache::builder().clock(Clock::system()).build()?; // the default
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn system() -> Self {
        Self { manual: None }
    }

    /// Return a clock that only [`advance`](Clock::advance) moves. Clones share it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Clock};
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?.blocking();
    /// cache.set("answer", &42, 60)?;
    /// assert_eq!(cache.ttl("answer")?, Some(Duration::from_secs(60)));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn manual() -> Self {
        Self {
            manual: Some(Arc::new(AtomicU64::new(0))),
        }
    }

    /// Move a manual clock forward. The system's clock is not affected. The clock stops at its end,
    /// some 584 years after its start, and never wraps around.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Clock};
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?.blocking();
    /// cache.set("answer", &42, 60)?;
    /// clock.advance(Duration::from_secs(61));
    /// assert!(!cache.exists("answer")?);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn advance(&self, by: Duration) {
        if let Some(now) = &self.manual {
            // Stay below `NEVER`, otherwise entries that don't expire would expire.
            let moved = |now: Moment| Some(later(now, by).min(NEVER - 1));
            let _ = now.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        }
    }

    /// Whether only [`advance`](Self::advance) moves it.
    pub(crate) fn is_manual(&self) -> bool {
        self.manual.is_some()
    }

    #[inline]
    pub(crate) fn now(&self) -> Moment {
        match &self.manual {
            None => ticks(),
            Some(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Start a stopwatch. A manual clock measures the time it is advanced.
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        match &self.manual {
            None => Stopwatch::real(),
            Some(_) => Stopwatch(StartTime::Manual(self.clone(), self.now())),
        }
    }

    /// Return the moment `after` from now; [`NEVER`] on overflow.
    pub(crate) fn deadline(&self, after: Duration) -> Moment {
        later(self.now(), after)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.manual.is_some() {
            "Clock::manual"
        } else {
            "Clock::system"
        })
    }
}

/// Stopwatch for computations. Always precise, since a coarse tick may be longer than the whole
/// computation.
pub(crate) struct Stopwatch(StartTime);

enum StartTime {
    Real(Instant),
    Manual(Clock, Moment),
}

impl Stopwatch {
    /// Start a stopwatch on the system's clock.
    pub(crate) fn real() -> Self {
        Self(StartTime::Real(Instant::now()))
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match &self.0 {
            StartTime::Real(since) => since.elapsed(),
            StartTime::Manual(clock, since) => Duration::from_nanos(clock.now() - since),
        }
    }
}

/// Return the moment `after` another; [`NEVER`] on overflow.
pub(crate) fn later(moment: Moment, after: Duration) -> Moment {
    moment.saturating_add(nanos(after))
}

/// Return an earlier moment, not before the origin.
#[cfg(feature = "redis")]
pub(crate) fn earlier(moment: Moment, before: Duration) -> Moment {
    moment.saturating_sub(nanos(before))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}

/// Return the wall-clock time, for other processes to read.
pub(crate) fn unix_millis() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
