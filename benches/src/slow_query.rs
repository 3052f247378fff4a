//! The slow query that all callers of a stampede would run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::model::Post;

const TIME: Duration = Duration::from_millis(20);

/// How often the query has run.
pub static RUNS: AtomicUsize = AtomicUsize::new(0);

/// Return a post, slowly.
pub async fn slow_query(id: usize) -> Post {
    RUNS.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(TIME).await;
    Post::of(&format!("herd-{id}"))
}
