//! Callers of one key, async and blocking, without failures or invalidations.

use super::*;

/// Call from async tasks and blocking threads at the same time, and return the values they got.
fn herd(world: &FlightWorld, tasks: usize, threads: usize) -> Vec<u64> {
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let world = world.clone();
            shuttle::future::spawn(async move { world.read().await })
        })
        .collect();
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            let world = world.clone();
            thread::spawn(move || world.read_blocking(false))
        })
        .collect();
    let tasks = tasks
        .into_iter()
        .map(|task| block_on(task).expect("not aborted"));
    let tasks: Vec<_> = tasks.collect();
    let threads = threads
        .into_iter()
        .map(|thread| thread.join().expect("no panic"));
    tasks.into_iter().chain(threads).collect()
}

fn one_body_for(tasks: usize, threads: usize) {
    let world = FlightWorld::new(PATIENT);
    let values = herd(&world, tasks, threads);
    assert_eq!(world.history.runs(), 1);
    assert!(values.iter().all(|value| *value == values[0]));
    assert_eq!(values.len(), tasks + threads);
    assert_eq!(world.look(), Some(values[0]));
}

#[test]
fn one_body_serves_all_async_callers() {
    explore_widely(3_000, || one_body_for(4, 0));
}

#[test]
fn one_body_serves_all_blocking_callers() {
    explore_widely(3_000, || one_body_for(0, 4));
}

#[test]
fn one_body_serves_async_and_blocking_callers() {
    explore_widely(3_000, || one_body_for(2, 2));
}

/// Waiters may give up at any moment: they run the body, and none hangs.
#[test]
fn waits_that_time_out_at_any_moment_run_the_body() {
    explore(RandomScheduler::new(3_000), || {
        let world = FlightWorld::new(IMPATIENT);
        let values = herd(&world, 2, 2);
        assert_eq!(values.len(), 4);
        world.resolve();
    });
}

/// Two calls in one task, one of which waits for the other, while others call.
#[test]
fn calls_joined_in_one_task_run_one_body() {
    explore(RandomScheduler::new(3_000), || {
        let world = FlightWorld::new(PATIENT);
        let joined = task(&world, |world| async move {
            let (first, second) = tokio::join!(world.read(), world.read());
            assert_eq!(first, second);
        });
        world.read_blocking(false);
        block_on(joined).expect("not aborted");
        assert_eq!(world.history.runs(), 1);
    });
}

/// A task that has polled a call and holds it unpolled calls again: waiting would deadlock.
#[test]
fn a_task_does_not_wait_for_a_call_that_it_holds() {
    explore(RandomScheduler::new(3_000), || {
        let world = FlightWorld::new(PATIENT);
        let holding = task(&world, |world| async move {
            let mut held = std::pin::pin!(world.read());
            let once = std::future::poll_fn(|cx| std::task::Poll::Ready(held.as_mut().poll(cx)));
            if once.await.is_pending() {
                world.read().await;
                held.await;
            }
        });
        world.read_blocking(false);
        block_on(holding).expect("not aborted");
        world.resolve();
    });
}

/// A call that moves to another thread is woken there.
#[test]
fn a_call_may_move_to_another_thread() {
    explore_widely(2_000, || {
        let world = FlightWorld::new(PATIENT);
        let moved = work(&world, |world| {
            let call = world.clone();
            let mut call = Box::pin(async move { call.read().await });
            let first = block_on(std::future::poll_fn(|cx| {
                std::task::Poll::Ready(call.as_mut().poll(cx))
            }));
            if first.is_pending() {
                let second = thread::spawn(move || block_on(call));
                second.join().expect("no panic");
            }
        });
        let blocking = work(&world, |world| {
            world.read_blocking(false);
        });
        together(vec![moved, blocking]);
        assert_eq!(world.history.runs(), 1);
        world.resolve();
    });
}
