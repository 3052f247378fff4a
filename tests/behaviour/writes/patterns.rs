//! `#[invalidate]`: which entries its patterns remove.

use std::sync::Arc;

use cache_runtime::{Cache, cacheable, invalidate};
use tests::on_both_stores;

use crate::common::{Post, Runs, memory};

/// Store a value at each key.
async fn fill(cache: &Cache, keys: &[&str]) {
    cache
        .set_many(keys.iter().map(|key| (*key, 1u8)), 600)
        .await
        .unwrap();
}

/// Assert which of the keys are still cached.
#[track_caller]
fn assert_left(left: Vec<&str>, expected: &[&str]) {
    assert_eq!(left, expected);
}

async fn left<'a>(cache: &Cache, keys: &[&'a str]) -> Vec<&'a str> {
    let found = cache.get_many::<u8>(keys).await.unwrap();
    let standing = keys.iter().zip(found).filter(|(_, found)| found.is_some());
    standing.map(|(key, _)| *key).collect()
}

const KEYS: [&str; 10] = [
    "posts:my-slug",
    "posts:my-slug#0123456789abcdefghjkmnpqrs",
    "posts:my-slug:comments",
    "posts:my-slug:comments#0123456789abcdefghjkmnpqrs",
    "posts:my-slug-2",
    "posts:my-slug-2:comments",
    "posts:my",
    "posts:list:1",
    "posts",
    "users:7",
];

#[invalidate(patterns = ["posts:<<slug>>:*", "posts:list:*"])]
async fn update_post(slug: &str) -> Result<(), String> {
    Ok(())
}

#[tokio::test]
async fn a_pattern_with_children_removes_the_node_its_variants_and_children_and_no_sibling() {
    on_both_stores(|cache| async move {
        fill(&cache, &KEYS).await;
        update_post("my-slug").await.unwrap();
        let expected = [
            "posts:my-slug-2",
            "posts:my-slug-2:comments",
            "posts:my",
            "posts",
            "users:7",
        ];
        assert_left(left(&cache, &KEYS).await, &expected);
    })
    .await;
}

#[invalidate(patterns = ["posts:<<slug>>"])]
async fn touch_post(slug: &str) {}

#[invalidate(patterns = ["posts:*"])]
async fn touch_posts() {}

#[invalidate(patterns = ["posts:my-slug-[0-9]", "user?:7"])]
async fn touch_some() {}

#[invalidate(patterns = ["posts:{{slug}}:c*"])]
async fn touch_comments(slug: &str) {}

#[tokio::test]
async fn patterns_match_paths_by_the_rules_of_redis_globs() {
    on_both_stores(|cache| async move {
        fill(&cache, &KEYS).await;
        touch_post("my-slug").await;
        assert_left(left(&cache, &KEYS).await, &KEYS[2..]);
        touch_comments("my-slug").await;
        assert_left(left(&cache, &KEYS).await, &KEYS[4..]);
        touch_some().await;
        assert_left(left(&cache, &KEYS).await, &KEYS[5..9]);
        touch_posts().await;
        assert_left(left(&cache, &KEYS).await, &[]);
    })
    .await;
}

#[cacheable(key = "files:<<name>>:<<part>>", skip(runs))]
async fn file(name: &str, part: &str, runs: &Runs) -> u32 {
    runs.next()
}

#[invalidate(patterns = ["files:<<name>>:<<part>>"])]
async fn write_file(name: &str, part: &str) {}

#[invalidate(patterns = ["files:<<name>>:*"])]
async fn write_files(name: &str) {}

const NASTY: [&str; 14] = [
    "*", "a*b", "a?b", "[a-z]", "[^x]", "x:y", "x", "y", "\\", "\\*", "a", "axb", "#", "%2A",
];

#[tokio::test]
async fn an_argument_cannot_widen_a_pattern() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for written in NASTY {
            for name in NASTY {
                file(name, "p", &runs).await;
                file("p", name, &runs).await;
            }
            write_file(written, "p").await;
            write_files(written).await;
            write_file("p", written).await;
            for name in NASTY {
                let before = runs.count();
                file(name, "p", &runs).await;
                file("p", name, &runs).await;
                let computed = runs.count() - before;
                assert_eq!(
                    computed,
                    if name == written { 2 } else { 0 },
                    "{written} {name}"
                );
            }
        }
        assert_eq!(cache.stats().errors, 0);
    })
    .await;
}

struct Draft {
    slug: String,
    tags: Vec<String>,
}

#[invalidate(patterns = ["drafts:<<draft.slug>>", "tags:<<draft.tags[0]>>", "authors:<<author>>"])]
async fn publish(draft: Draft, mut author: String) -> Vec<String> {
    author.push_str("-changed");
    let mut consumed = draft.tags;
    consumed.push(draft.slug);
    consumed.push(author);
    consumed
}

#[tokio::test]
async fn placeholders_use_the_arguments_as_they_were_passed() {
    on_both_stores(|cache| async move {
        let keys = [
            "drafts:a",
            "drafts:b",
            "tags:x",
            "tags:y",
            "authors:me",
            "authors:me-changed",
        ];
        fill(&cache, &keys).await;
        let draft = Draft {
            slug: "a".to_owned(),
            tags: vec!["x".to_owned()],
        };
        publish(draft, "me".to_owned()).await;
        assert_left(
            left(&cache, &keys).await,
            &["drafts:b", "tags:y", "authors:me-changed"],
        );
    })
    .await;
}

type Outcome<T> = Result<T, String>;

#[invalidate(patterns = ["posts:<<result.slug>>", "ids:<<result.id>>-<<author>>:<<result.slug>>:*"])]
async fn create(author: u32, made: Outcome<Option<Arc<Post>>>) -> Outcome<Option<Arc<Post>>> {
    made
}

#[invalidate(patterns = ["posts:<<result.slug>>", "lists:*"])]
fn create_sync(made: Option<Post>) -> Option<Post> {
    made
}

#[invalidate(patterns = ["posts:<<result.slug>>"], when = "always")]
async fn create_always(made: Outcome<Post>) -> Outcome<Post> {
    made
}

const RESULTS: [&str; 6] = [
    "posts:a",
    "posts:b",
    "ids:1-7:a",
    "ids:1-7:a:x",
    "ids:2-7:a",
    "lists:1",
];

#[tokio::test]
async fn the_placeholder_result_is_the_innermost_value() {
    on_both_stores(|cache| async move {
        fill(&cache, &RESULTS).await;
        create(7, Ok(Some(Arc::new(Post::new(1, "a")))))
            .await
            .unwrap();
        assert_left(
            left(&cache, &RESULTS).await,
            &["posts:b", "ids:2-7:a", "lists:1"],
        );
        fill(&cache, &RESULTS).await;
        // A wildcard in the value is escaped.
        create(7, Ok(Some(Arc::new(Post::new(1, "*")))))
            .await
            .unwrap();
        create_always(Ok(Post::new(1, "?"))).await.unwrap();
        assert_left(left(&cache, &RESULTS).await, &RESULTS);
    })
    .await;
}

#[tokio::test]
async fn without_a_value_only_patterns_without_result_are_removed() {
    on_both_stores(|cache| async move {
        fill(&cache, &RESULTS).await;
        create(7, Ok(None)).await.unwrap();
        create(7, Err("x".to_owned())).await.unwrap_err();
        assert_left(left(&cache, &RESULTS).await, &RESULTS);
        assert_eq!(create_sync(None), None);
        assert_left(left(&cache, &RESULTS).await, &RESULTS[..5]);
        create_sync(Some(Post::new(1, "b")));
        assert_left(
            left(&cache, &RESULTS).await,
            &["posts:a", "ids:1-7:a", "ids:1-7:a:x", "ids:2-7:a"],
        );
        // After an `Err`, the result is unknown.
        create_always(Err("x".to_owned())).await.unwrap_err();
        assert_left(
            left(&cache, &RESULTS).await,
            &["ids:1-7:a", "ids:1-7:a:x", "ids:2-7:a"],
        );
    })
    .await;
}

#[invalidate(patterns = ["a:<<id>>"], when = "ok")]
#[invalidate(patterns = ["b:<<id>>"], when = "always")]
#[invalidate(patterns = ["c:<<id>>", "d"], condition = *with_c, when = "always")]
async fn stacked(id: u32, with_c: &bool, ok: bool) -> Result<(), String> {
    if !ok {
        return Err("x".to_owned());
    }
    Ok(())
}

#[tokio::test]
async fn stacked_attributes_apply_their_own_options() {
    on_both_stores(|cache| async move {
        let keys = ["a:1", "b:1", "c:1", "d", "a:2"];
        for (with_c, ok, expected) in [
            (false, false, &["a:1", "c:1", "d", "a:2"][..]),
            (false, true, &["c:1", "d", "a:2"]),
            (true, false, &["a:1", "a:2"]),
            (true, true, &["a:2"]),
        ] {
            fill(&cache, &keys).await;
            assert_eq!(stacked(1, &with_c, ok).await.is_ok(), ok);
            assert_left(left(&cache, &keys).await, expected);
        }
    })
    .await;
}

#[invalidate(patterns = ["given:<<id>>"], cache = cache)]
fn with_cache(cache: &Cache, id: u32) {}

#[test]
fn the_option_cache_selects_the_cache_and_a_disabled_one_removes_nothing() {
    let (cache, other) = (memory(), memory());
    for cache in [&cache, &other] {
        cache.blocking().set("given:1", &1, 60).unwrap();
    }
    other.scope_sync(|| with_cache(&cache, 1));
    assert!(!cache.blocking().exists("given:1").unwrap());
    assert!(other.blocking().exists("given:1").unwrap());
    let disabled = Cache::builder().enabled(false).build().unwrap();
    disabled.blocking().set("given:1", &1, 60).unwrap();
    with_cache(&disabled, 1);
    assert!(disabled.blocking().exists("given:1").unwrap());
}
