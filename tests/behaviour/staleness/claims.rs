//! The claim in Redis, which decides which of several processes refreshes a stale value.

use std::time::Duration;

use crate::staleness::stale::{row, stale_row};
use crate::staleness::support::{Place, on, until, until_stored};
use tests::soon;

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_two_processes_refresh_a_stale_value_once() {
    let place = Place::redis();
    let other = on(place.server.as_ref().unwrap());
    let work = place.cache.scope(stale_row(&place)).await;
    for cache in [&place.cache, &other, &place.cache, &other] {
        let calls = (0..10).map(|_| tokio::spawn(cache.scope(row(work.clone(), 1))));
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(soon(call).await.unwrap(), 1);
        }
    }
    work.gate.reached_by(1).await;
    work.gate.open();
    until_stored(&other, "rows:1", 2).await;
    assert_eq!(work.runs.count(), 2);
}

#[tokio::test]
async fn an_expired_claim_of_another_process_is_taken_over() {
    // The state that a process leaves which is killed during a refresh.
    let place = Place::redis();
    let cache = &place.cache;
    let work = place.work();
    work.gate.open();
    cache.scope(row(work.clone(), 1)).await;
    place.turns_stale("rows:1").await;
    let server = place.server.as_ref().unwrap();
    let mut connection = server.connect();
    // A claim without a holder, which expires in a minute.
    let left: u64 = redis::cmd("PTTL")
        .arg("quickpost:rows:1")
        .query(&mut connection)
        .unwrap();
    let mut claim = 77_u64.to_le_bytes().to_vec();
    claim.extend((left - 60_000).to_le_bytes());
    let _: u64 = redis::cmd("SETRANGE")
        .arg("quickpost:rows:1")
        .arg(16)
        .arg(claim)
        .query(&mut connection)
        .unwrap();
    assert_eq!(cache.scope(row(work.clone(), 1)).await, 1);
    assert_eq!(work.runs.count(), 1, "the claim is respected");
    place.pass(Duration::from_secs(60));
    assert_eq!(cache.scope(row(work.clone(), 1)).await, 1);
    until_stored(cache, "rows:1", 2).await;
}

#[tokio::test]
async fn a_claim_is_renewed_while_its_body_runs() {
    let place = Place::redis_with(|builder| builder.lease_ttl(Duration::from_millis(300)));
    let (cache, work) = (&place.cache, place.work());
    let test = async {
        row(work.clone(), 1).await;
        place.turns_stale("rows:1").await;
        row(work.clone(), 1).await;
        work.gate.reached_by(1).await;
        let mut connection = place.server.as_ref().unwrap().connect();
        let mut claim_end = || -> Vec<u8> {
            let mut read = redis::cmd("GETRANGE");
            read.arg("quickpost:rows:1").arg(24).arg(31);
            read.query(&mut connection).unwrap()
        };
        let first = claim_end();
        assert_ne!(first, [0; 8]);
        // The expiry counts back from the entry's end, so a later one is a smaller number.
        until("the claim is renewed", || {
            let later = number(&claim_end()) + 150 < number(&first);
            async move { later }
        })
        .await;
        work.gate.open();
        until_stored(cache, "rows:1", 2).await;
    };
    cache.scope(test).await;
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}
