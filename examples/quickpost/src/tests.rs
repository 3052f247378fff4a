//! The demo in process, and the topology: which write invalidates which read.

use std::time::Duration;

use cache_runtime::{Cache, WarmOutcome, topology};
use tokio::net::TcpListener;

use crate::client::{Request, send};
use crate::db::Db;
use crate::demo::{self, Outcome, Report};
use crate::models::NewPost;
use crate::repo::{self, Repo};
use crate::{routes, warm};

fn cache_in_memory() -> Cache {
    let builder = Cache::builder().prefix("quickpost");
    builder.build().expect("a cache in memory")
}

/// The outcomes of the reads of one path, in order: `M`iss, `H`it, or `-`.
fn outcomes(report: &Report, path: &str, user: Option<i64>) -> String {
    let mut letters = String::new();
    for row in &report.rows {
        if (row.request.method, row.request.path, row.request.user) == ("GET", path, user) {
            letters.push(match row.outcome {
                Outcome::Miss => 'M',
                Outcome::Hit => 'H',
                Outcome::Invalidate(_) | Outcome::Nothing => '-',
            });
        }
    }
    letters
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_hits_what_it_can_and_is_never_wrong() {
    let report = demo::run(cache_in_memory()).await.expect("the demo runs");

    assert!(report.is_transparent(), "{report}");
    for row in &report.rows {
        let missing = ["/posts/*", "/posts/soon"].contains(&row.request.path);
        let succeeded = (200..300).contains(&row.response.status);
        assert!(succeeded || missing, "{row}");
    }
    let expected = [
        ("/posts?topic=rust", None, "MHMMM"),
        ("/posts?search=nothing", None, "MM"),
        ("/posts/my-post-2", None, "MH"),
        ("/posts/my-post", None, "MHMHMM"),
        ("/posts/soon", None, "MM"),
        ("/posts/my-post/comments?sort=desc", None, "MM"),
        ("/posts/my-post/comments?sort=desc", Some(3), "MHMMM"),
        ("/posts/hello-rust/likes", None, "MHM"),
        ("/posts/hello-rust/likes?dislike=true", None, "MMM"),
        ("/profiles/2", None, "MHMM"),
        ("/posts/debugging", None, "MHM"),
        ("/topics", None, "MHM"),
    ];
    for (path, user, letters) in expected {
        assert_eq!(outcomes(&report, path, user), letters, "{path} {user:?}");
    }
}

#[test]
fn every_pattern_reaches_a_template_and_every_template_is_reached() {
    let dead = topology().dead_patterns();
    assert!(dead.is_empty(), "{dead:?}");
    let forgotten = topology().never_invalidated();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

#[test]
fn a_key_reads_as_documented() {
    let db = Db::open(Duration::ZERO).expect("a database");
    let key = cache_in_memory().scope_sync(|| repo::topics_cache_key(&db));
    assert_eq!(key, "quickpost:topics");
}

#[tokio::test]
async fn the_topics_are_warmed_at_the_start_and_by_name() {
    let cache = cache_in_memory();
    let db = Db::open(Duration::ZERO).expect("a database");
    cache
        .add_warmer(warm::topics_warmer(db))
        .expect("a name of its own");
    tests::until("the topics are cached", || async {
        cache.exists("topics").await.expect("memory")
    })
    .await;
    let info = cache.warmers().remove(0);
    assert_eq!(info.description, "The topics, which every page shows.");
    tests::until("the run has ended", || async {
        cache.warmers()[0].last.is_some()
    })
    .await;
    let report = cache
        .warm("topics", vec![])
        .await
        .expect("it isn't running");
    assert_eq!(report.outcome, WarmOutcome::Complete);
    assert_eq!((report.counts.fresh, report.counts.failed), (1, 0));
}

#[tokio::test]
async fn a_login_warms_the_ten_latest_posts_of_the_user() {
    let cache = cache_in_memory();
    let db = Db::open(Duration::ZERO).expect("a database");
    let repo = Repo { db };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let app = routes::router(repo.clone());
    let app = app.layer(cache_runtime::testing::ScopeLayer::new(&cache));
    tokio::spawn(async move { axum::serve(listener, app).await });
    for number in 1..=12 {
        let new = NewPost {
            slug: format!("post-{number}"),
            title: String::new(),
            body: String::new(),
            topic: "rust".to_owned(),
        };
        let created = cache.scope(repo.create_post(2, new)).await;
        created.expect("a new slug");
    }
    let log_in = Request {
        method: "POST",
        path: "/login",
        user: Some(2),
        body: "",
    };
    let answer = send(address, &log_in).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    tests::until("the run has ended", || async {
        cache.user_warming().runs == 1
    })
    .await;
    assert_eq!(cache.user_warming().counts.computed, 10);
    for number in 1..=12 {
        let path = format!("posts:post-{number}");
        let is_cached = cache.exists(&path).await.expect("memory");
        assert_eq!(is_cached, number > 2, "{path}");
    }
    // The user who logs in again costs the database one query.
    send(address, &log_in).await.expect("an answer");
    tests::until("the run has ended", || async {
        cache.user_warming().runs == 2
    })
    .await;
    assert_eq!(cache.user_warming().counts.fresh, 10);

    let anonymous = Request {
        user: None,
        ..log_in
    };
    let answer = send(address, &anonymous).await.expect("an answer");
    assert_eq!(answer.status, 401);
    assert_eq!(cache.user_warming().refused, 0);
}
