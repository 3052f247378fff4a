//! Commits, rollbacks, and commits whose future is dropped.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use cache_runtime::{Cache, Transactional};
use cache_sql::Transaction;
use tests::{Fault, PATIENCE, Proxy, RedisServer, until};

use crate::databases::{Fixture, TestDatabase, on_each_database, set_likes};

on_each_database!(
    a_commit_invalidates_each_pattern_before_it_returns,
    a_rollback_and_a_drop_invalidate_nothing,
    a_commit_without_patterns_commits,
    a_commit_that_is_never_polled_rolls_back,
    a_commit_that_is_dropped_at_any_await_finishes,
    a_commit_whose_runtime_ends_never_leaves_an_entry_of_the_old_row,
    a_collector_that_outlives_its_transaction_is_closed,
    a_dead_redis_is_not_an_error_of_the_commit,
);

async fn changed<DB: TestDatabase>(fixture: &Fixture<DB>) -> Transaction<'static, DB> {
    let mut tx = fixture.db.begin().await.expect("it begins");
    set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
    tx.invalidations().add("posts:a:*");
    tx
}

async fn a_commit_invalidates_each_pattern_before_it_returns<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    let Fixture { cache, db, .. } = &fixture;
    let keys = ["posts:a", "posts:a:comments", "posts:list", "users:1"];
    cache
        .set_many(keys.map(|key| (key, 1)), 600)
        .await
        .expect("stored");
    let tx = changed(&fixture).await;
    tx.invalidations().add("posts:list");
    tx.invalidations().add("posts:a:*");
    assert_eq!(cache.stats().invalidated, 0);
    tx.commit().await.expect("committed");
    assert_eq!(cache.stats().invalidated, 3);
    assert!(cache.exists("users:1").await.expect("it answers"));
    assert_eq!(fixture.likes("a").await, Some(2));
    assert_eq!(db.cache().prefix(), cache.prefix());
}

async fn a_rollback_and_a_drop_invalidate_nothing<DB: TestDatabase>(fixture: Fixture<DB>) {
    fixture.fill().await;
    changed(&fixture)
        .await
        .rollback()
        .await
        .expect("rolled back");
    drop(changed(&fixture).await);
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(fixture.is_cached().await);
}

async fn a_commit_without_patterns_commits<DB: TestDatabase>(fixture: Fixture<DB>) {
    fixture.fill().await;
    let mut tx = fixture.db.begin().await.expect("it begins");
    set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
    tx.commit().await.expect("committed");
    assert_eq!(fixture.likes("a").await, Some(2));
    assert!(fixture.is_cached().await);
}

async fn a_commit_that_is_never_polled_rolls_back<DB: TestDatabase>(fixture: Fixture<DB>) {
    fixture.fill().await;
    drop(changed(&fixture).await.commit());
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(fixture.is_cached().await);
}

async fn a_commit_that_is_dropped_at_any_await_finishes<DB: TestDatabase>(fixture: Fixture<DB>) {
    for polls in 1.. {
        fixture.run("UPDATE posts SET likes = 1").await;
        fixture.fill().await;
        let commit = changed(&fixture).await.commit();
        let ended = Polls::of(commit, polls).await;
        until("the commit finishes", async || {
            fixture.likes("a").await == Some(2) && !fixture.is_cached().await
        })
        .await;
        if ended {
            return;
        }
    }
}

/// At each await of the commit's own task, its runtime is shut down.
async fn a_commit_whose_runtime_ends_never_leaves_an_entry_of_the_old_row<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    for polls in 0.. {
        fixture.run("UPDATE posts SET likes = 1").await;
        fixture.fill().await;
        let (cache, url) = (fixture.cache.clone(), fixture.url.clone());
        let ended = tokio::task::spawn_blocking(move || commit_and_end::<DB>(cache, url, polls));
        let ended = ended.await.expect("it doesn't panic");
        // Nothing is known of the server's side; so ask it until the row can be locked.
        fixture.run("UPDATE posts SET likes = likes").await;
        until("the entry isn't of an older row", async || {
            fixture.likes("a").await == Some(1) || !fixture.is_cached().await
        })
        .await;
        if ended {
            assert_eq!(fixture.likes("a").await, Some(2));
            return;
        }
    }
}

/// Poll the runtime of a commit this number of times, then shut it down. Return whether the commit
/// had ended.
fn commit_and_end<DB: TestDatabase>(cache: Cache, url: String, polls: usize) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let ended = runtime.block_on(async {
        let db = cache_sql::Db::new(&cache, DB::connect(&url).await);
        let mut tx = db.begin().await.expect("it begins");
        set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
        tx.invalidations().add("posts:a:*");
        let mut commit = pin!(tx.commit());
        let mut ended = false;
        for _ in 0..polls {
            // Without its waker: each turn lets the runtime poll the commit's task, too.
            ended =
                std::future::poll_fn(|cx| Poll::Ready(commit.as_mut().poll(cx).is_ready())).await;
            if ended {
                break;
            }
            tokio::task::yield_now().await;
        }
        ended
    });
    drop(runtime);
    ended
}

async fn a_collector_that_outlives_its_transaction_is_closed<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    for end in 0..3 {
        let tx = changed(&fixture).await;
        let invalidations = tx.invalidations().clone();
        assert!(invalidations.is_open());
        match end {
            0 => tx.commit().await.expect("committed"),
            1 => tx.rollback().await.expect("rolled back"),
            _ => drop(tx),
        }
        assert!(
            !invalidations.is_open() && invalidations.is_empty(),
            "{end}"
        );
    }
    let tx = fixture.db.begin().await.expect("it begins");
    let invalidations = tx.invalidations().clone();
    tx.commit().await.expect("committed");
    assert!(!invalidations.is_open());
}

async fn a_dead_redis_is_not_an_error_of_the_commit<DB: TestDatabase>(fixture: Fixture<DB>) {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let builder = Cache::builder()
        .redis(proxy.url())
        .response_timeout(PATIENCE);
    let cache = builder.build().expect("a cache on Redis");
    cache.set("posts:a", &1, 600).await.expect("stored");
    let db = cache_sql::Db::new(&cache, fixture.db.pool().clone());
    let mut tx = db.begin().await.expect("it begins");
    set_likes::<DB>(tx.as_mut(), "a", 2).await.expect("updated");
    tx.invalidations().add("posts:a:*");
    proxy.set(Fault::Refuse);
    tx.commit().await.expect("Redis isn't the database");
    assert_eq!(fixture.likes("a").await, Some(2));
    proxy.set(Fault::None);
    // The queue is replayed before a cached read is served.
    until("the invalidation is replayed", async || {
        matches!(cache.exists("posts:a").await, Ok(false))
    })
    .await;
}

/// Polls a future a number of times, and is then done with it.
struct Polls<F> {
    future: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Polls<F> {
    /// Poll the future at most this number of times, then drop it. Return whether it has ended.
    async fn of(future: F, times: usize) -> bool {
        let future = Box::pin(future);
        Self {
            future,
            left: times,
        }
        .await
    }
}

impl<F: Future> Future for Polls<F> {
    type Output = bool;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        self.left -= 1;
        if self.future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        if self.left == 0 {
            Poll::Ready(false)
        } else {
            Poll::Pending
        }
    }
}
