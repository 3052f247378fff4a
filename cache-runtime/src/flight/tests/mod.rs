use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::flight::*;
use crate::pattern::Pattern;
use crate::runtime::block_on;

mod waits;

const LONG: Duration = Duration::from_secs(60);

#[derive(Default)]
struct CountWakes(AtomicU32);

impl CountWakes {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counting() -> (Arc<CountWakes>, Waker) {
    let wakes = Arc::new(CountWakes::default());
    (Arc::clone(&wakes), Waker::from(wakes))
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

fn join_or_lead(flights: &Arc<Flights>, key: &str) -> JoinOutcome<()> {
    flights.join_or_lead(&key.into(), true, |_| Stance::Join, || None)
}

#[track_caller]
fn lead(flights: &Arc<Flights>, key: &str) -> Leader {
    match join_or_lead(flights, key) {
        JoinOutcome::Lead(leader) => leader,
        _ => panic!("{key} has a flight already"),
    }
}

#[track_caller]
fn join(flights: &Arc<Flights>, key: &str) -> Arc<Flight> {
    match join_or_lead(flights, key) {
        JoinOutcome::Join(flight) => flight,
        _ => panic!("{key} has no flight"),
    }
}

fn is_flying(flights: &Arc<Flights>, key: &str) -> bool {
    matches!(join_or_lead(flights, key), JoinOutcome::Join(_))
}

fn waiter(flight: Arc<Flight>) -> Wait {
    Wait::new(flight, LONG, false)
}

/// Poll a leader's body once, from a task of its own.
fn polled(leader: &Leader) {
    let (_, elsewhere) = counting();
    assert!(
        poll(
            pin!(leader.within(std::future::pending::<()>())),
            &elsewhere
        )
        .is_pending()
    );
}

#[test]
fn a_completion_wakes_the_waiters_of_its_flight_only() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    polled(&leader);
    let (kept, kept_waker) = counting();
    let (left, left_waker) = counting();
    let (moved, moved_waker) = counting();
    let mut one = pin!(waiter(join(&flights, "a")));
    let mut two = pin!(waiter(join(&flights, "a")));
    assert!(poll(one.as_mut(), &kept_waker).is_pending());
    assert!(poll(two.as_mut(), &left_waker).is_pending());
    // Another task polls now, so only that task is woken.
    assert!(poll(two.as_mut(), &moved_waker).is_pending());
    {
        let mut gone = pin!(waiter(join(&flights, "a")));
        assert!(poll(gone.as_mut(), &left_waker).is_pending());
    }
    assert_eq!(leader.complete(Payload::Nothing, 3, |_, _| 5), Some(5));
    assert_eq!((kept.count(), moved.count(), left.count()), (1, 1, 0));
    let landed = poll(one.as_mut(), &kept_waker);
    assert!(matches!(
        landed,
        Poll::Ready(WaitOutcome::Completed(Payload::Nothing, 3))
    ));
    assert!(!is_flying(&flights, "a"));
}

#[test]
fn a_caller_after_the_completion_finds_the_value() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    let flight = join(&flights, "a");
    leader.complete(Payload::Nothing, 0, |_, _| ());
    assert!(matches!(
        block_on(waiter(flight)),
        WaitOutcome::Completed(..)
    ));
}

#[test]
fn dropping_a_leader_fails_its_flight() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    let (wakes, waker) = counting();
    polled(&leader);
    let mut waiting = pin!(waiter(join(&flights, "a")));
    assert!(poll(waiting.as_mut(), &waker).is_pending());
    drop(leader);
    assert_eq!(wakes.count(), 1);
    let ended = poll(waiting.as_mut(), &waker);
    assert!(matches!(ended, Poll::Ready(WaitOutcome::Failed)));
    assert!(matches!(join_or_lead(&flights, "a"), JoinOutcome::Lead(_)));
}

#[test]
fn a_superseded_flight_neither_fills_nor_removes_its_successor() {
    let flights = Arc::new(Flights::new());
    let (first, flight) = (lead(&flights, "a"), join(&flights, "a"));
    let second = flights.supersede(&"a".into(), true);
    assert_eq!(first.complete(Payload::Nothing, 0, |_, _| ()), None);
    assert!(matches!(
        block_on(waiter(flight)),
        WaitOutcome::Completed(..)
    ));
    assert!(is_flying(&flights, "a"));
    assert_eq!(second.complete(Payload::Nothing, 0, |_, _| ()), Some(()));
    assert!(!is_flying(&flights, "a"));
}

#[test]
fn voiding_removes_only_matching_flights_from_the_table() {
    let flights = Arc::new(Flights::new());
    let keys = [
        "posts:1",
        "posts:1#v",
        "posts:1:a",
        "posts:10",
        "posts",
        "users:1",
    ];
    for (pattern, gone) in [
        ("posts:1:*", &keys[..3]),
        ("posts:1", &keys[..2]),
        ("posts:*", &keys[..5]),
        ("*:1", &["posts:1", "posts:1#v", "users:1"]),
        ("*", &keys[..]),
        ("none", &[]),
    ] {
        let leaders = keys.map(|key| lead(&flights, key));
        flights.invalidate_matching(&Pattern::new(pattern));
        for key in keys {
            // A flight that starts here ends at once, without effect on the others.
            assert_eq!(
                is_flying(&flights, key),
                !gone.contains(&key),
                "{pattern}: {key}"
            );
        }
        drop(leaders);
    }
    let leader = lead(&flights, "posts:1");
    assert_eq!(flights.invalidate_key("posts:1", || 7), 7);
    assert_eq!(leader.complete(Payload::Nothing, 0, |_, _| ()), None);
}

#[test]
fn the_store_is_read_only_without_a_flight() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    let joined = flights.join_or_lead(&"a".into(), true, |_| Stance::Join, || Some(()));
    assert!(matches!(joined, JoinOutcome::Join(_)));
    leader.complete(Payload::Nothing, 0, |_, _| ());
    let found = flights.join_or_lead(&"a".into(), true, |_| Stance::Join, || Some(()));
    assert!(matches!(found, JoinOutcome::Found(())));
}

#[test]
fn a_call_inside_the_body_is_detected_as_nested() {
    let flights = Arc::new(Flights::new());
    let (leader, other) = (lead(&flights, "a"), lead(&flights, "b"));
    let nested = || matches!(join_or_lead(&flights, "a"), JoinOutcome::Nested);
    assert!(leader.run(nested));
    assert!(leader.run(|| other.run(nested)));
    assert!(!other.run(nested));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        leader.run(|| panic!("as the test wants"))
    }));
    assert!(panicked.is_err());
    assert!(!nested(), "a panic ends the nesting");
    assert!(block_on(leader.within(async { nested() })));
    // The flight was joined before the body began: this call doesn't wait for itself either.
    let wait = waiter(join(&flights, "a"));
    assert!(matches!(leader.run(|| block_on(wait)), WaitOutcome::GaveUp));
}

#[test]
fn a_call_during_the_drop_of_the_body_is_detected_as_nested() {
    struct Asks<'a>(&'a Arc<Flights>, &'a Mutex<Option<bool>>);
    impl Drop for Asks<'_> {
        fn drop(&mut self) {
            let nested = matches!(join_or_lead(self.0, "a"), JoinOutcome::Nested);
            *self.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(nested);
        }
    }
    let (flights, seen) = (Arc::new(Flights::new()), Mutex::new(None));
    let leader = lead(&flights, "a");
    let asks = Asks(&flights, &seen);
    let body = leader.within(async move {
        let _asks = asks;
        std::future::pending::<()>().await;
    });
    drop(body);
    assert_eq!(*seen.lock().expect("no panic"), Some(true));
}
