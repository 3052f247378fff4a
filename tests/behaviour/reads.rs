//! `#[cacheable]`: keys, return types, options.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::cacheable;
use serde::{Deserialize, Serialize};
use tests::on_both_stores;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Post {
    id: u32,
    slug: String,
}

#[derive(Clone, Default)]
struct Runs(Arc<AtomicU32>);

impl Runs {
    fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(runs))]
async fn get_post(runs: &Runs, slug: &str) -> Result<Post, String> {
    Ok(Post { id: runs.next(), slug: slug.to_owned() })
}

#[tokio::test]
async fn a_second_call_is_a_hit_and_the_key_reads_as_documented() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let first = get_post(&runs, "my-post-slug").await.unwrap();
        assert_eq!(get_post(&runs, "my-post-slug").await.unwrap(), first);
        assert_eq!(runs.count(), 1);
        assert_eq!(get_post(&runs, "other").await.unwrap().id, 2);
        assert_eq!(get_post_cache_key(&runs, "my-post-slug"), "quickpost:posts:my-post-slug");
        assert!(cache.exists("posts:my-post-slug").await.unwrap());
        assert_eq!(cache.get::<Post>("posts:my-post-slug").await.unwrap(), Some(first));
    })
    .await;
}
