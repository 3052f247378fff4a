//! Leaders that fail, panic, or are dropped, at any point: another caller takes over.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::*;

/// A body that fails on its first run.
fn fails_once(world: &FlightWorld) -> Option<u64> {
    let began = world.history.begin();
    (world.history.runs() > 1).then_some(began)
}

/// The caller whose body failed gets the error; the others get the one value that is computed then.
#[test]
fn a_waiter_takes_over_from_a_leader_that_fails() {
    explore_widely(3_000, || {
        let world = FlightWorld::new(PATIENT);
        let outcomes: Vec<_> = (0..4)
            .map(|_| {
                let world = world.clone();
                shuttle::future::spawn(async move {
                    let body = || async {
                        let value = fails_once(&world);
                        yield_now().await;
                        value.ok_or(())
                    };
                    world.cache.try_get_or_set(KEY, TTL, body).await
                })
            })
            .map(|task| async { task.await.expect("not aborted") })
            .collect();
        let outcomes: Vec<_> = outcomes.into_iter().map(block_on).collect();
        assert_eq!(outcomes.iter().filter(|value| value.is_err()).count(), 1);
        assert_eq!(world.history.runs(), 2);
        world.resolve();
        assert_eq!(world.history.runs(), 2, "the value is stored");
    });
}

/// Panic without the panic hook: shuttle would print a schedule for each panic.
fn panicking() -> ! {
    resume_unwind(Box::new("as the test wants"))
}

#[test]
fn a_waiter_takes_over_from_a_blocking_leader_that_panics() {
    explore_widely(3_000, || {
        let world = FlightWorld::new(PATIENT);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let world = world.clone();
                thread::spawn(move || {
                    let body = || {
                        let value = fails_once(&world);
                        thread::yield_now();
                        value.unwrap_or_else(|| panicking())
                    };
                    catch_unwind(AssertUnwindSafe(|| world.call_blocking(false, body))).is_err()
                })
            })
            .collect();
        let reader = task(&world, |world| async move {
            // This may be the first run, which would panic; the later ones succeed as well.
            world.read().await;
        });
        let panics = threads
            .into_iter()
            .map(|thread| thread.join().expect("caught"));
        let panics = panics.filter(|panicked| *panicked).count();
        block_on(reader).expect("not aborted");
        assert!(panics <= 1);
        assert_eq!(world.history.runs(), 1 + panics as u64);
        world.resolve();
    });
}

#[test]
fn a_waiter_takes_over_from_an_async_leader_that_panics() {
    explore_widely(3_000, || {
        let world = FlightWorld::new(PATIENT);
        let callers: Vec<_> = (0..3)
            .map(|_| {
                task(&world, |world| async move {
                    let body = || async {
                        let value = fails_once(&world);
                        yield_now().await;
                        value.unwrap_or_else(|| panicking())
                    };
                    let mut call = Box::pin(world.cache.get_or_set(KEY, TTL, body));
                    let caught = std::future::poll_fn(|cx| {
                        let poll = AssertUnwindSafe(|| call.as_mut().poll(cx).map(Ok));
                        catch_unwind(poll)
                            .unwrap_or_else(|panic| std::task::Poll::Ready(Err(panic)))
                    });
                    // The guard lives in the future, which a panic leaves intact.
                    let _: Result<u64, _> = caught.await;
                    drop(call);
                })
            })
            .collect();
        for caller in callers {
            block_on(caller).expect("not aborted");
        }
        assert_eq!(world.history.runs(), 2);
        world.resolve();
        assert_eq!(world.history.runs(), 2, "the value is stored");
    });
}

/// Tasks are aborted at any point: before they begin, while they wait, while they lead.
#[test]
fn a_waiter_takes_over_from_a_leader_that_is_dropped() {
    explore_widely(3_000, || {
        let world = FlightWorld::new(PATIENT);
        let read = |world: FlightWorld| async move {
            world.read().await;
        };
        let gone: Vec<_> = (0..2).map(|_| task(&world, read)).collect();
        let stays = task(&world, read);
        let blocking = world.clone();
        let blocking = thread::spawn(move || blocking.read_blocking(false));
        for task in &gone {
            task.abort();
        }
        for task in gone {
            let _ = block_on(task);
        }
        block_on(stays).expect("not aborted");
        blocking.join().expect("no panic");
        // Each dropped task may have started a run; one of the others computed the value.
        assert!((1..=3).contains(&world.history.runs()));
        world.resolve();
    });
}
