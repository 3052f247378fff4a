use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A moment of a [`Clock`]: nanoseconds since some origin.
pub(crate) type Moment = u64;

/// No moment is as late: the expiry of what doesn't expire.
pub(crate) const NEVER: Moment = u64::MAX;

/// The kernel's coarse clock: it ticks elsewhere, some hundred times a second, and is read in a few nanoseconds,
/// where the precise one takes twenty and more; each hit in memory reads it.
#[cfg(target_os = "linux")]
fn ticks() -> Moment {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::MonotonicCoarse);
    // Neither is negative: it is the time since the machine was started.
    let (seconds, nanos) = (time.tv_sec as u64, time.tv_nsec as u64);
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos)
}

/// How far the clock may lag behind.
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
    static ORIGIN: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    nanos(ORIGIN.elapsed())
}

/// The time that the memory store's lifetimes go by.
///
/// The default is the system's monotonic clock, to some milliseconds; on Linux it doesn't count the time in which the machine
/// is suspended. A manual clock stands still until it is moved, so that a test
/// sees an entry expire without sleeping. Redis keeps its own time: a manual clock doesn't move it.
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
    /// The system's monotonic clock.
    pub fn system() -> Self {
        Self { manual: None }
    }

    /// A clock that only [`advance`](Clock::advance) moves. Clones share it.
    pub fn manual() -> Self {
        Self {
            manual: Some(Arc::new(AtomicU64::new(0))),
        }
    }

    /// Moves a manual clock forward; does nothing to the system's. The clock stops at its end, some 584 years after its
    /// start: it never turns back.
    pub fn advance(&self, by: Duration) {
        if let Some(now) = &self.manual {
            // Below `NEVER`, when what doesn't expire would have expired.
            let moved = |now: Moment| Some(later(now, by).min(NEVER - 1));
            let _ = now.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        }
    }

    #[inline]
    pub(crate) fn now(&self) -> Moment {
        match &self.manual {
            None => ticks(),
            Some(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Starts to measure; a manual clock measures by how far it is moved.
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        match &self.manual {
            None => Stopwatch::real(),
            Some(_) => Stopwatch(Started::Manual(self.clone(), self.now())),
        }
    }

    /// The moment `after` from now; a time past every calendar is never.
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

/// Measures how long a computation takes: always precisely, since a coarse tick may be longer than all of it.
pub(crate) struct Stopwatch(Started);

enum Started {
    Real(Instant),
    Manual(Clock, Moment),
    Not,
}

impl Stopwatch {
    /// By the system's clock.
    pub(crate) fn real() -> Self {
        Self(Started::Real(Instant::now()))
    }

    /// For nobody.
    pub(crate) fn none() -> Self {
        Self(Started::Not)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match &self.0 {
            Started::Real(since) => since.elapsed(),
            Started::Manual(clock, since) => Duration::from_nanos(clock.now() - since),
            Started::Not => Duration::ZERO,
        }
    }
}

/// The moment `after` another; a time past every calendar is never.
pub(crate) fn later(moment: Moment, after: Duration) -> Moment {
    moment.saturating_add(nanos(after))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}

/// The wall clock, for what other processes read.
#[cfg(feature = "redis")]
pub(crate) fn unix_millis() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
