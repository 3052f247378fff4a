//! Writes of this process: no cache of it reads the old value afterwards.

use tokio::sync::Notify;

use super::*;

#[tokio::test]
async fn a_cache_never_reads_the_old_value_after_its_own_invalidation() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    cache
        .scope(async {
            for round in 1..300 {
                row(&rows, 1).await;
                row(&rows, 1).await;
                update(&rows, 1, round).await;
                assert_eq!(*row(&rows, 1).await, round);
            }
        })
        .await;
}

#[tokio::test]
async fn another_cache_of_the_process_never_reads_the_old_value_after_an_invalidation() {
    let server = RedisServer::start();
    let (a, b, rows) = (cache(&server), cache(&server), Rows::default());
    // A cache without a near cache invalidates the near entries of the others too.
    let plain = Cache::builder()
        .prefix(prefix(&server.url()))
        .redis(server.url());
    let plain = plain.response_timeout(PATIENCE).build().unwrap();
    for round in 1..100 {
        until_near(&server, &b, &rows, 1).await;
        let writer = if round % 2 == 0 { &a } else { &plain };
        writer.scope(update(&rows, 1, round)).await;
        assert_eq!(*b.scope(row(&rows, 1)).await, round);
    }
}

#[tokio::test]
async fn explicit_operations_remove_near_entries() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    let read = || cache.scope(row(&rows, 1));
    for round in 0..50 {
        until_near(&server, &cache, &rows, 1).await;
        let value = round * 10;
        cache.set("rows:1", &(value + 1), 60).await.unwrap();
        assert_eq!(*read().await, value + 1, "set");
        until_near(&server, &cache, &rows, 1).await;
        let many = [("rows:1", value + 2), ("rows:2", 0)];
        cache.set_many(&many, 60).await.unwrap();
        assert_eq!(*read().await, value + 2, "set_many");
        until_near(&server, &cache, &rows, 1).await;
        rows.write(value + 3);
        assert_eq!(*cache.scope(row_refresh(&rows, 1)).await, value + 3);
        assert_eq!(*read().await, value + 3, "refresh");
        until_near(&server, &cache, &rows, 1).await;
        rows.write(value + 4);
        cache.delete("rows:1").await.unwrap();
        assert_eq!(*read().await, value + 4, "delete");
        until_near(&server, &cache, &rows, 1).await;
        rows.write(value + 5);
        cache.delete_pattern("rows:*").await.unwrap();
        assert_eq!(*read().await, value + 5, "delete_pattern");
        until_near(&server, &cache, &rows, 1).await;
        rows.write(value + 6);
        cache.scope(row_invalidate(&rows, 1)).await.unwrap();
        assert_eq!(*read().await, value + 6, "invalidate");
        until_near(&server, &cache, &rows, 1).await;
        rows.write(value + 7);
        cache.clear().await.unwrap();
        assert_eq!(*read().await, value + 7, "clear");
    }
}

#[invalidate(patterns = ["rows:<<id>>"])]
async fn dropped_update(rows: &Rows, id: u32, value: u32, written: &Notify) {
    rows.write(value);
    written.notify_one();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_write_dropped_before_it_returns_removes_near_entries() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    for round in 1..30 {
        until_near(&server, &cache, &rows, 1).await;
        let written = Notify::new();
        tokio::select! {
            () = cache.scope(dropped_update(&rows, 1, round, &written)) => unreachable!(),
            () = written.notified() => {}
        }
        until_fresh(&cache, &rows, 1, round).await;
    }
}

/// Concurrent readers and writers of one process. No read is older than a write that returned
/// before the read began.
#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_older_than_a_completed_write_of_the_same_process() {
    let server = RedisServer::start();
    let (cache, rows) = (cache(&server), Rows::default());
    let other = builder(server.url()).build().unwrap();
    let floor = Arc::new(AtomicU32::new(0));
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let readers: Vec<_> = (0..4)
        .map(|task| {
            let (rows, floor, done) = (rows.clone(), Arc::clone(&floor), Arc::clone(&done));
            let cache = if task % 2 == 0 { &cache } else { &other };
            tokio::spawn(cache.scope(async move {
                while !done.load(Ordering::SeqCst) {
                    let floor = floor.load(Ordering::SeqCst);
                    let value = *row(&rows, 1).await;
                    assert!(value >= floor, "{value} after {floor}");
                    tokio::task::yield_now().await;
                }
            }))
        })
        .collect();
    for round in 1..1_000 {
        if round % 3 == 0 {
            rows.write(round);
            cache.scope(row_refresh(&rows, 1)).await;
        } else {
            cache.scope(update(&rows, 1, round)).await;
        }
        floor.store(round, Ordering::SeqCst);
        // Hits between some of the writes.
        if round % 10 == 0 {
            until_near(&server, &cache, &rows, 1).await;
        }
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}
