//! Calls of owners, added up over the processes.

use tests::{RedisServer, Runs, until};

use crate::{cache_on, file};

#[tokio::test]
async fn the_calls_of_two_processes_are_added_up_within_seconds() {
    let server = RedisServer::start();
    // Each counts for itself, as two processes do.
    let (one, two) = (cache_on(&server), cache_on(&server));
    let runs = Runs::default();
    for _ in 0..3 {
        one.scope(file(1, 0, &runs)).await;
        two.scope(file(1, 0, &runs)).await;
    }
    // A process knows its own calls at once.
    let own = one.owner_stats(1).await.unwrap();
    assert_eq!((own.hits, own.misses), (2, 1));
    let began = std::time::Instant::now();
    until("the other's calls are added", || async {
        let all = one.owner_stats(1).await.unwrap();
        (all.hits, all.misses) == (5, 1)
    })
    .await;
    println!("after {:?}", began.elapsed());
    let all = two.owner_stats(1).await.unwrap();
    assert_eq!((all.hits, all.misses), (5, 1));
    assert!((all.hit_rate - 5.0 / 6.0).abs() < 1e-9);
}

#[tokio::test]
async fn no_call_is_lost_while_statistics_are_asked_for() {
    let server = RedisServer::start();
    let cache = cache_on(&server);
    let runs = Runs::default();
    let calls = async {
        for call in 0..400 {
            cache.scope(file(1, call % 4, &runs)).await;
        }
    };
    let asking = async {
        for _ in 0..40 {
            cache.owner_stats(1).await.unwrap();
        }
    };
    tokio::join!(calls, asking);
    let stats = cache.owner_stats(1).await.unwrap();
    assert_eq!((stats.hits, stats.misses, stats.entries), (396, 4, 4));
}
