//! Waits that end before the flight does, and their clean-up.

use super::*;

#[test]
fn a_wait_ends_at_its_limit() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    polled(&leader);
    let limit = Duration::from_millis(20);
    let begun = std::time::Instant::now();
    let wait = Wait::new(join(&flights, "a"), limit, false);
    assert!(matches!(block_on(wait), WaitOutcome::GaveUp));
    assert!(begun.elapsed() >= limit);
    let none = Wait::new(join(&flights, "a"), Duration::ZERO, false);
    assert!(matches!(block_on(none), WaitOutcome::GaveUp));
}

#[test]
fn a_blocking_call_does_not_wait_for_an_async_leader_on_its_thread() {
    let flights = Arc::new(Flights::new());
    // Before the first poll, the thread that started the leader is assumed to poll it.
    let leader = lead(&flights, "a");
    let wait = Wait::new(join(&flights, "a"), LONG, true);
    assert!(matches!(block_on(wait), WaitOutcome::GaveUp));
    // A blocking leader isn't async: it runs on another thread and completes.
    let JoinOutcome::Lead(blocking) =
        flights.join_or_lead(&"b".into(), false, |_| Stance::Join, || None::<()>)
    else {
        panic!("there is no flight")
    };
    let wait = Wait::new(join(&flights, "b"), LONG, true);
    let landing = thread::spawn(move || blocking.complete(Payload::Nothing, 0, |_, _| ()));
    assert!(matches!(block_on(wait), WaitOutcome::Completed(..)));
    landing.join().expect("no panic");
    drop(leader);
}

/// The list of waiters doesn't grow with waiters that have left.
#[test]
fn slots_of_dropped_waiters_are_reused() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    polled(&leader);
    let (wakes, waker) = counting();
    let mut stays = pin!(waiter(join(&flights, "a")));
    assert!(poll(stays.as_mut(), &waker).is_pending());
    for _ in 0..100 {
        let mut first = pin!(waiter(join(&flights, "a")));
        let mut second = pin!(waiter(join(&flights, "a")));
        assert!(poll(first.as_mut(), &waker).is_pending());
        assert!(poll(second.as_mut(), &waker).is_pending());
    }
    assert!(join(&flights, "a").state().waiting.len() <= 3);
    drop(leader);
    assert_eq!(wakes.count(), 1);
}

/// Wakers are foreign code: when dropped, cloned or woken, they may use the flight that holds them.
#[test]
fn no_lock_is_held_while_a_waker_is_dropped() {
    struct UsesFlight(Arc<Flights>, Mutex<Option<Arc<Flight>>>);
    impl UsesFlight {
        fn use_it(&self) {
            let flight = self.1.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(flight) = flight {
                drop(flight.state());
                drop(join_or_lead(&self.0, "a"));
                drop(join_or_lead(&self.0, "b"));
            }
        }
    }
    impl Wake for UsesFlight {
        fn wake(self: Arc<Self>) {
            self.use_it();
        }
    }
    impl Drop for UsesFlight {
        fn drop(&mut self) {
            self.use_it();
        }
    }
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    let fresh = || {
        let flight = Mutex::new(Some(join(&flights, "a")));
        Waker::from(Arc::new(UsesFlight(Arc::clone(&flights), flight)))
    };
    let mut body = pin!(leader.within(std::future::pending::<()>()));
    for _ in 0..3 {
        assert!(poll(body.as_mut(), &fresh()).is_pending());
    }
    let mut stays = pin!(waiter(join(&flights, "a")));
    for _ in 0..3 {
        assert!(poll(stays.as_mut(), &fresh()).is_pending());
    }
    {
        let mut leaves = pin!(waiter(join(&flights, "a")));
        assert!(poll(leaves.as_mut(), &fresh()).is_pending());
    }
    flights.invalidate_key("a", || ());
    leader.complete(Payload::Nothing, 0, |_, _| ());
}

/// A waiter in its leader's task checks a few times whether the leader is polled, and then gives
/// up.
#[test]
fn a_wait_ends_if_its_task_does_not_poll_the_leader() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    let (wakes, waker) = counting();
    let mut body = pin!(leader.within(std::future::pending::<()>()));
    assert!(poll(body.as_mut(), &waker).is_pending());
    let mut wait = pin!(waiter(join(&flights, "a")));
    for _ in 0..3 {
        let before = wakes.count();
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert!(wakes.count() > before, "the waiter asks to be polled again");
    }
    let ended = poll(wait.as_mut(), &waker);
    assert!(matches!(ended, Poll::Ready(WaitOutcome::GaveUp)));
}

#[test]
fn a_wait_for_a_polled_leader_in_the_same_task_does_not_spin() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    let (wakes, waker) = counting();
    let mut body = pin!(leader.within(std::future::pending::<()>()));
    let mut wait = pin!(waiter(join(&flights, "a")));
    for round in 0..100 {
        // Either call may be polled first.
        if round % 2 == 0 {
            assert!(poll(body.as_mut(), &waker).is_pending());
        }
        assert!(poll(wait.as_mut(), &waker).is_pending());
        if round % 2 == 1 {
            assert!(poll(body.as_mut(), &waker).is_pending());
        }
    }
    // A round that polled both requests no further one.
    assert!(poll(body.as_mut(), &waker).is_pending());
    let before = wakes.count();
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!(wakes.count(), before);
}

#[test]
fn a_leader_in_another_task_is_not_checked() {
    let flights = Arc::new(Flights::new());
    let leader = lead(&flights, "a");
    polled(&leader);
    let (wakes, waker) = counting();
    let mut wait = pin!(waiter(join(&flights, "a")));
    for _ in 0..10 {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    assert_eq!(wakes.count(), 0);
}
