//! A demo of the near cache, with a second process on the same Redis. The second process does the
//! measuring, since this one prints each event.

use std::error::Error;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cache_runtime::{Cache, CacheError};

use crate::db::Db;
use crate::error::ApiError;
use crate::repo::topics;

/// The argument that makes a process the second one.
pub const SECOND: &str = "--second-process";
/// The key that the second process holds in its near cache and the first one invalidates.
const WATCHED: &str = "demo:watched";
/// The number of invalidations.
const CHANGES: usize = 21;
const PATIENCE: Duration = Duration::from_secs(20);

/// The figures of one run.
#[derive(Debug)]
pub struct Near {
    hit: Duration,
    redis_hit: Duration,
    turned_fresh: Duration,
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hit, micros) = (self.hit.as_nanos(), self.redis_hit.as_secs_f64() * 1e6);
        let fresh = self.turned_fresh.as_secs_f64() * 1e3;
        writeln!(f, "{:<54} {:>10}", "NEAR CACHE", "TIME")?;
        writeln!(f, "{:<54} {hit:>7} ns", "a near-cache hit")?;
        writeln!(f, "{:<54} {micros:>7.0} µs", "the same read from Redis")?;
        write!(
            f,
            "{:<54} {fresh:>7.2} ms",
            "time until another process saw an invalidation"
        )
    }
}

/// Start the second process, and invalidate the entry that it reads. Returns `None` without Redis.
pub async fn run(cache: &Cache) -> Result<Option<Near>, Box<dyn Error>> {
    let health = cache.health_check().await;
    if !health.is_ok_and(|health| health.store == "redis") {
        return Ok(None);
    }
    let mut second = Command::new(std::env::current_exe()?)
        .arg(SECOND)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut words = BufReader::new(second.stdout.take().ok_or("it has no pipe")?).lines();
    // No timeout is needed: the second process ends by itself after `PATIENCE`.
    let mut nanos = || -> Result<u64, Box<dyn Error>> {
        let line = tokio::task::block_in_place(|| words.next());
        Ok(line.ok_or("the second process has failed")??.parse()?)
    };
    let (hit, redis_hit) = (nanos()?, nanos()?);
    let mut times = Vec::new();
    for _ in 0..CHANGES {
        // The second process prints one line when it reads the old value, and one when it has read
        // the new one.
        nanos()?;
        cache.delete(WATCHED).await?;
        let returned = now();
        times.push(Duration::from_nanos(nanos()?.saturating_sub(returned)));
    }
    second.wait()?;
    Ok(Some(Near {
        hit: Duration::from_nanos(hit),
        redis_hit: Duration::from_nanos(redis_hit),
        turned_fresh: median(times),
    }))
}

/// Run as the second process: measure hits, then poll until the near cache returns the new value.
pub async fn second(near: Cache, far: Cache) -> Result<(), Box<dyn Error>> {
    let db = Db::open(Duration::ZERO)?;
    let began = Instant::now();
    while near.stats().entries == 0 {
        near.scope(topics(&db)).await.map_err(failed)?;
        if began.elapsed() > PATIENCE {
            return Err("nothing enters the near cache".into());
        }
    }
    println!("{}", time_of_a_hit(&near, &db, 2_000).await?.as_nanos());
    println!("{}", time_of_a_hit(&far, &db, 100).await?.as_nanos());

    let value = async || near.get_or_set(WATCHED, 600, || async { now() }).await;
    for _ in 0..CHANGES {
        let old = value().await;
        // Read until the value is in the near cache, and then some more.
        for _ in 0..1_000 {
            value().await;
        }
        println!("{}", now());
        while value().await == old {
            if began.elapsed() > PATIENCE {
                return Err("nothing changes".into());
            }
            tokio::task::yield_now().await;
        }
        println!("{}", now());
    }
    Ok(())
}

/// The median time of a hit over several batches.
async fn time_of_a_hit(cache: &Cache, db: &Db, batch: u32) -> Result<Duration, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..21 {
        let start = Instant::now();
        for _ in 0..batch {
            cache.scope(topics(db)).await.map_err(failed)?;
        }
        times.push(start.elapsed() / batch);
    }
    Ok(median(times))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn failed(error: ApiError) -> Box<dyn Error> {
    format!("{error:?}").into()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}

/// Build a cache like that of the first process, and one without a near cache.
pub fn caches(builder: cache_runtime::CacheBuilder) -> Result<(Cache, Cache), CacheError> {
    Ok((builder.clone().build()?, builder.near_cache(0).build()?))
}
