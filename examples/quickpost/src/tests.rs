//! The demo in process, and the topology: which write invalidates which read.

use std::time::Duration;

use cache_runtime::{Cache, topology};

use crate::db::Db;
use crate::demo::{self, Outcome, Report};
use crate::repo;

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
