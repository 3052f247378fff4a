//! Readers and writers in four processes, on fifty rows. No read is older than an invalidation that
//! had returned before it began.

use std::sync::{Mutex, PoisonError};

use tests::{Database, RedisServer};

use crate::sizes::PROCESSES;
use crate::start::{all_succeed, block_on, start};

struct Outcome {
    reads: u64,
    stale: u64,
    hits: u64,
    errors: u64,
}

fn run(role: &str) -> Outcome {
    // One at a time: each takes the whole machine.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (cache, database) = (RedisServer::start(), RedisServer::start());
    let workers: Vec<_> = (0..PROCESSES)
        .map(|_| start(role, &cache, &database))
        .collect();
    all_succeed(workers);
    block_on(async {
        let database = Database::open(&database.url()).await;
        assert_eq!(database.counted("finished").await, PROCESSES);
        let (reads, stale) = (
            database.counted("reads").await,
            database.counted("stale").await,
        );
        let (hits, errors) = (
            database.counted("hits").await,
            database.counted("errors").await,
        );
        println!("{role}: {reads} reads, {hits} hits, {stale} stale, {errors} errors");
        Outcome {
            reads,
            stale,
            hits,
            errors,
        }
    })
}

#[test]
fn no_read_is_stale_and_most_are_hits() {
    let Outcome {
        reads,
        stale,
        hits,
        errors,
    } = run("stress");
    assert_eq!(stale, 0);
    assert!(reads > 1_000 && hits * 2 > reads, "{hits} of {reads}");
    assert!(
        errors * 100 < reads,
        "{errors} of {reads} went without the cache"
    );
}

#[test]
fn with_near_caches_no_read_is_older_than_an_invalidation_of_its_own_process() {
    let Outcome {
        reads, stale, hits, ..
    } = run("stress-near");
    assert_eq!(stale, 0);
    assert!(reads > 1_000 && hits * 2 > reads, "{hits} of {reads}");
}

#[test]
fn reads_and_writes_by_hand_without_leases_return_stale_values() {
    let Outcome { stale, .. } = run("stress-by-hand");
    assert!(stale > 0, "a test that can't fail shows nothing");
}
