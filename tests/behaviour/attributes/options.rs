//! The options of `#[cacheable]`.

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::on_both_stores;

use crate::common::{Post, Runs, assert_about, memory};

/// A module like that of a crate that re-exports the runtime.
mod wrapper {
    pub(crate) mod deep {
        pub(crate) use cache_runtime as renamed;
    }
}

#[cacheable(key = "condition:<<page>>", condition = page < 3 && *on, skip(runs, on))]
async fn conditional(page: u32, on: &bool, runs: &Runs) -> u32 {
    runs.next()
}

#[tokio::test]
async fn a_false_condition_neither_reads_nor_writes() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        assert_eq!(conditional(1, &false, &runs).await, 1);
        assert!(!cache.exists("condition:1").await.unwrap());
        assert_eq!(conditional(1, &true, &runs).await, 2);
        assert_eq!(conditional(1, &false, &runs).await, 3);
        assert_eq!(conditional(1, &true, &runs).await, 2);
        assert_eq!(
            (
                conditional(3, &true, &runs).await,
                conditional(3, &true, &runs).await
            ),
            (4, 5)
        );
    })
    .await;
}

#[cacheable(key = "unless:<<id>>", unless = |post| post.slug.is_empty(), skip(runs, slug))]
async fn unless_empty(id: u32, slug: &str, runs: &Runs) -> Result<Option<Post>, String> {
    runs.next();
    Ok(Some(Post::new(id, slug)))
}

#[cacheable(key = "none:<<id>>", cache_none, unless = |_: &Post| panic!("not offered"), skip(runs))]
async fn unless_none(id: u32, runs: &Runs) -> Option<Post> {
    runs.next();
    None
}

#[cacheable(key = "none-ttl:<<id>>", cache_none, ttl = |_: &Post| -> Duration { panic!("not offered") })]
async fn ttl_none(id: u32) -> Option<Post> {
    None
}

#[tokio::test]
async fn unless_is_called_with_the_innermost_value_and_not_for_none() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for slug in ["", "", "a", ""] {
            unless_empty(1, slug, &runs).await.unwrap();
        }
        assert_eq!(runs.count(), 3);
        assert_eq!(unless_empty(1, "", &runs).await.unwrap().unwrap().slug, "a");
        for _ in 0..2 {
            assert_eq!(unless_none(1, &runs).await, None);
            assert_eq!(ttl_none(1).await, None);
        }
        assert_eq!(runs.count(), 4);
        assert_about(cache.ttl("none-ttl:1").await.unwrap(), 300);
    })
    .await;
}

mod first {
    #[cache_runtime::cacheable(key = "versioned", skip(runs))]
    pub(crate) fn read(runs: &super::Runs) -> u32 {
        runs.next()
    }
}

mod second {
    #[cache_runtime::cacheable(key = "versioned", version = 2, skip(runs))]
    pub(crate) fn read(runs: &super::Runs) -> u32 {
        runs.next()
    }
}

#[tokio::test]
async fn another_version_makes_an_entry_a_miss() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        assert_eq!((first::read(&runs), first::read(&runs)), (1, 1));
        assert_eq!((second::read(&runs), second::read(&runs)), (2, 2));
        assert_eq!(first::read_cache_key(&runs), second::read_cache_key(&runs));
    })
    .await;
}

struct Service {
    cache: Cache,
}

#[derive(Clone)]
struct State(Cache);

impl Service {
    #[cacheable(key = "service:<<id>>", cache = self.cache, skip(runs))]
    async fn load(&self, id: u32, runs: &Runs) -> u32 {
        runs.next()
    }
}

#[cacheable(key = "handler:<<id>>", cache = state.0, skip(state, runs))]
async fn handler(state: State, id: u32, runs: &Runs) -> u32 {
    drop(state);
    id + runs.next()
}

#[tokio::test]
async fn the_cache_can_be_a_field_or_an_axum_state_that_the_body_consumes() {
    on_both_stores(|cache| async move {
        let (runs, service) = (
            Runs::default(),
            Service {
                cache: cache.clone(),
            },
        );
        // Another cache is the current one.
        let current = memory();
        current
            .scope(async {
                for _ in 0..2 {
                    assert_eq!(service.load(1, &runs).await, 1);
                    assert_eq!(handler(State(cache.clone()), 1, &runs).await, 3);
                }
            })
            .await;
        assert!(
            cache.exists("service:1").await.unwrap() && cache.exists("handler:1").await.unwrap()
        );
        assert_eq!(current.stats().entries, 0);
    })
    .await;
}

struct Extract<T>(T);

#[cacheable(key = "extract:<<slug>>", skip(runs, trace))]
fn extracted(
    Extract((slug, trace)): Extract<(String, u64)>,
    Extract(page): Extract<u32>,
    runs: &Runs,
) -> u32 {
    drop(slug);
    runs.next() + u32::try_from(trace).unwrap() + page
}

#[tokio::test]
async fn one_binding_of_a_pattern_can_be_skipped() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        let call = |trace, page| extracted(Extract(("a".to_owned(), trace)), Extract(page), &runs);
        assert_eq!(call(10, 1), call(20, 1));
        assert_ne!(call(10, 1), call(10, 2));
        assert_eq!(runs.count(), 2);
    })
    .await;
}

#[wrapper::deep::renamed::cacheable(key = "renamed:<<id>>", crate = crate::attributes::options::wrapper::deep::renamed, skip(runs))]
fn renamed(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[tokio::test]
async fn the_runtime_can_have_another_path_and_a_disabled_cache_runs_the_body() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        assert_eq!((renamed(1, &runs), renamed(1, &runs)), (1, 1));
        let disabled = Cache::builder().enabled(false).build().unwrap();
        disabled.scope_sync(|| assert_eq!((renamed(1, &runs), renamed(1, &runs)), (2, 3)));
        // Explicit operations still work.
        disabled.set("a", &1, 60).await.unwrap();
        assert_eq!(disabled.get::<i32>("a").await.unwrap(), Some(1));
    })
    .await;
}
