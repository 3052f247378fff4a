//! The four companions of a function.

use cache_runtime::cacheable;
use tests::on_both_stores;

use crate::common::{Runs, assert_about};

pub(crate) mod posts {
    use super::Runs;

    #[cache_runtime::cacheable(key = "posts:<<slug>>", ttl = 600, skip(runs))]
    pub(crate) async fn get_post(runs: &Runs, slug: &str, page: u32) -> Result<u32, String> {
        if slug.is_empty() {
            Err("no slug".to_owned())
        } else {
            Ok(runs.next() + page)
        }
    }

    #[cache_runtime::cacheable(key = "counts:<<id>>", skip(runs))]
    pub(super) fn count(runs: &Runs, id: u32) -> u32 {
        runs.next()
    }
}

use posts::{
    count, count_cache_key, count_invalidate, count_no_cache, count_refresh, get_post,
    get_post_cache_key, get_post_invalidate, get_post_no_cache, get_post_refresh,
};

#[tokio::test]
async fn the_companion_cache_key_returns_the_full_key_of_the_entry() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        get_post(&runs, "a", 0).await.unwrap();
        let key = get_post_cache_key(&runs, "a", 0);
        assert!(key.starts_with("quickpost:posts:a#"));
        assert!(
            cache
                .exists(key.strip_prefix("quickpost:").unwrap())
                .await
                .unwrap()
        );
        assert_eq!(count_cache_key(&runs, 7), "quickpost:counts:7");
        assert_eq!(runs.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_companion_no_cache_runs_the_body_without_the_cache() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        assert_eq!(get_post_no_cache(&runs, "a", 0).await, Ok(1));
        assert_eq!(count_no_cache(&runs, 1), 2);
        assert_eq!(cache.clear().await.unwrap(), 0);
        assert_eq!(get_post(&runs, "a", 0).await, Ok(3));
        assert_eq!(get_post_no_cache(&runs, "a", 0).await, Ok(4));
        assert_eq!(get_post(&runs, "a", 0).await, Ok(3));
        assert_eq!(cache.stats().misses, 1);
    })
    .await;
}

#[tokio::test]
async fn the_companion_invalidate_removes_only_its_entry() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        get_post(&runs, "a", 0).await.unwrap();
        get_post(&runs, "a", 10).await.unwrap();
        cache.set("posts:a", &1, 60).await.unwrap();
        cache.set("posts:a:comments", &1, 60).await.unwrap();
        assert!(get_post_invalidate(&runs, "a", 0).await.unwrap());
        assert!(!get_post_invalidate(&runs, "a", 0).await.unwrap());
        assert!(!get_post_invalidate(&runs, "b", 0).await.unwrap());
        assert_eq!(get_post(&runs, "a", 10).await, Ok(12));
        assert!(cache.exists("posts:a").await.unwrap());
        assert!(cache.exists("posts:a:comments").await.unwrap());
        assert_eq!(get_post(&runs, "a", 0).await, Ok(3));
        count(&runs, 1);
        assert!(count_invalidate(&runs, 1).unwrap());
        assert!(!count_invalidate(&runs, 1).unwrap());
    })
    .await;
}

#[tokio::test]
async fn the_companion_refresh_recomputes_and_stores() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        // Also without an entry.
        assert_eq!(get_post_refresh(&runs, "a", 0).await, Ok(1));
        assert_eq!(get_post(&runs, "a", 0).await, Ok(1));
        assert_eq!(get_post_refresh(&runs, "a", 0).await, Ok(2));
        assert_eq!(get_post(&runs, "a", 0).await, Ok(2));
        let key = get_post_cache_key(&runs, "a", 0);
        assert_about(
            cache
                .ttl(key.strip_prefix("quickpost:").unwrap())
                .await
                .unwrap(),
            600,
        );
        assert_eq!(
            (count(&runs, 1), count_refresh(&runs, 1), count(&runs, 1)),
            (3, 4, 4)
        );
        assert_eq!(
            get_post_refresh(&runs, "", 0).await,
            Err("no slug".to_owned())
        );
    })
    .await;
}

#[cacheable(key = "flaky", skip(runs))]
async fn flaky(runs: &Runs) -> Result<u32, String> {
    let run = runs.next();
    if run % 2 == 1 {
        Ok(run)
    } else {
        Err("down".to_owned())
    }
}

#[tokio::test]
async fn a_refresh_that_fails_keeps_the_entry() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        assert_eq!(flaky(&runs).await, Ok(1));
        assert_eq!(flaky_refresh(&runs).await, Err("down".to_owned()));
        assert_eq!(flaky(&runs).await, Ok(1));
        assert_eq!(flaky_refresh(&runs).await, Ok(3));
        assert_eq!(flaky(&runs).await, Ok(3));
    })
    .await;
}

struct Repo;

impl Repo {
    #[cacheable(key = "repo:<<id>>", companions, skip(runs))]
    pub(crate) async fn find(id: u32, runs: &Runs) -> u32 {
        runs.next()
    }

    #[cacheable(key = "repo-self:<<id>>", companions, skip(runs))]
    fn find_with_self(&self, id: u32, runs: &Runs) -> u32 {
        runs.next()
    }
}

trait Source {
    fn source(id: u32) -> u32;
}

impl Source for Repo {
    #[cacheable(key = "source:<<id>>", companions = false)]
    fn source(id: u32) -> u32 {
        id
    }
}

#[tokio::test]
async fn companions_of_methods_are_associated_functions() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        assert_eq!(
            (Repo::find(1, &runs).await, Repo::find(1, &runs).await),
            (1, 1)
        );
        assert_eq!(Repo::find_cache_key(1, &runs), "quickpost:repo:1");
        assert_eq!(Repo::find_no_cache(1, &runs).await, 2);
        assert_eq!(Repo::find_refresh(1, &runs).await, 3);
        assert!(Repo::find_invalidate(1, &runs).await.unwrap());
        assert_eq!(Repo.find_with_self(1, &runs), 4);
        assert_eq!(
            Repo.find_with_self_cache_key(1, &runs),
            "quickpost:repo-self:1"
        );
        assert!(Repo.find_with_self_invalidate(1, &runs).unwrap());
        assert_eq!(Repo.find_with_self_refresh(1, &runs), 5);
        assert_eq!(Repo.find_with_self_no_cache(1, &runs), 6);
        assert_eq!(Repo::source(7), 7);
    })
    .await;
}

#[cacheable(key = "generic:<<id>>", skip(runs))]
fn generic<T: std::fmt::Display>(id: T, runs: &Runs) -> u32 {
    runs.next()
}

#[tokio::test]
async fn companions_of_a_generic_function_are_per_instance() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        assert_eq!((generic(1u8, &runs), generic(1u16, &runs)), (1, 2));
        for key in [
            generic_cache_key(1u8, &runs),
            generic_cache_key(1u16, &runs),
        ] {
            assert!(
                cache
                    .exists(key.strip_prefix("quickpost:").unwrap())
                    .await
                    .unwrap(),
                "{key}"
            );
        }
        assert!(generic_invalidate(1u8, &runs).unwrap());
        assert_eq!(
            (
                generic_refresh(1u8, &runs),
                generic(1u8, &runs),
                generic(1u16, &runs)
            ),
            (3, 3, 2)
        );
    })
    .await;
}
