//! Keys as stored in Redis: templates, placeholders, escapes.
#![allow(dead_code, reason = "of most functions only the keys are asked for")]

use std::fmt::{self, Display};

use cache_runtime::{Cache, cacheable, invalidate};
use redis::Connection;
use serde::{Serialize, Serializer, ser};
use tests::{RedisServer, on_both_stores};
use uuid::Uuid;

use crate::common::{Runs, memory, on_redis, variant};

fn all_keys(connection: &mut Connection) -> Vec<String> {
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query(connection).unwrap();
    // The keys of the index sets are outside the entries' namespace.
    keys.retain(|key| !key.contains("#index:"));
    keys.sort();
    keys
}

#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(_db))]
async fn get_post(_db: &u8, slug: &str) -> String {
    slug.to_owned()
}

#[cacheable(key = "posts:list:<<topic>>")]
async fn list_posts(topic: u32, page: u32) -> u32 {
    topic + page
}

#[cacheable(key = "topics")]
async fn topics() -> u32 {
    1
}

#[tokio::test]
async fn keys_in_redis_are_as_documented() {
    let server = RedisServer::start();
    let cache = on_redis(&server, "quickpost");
    cache
        .scope(async {
            get_post(&1, "my-post-slug").await;
            list_posts(42, 1).await;
            topics().await;
        })
        .await;
    let keys = all_keys(&mut server.connect());
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert_eq!(
        keys[0],
        "quickpost:posts:list:42#".to_owned() + variant(&keys[0]).unwrap()
    );
    assert_eq!(variant(&keys[0]).unwrap().len(), 26);
    assert_eq!(keys[1], "quickpost:posts:my-post-slug");
    assert_eq!(keys[2], "quickpost:topics");
    assert_eq!(cache.scope_sync(|| list_posts_cache_key(42, 1)), keys[0]);
}

#[test]
fn keys_begin_with_the_prefix_of_the_cache() {
    let cache = Cache::builder().build().unwrap();
    assert_eq!(cache.scope_sync(topics_cache_key), "cache:topics");
    assert_eq!(memory().scope_sync(topics_cache_key), "quickpost:topics");
}

struct User {
    id: u64,
}

struct Auth {
    user: User,
}

#[cacheable(key = "a:<<auth.user.id>>:<<page.unwrap_or(1)>>:{{page.is_some()}}")]
fn expressions(#[allow(unused)] auth: &AuthArgument, page: Option<u32>) {}
type AuthArgument = Auth;

#[cacheable(key = "{<<id>>}:b:<<flag>>:<<letter>>:<<uuid>>:<<*number>>:<<text>>:<<float>>")]
fn kinds(id: i64, flag: bool, letter: char, uuid: Uuid, number: &&u8, text: &&String, float: f64) {}

#[test]
fn placeholders_accept_expressions_of_every_documented_type() {
    memory().scope_sync(|| {
        let auth = Auth {
            user: User { id: 7 },
        };
        assert_eq!(
            expressions_cache_key(&auth, Some(3)),
            "quickpost:a:7:3:true"
        );
        // An argument used by a placeholder is in the key.
        assert_eq!(expressions_cache_key(&auth, None), "quickpost:a:7:1:false");
        let uuid = Uuid::from_u128(0xA0);
        assert_eq!(
            kinds_cache_key(-1, true, 'é', uuid, &&3, &&"x".to_owned(), 1.5),
            "quickpost:{-1}:b:true:é:00000000-0000-0000-0000-0000000000a0:3:x:1.5"
        );
    });
}

#[cacheable(key = "text:<<text>>")]
fn text(text: &str) {}

#[test]
fn only_structural_characters_are_escaped() {
    memory().scope_sync(|| {
        let ascii = (0..=0x20).chain([0x7f]).chain(*b":#*?[]\\{}%");
        let wide = ['\u{85}', '\u{a0}', '\u{2028}', '\u{3000}'];
        for character in ascii.map(char::from).chain(wide) {
            let escaped: String = character
                .to_string()
                .bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect();
            let key = text_cache_key(&format!("a{character}b"));
            assert_eq!(key, format!("quickpost:text:a{escaped}b"), "{character:?}");
        }
        let plain = "My-post_1.é~日本!$&'()+,;=@/\"<>^`|";
        assert_eq!(text_cache_key(plain), format!("quickpost:text:{plain}"));
        assert_eq!(text_cache_key(""), "quickpost:text:");
    });
}

#[cacheable(key = "names:<<name>>")]
async fn by_name(name: Option<&str>) -> String {
    format!("{name:?}")
}

#[invalidate(patterns = ["names:<<name>>"])]
async fn forget_name(name: Option<&str>) {}

const NAMES: [Option<&str>; 6] = [
    None,
    Some(""),
    Some("None"),
    Some("none"),
    Some("%none"),
    Some("null"),
];

#[tokio::test]
async fn none_and_texts_that_look_like_it_differ_in_keys_and_in_patterns() {
    on_both_stores(|cache| async move {
        for forgotten in NAMES {
            for name in NAMES {
                assert_eq!(by_name(name).await, format!("{name:?}"));
            }
            forget_name(forgotten).await;
            for name in NAMES {
                let key = by_name_cache_key(name);
                let is_cached = cache.exists(key.strip_prefix("quickpost:").unwrap()).await;
                assert_eq!(
                    is_cached.unwrap(),
                    name != forgotten,
                    "{name:?} {forgotten:?}"
                );
            }
        }
    })
    .await;
}

#[cacheable(key = "hashed")]
fn hashed(name: Option<&str>) {}

#[test]
fn none_and_texts_that_look_like_it_differ_in_variants() {
    memory().scope_sync(|| {
        let mut keys = NAMES.map(hashed_cache_key);
        keys.sort();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
    });
}

#[cacheable(key = "pair:<<a>>-<<b>>")]
fn pair(a: &str, b: &str) {}

#[cacheable(key = "touching:<<a>><<b>>")]
fn touching(a: &str, b: &str) {}

#[cacheable(key = "separated:<<a>>:<<b>>")]
fn separated(a: &str, b: &str) {}

#[test]
fn adjacent_placeholders_without_a_separator_never_collide() {
    memory().scope_sync(|| {
        assert_ne!(pair_cache_key("x-y", "z"), pair_cache_key("x", "y-z"));
        assert!(pair_cache_key("x", "y").starts_with("quickpost:pair:x-y"));
        assert_ne!(touching_cache_key("ab", ""), touching_cache_key("a", "b"));
        // There is no variant where `:` separates the placeholders.
        assert_eq!(separated_cache_key("x-y", "z"), "quickpost:separated:x-y:z");
        assert_ne!(
            separated_cache_key("x:y", "z"),
            separated_cache_key("x", "y:z")
        );
    });
}

struct Unwilling;

impl Serialize for Unwilling {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("not today"))
    }
}

impl Display for Unwilling {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

#[cacheable(key = "unwilling", skip(runs))]
async fn unwilling_hash(value: &Unwilling, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "unwilling:<<value>>", skip(runs))]
async fn unwilling_text(value: &Unwilling, runs: &Runs) -> u32 {
    runs.next()
}

#[invalidate(patterns = ["text:a", "unwilling:<<value>>", "text:b"])]
async fn unwilling_pattern(value: &Unwilling) {}

#[tokio::test]
async fn an_argument_that_fails_to_serialize_runs_the_body_uncached_and_counts_an_error() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for run in [1, 3] {
            assert_eq!(unwilling_hash(&Unwilling, &runs).await, run);
            assert_eq!(unwilling_text(&Unwilling, &runs).await, run + 1);
        }
        assert_eq!(cache.stats().errors, 4);
        for key in ["text:a", "text:b", "text:c"] {
            cache.set(key, &1, 60).await.unwrap();
        }
        unwilling_pattern(&Unwilling).await;
        assert_eq!(cache.stats().errors, 5);
        assert_eq!(
            cache.clear().await.unwrap(),
            1,
            "the other entries were removed"
        );
    })
    .await;
}

/// A type whose `Display` calls a cached function.
struct Looked(u32);

#[cacheable(key = "name:<<id>>")]
fn name_of(id: u32) -> String {
    format!("name{id}")
}

impl Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name_of(self.0))
    }
}

#[test]
fn a_placeholder_can_call_a_cached_function() {
    #[cacheable(key = "looked:<<first>>:<<second>>")]
    fn looked(first: &Looked, second: &Looked) {}

    memory().scope_sync(|| {
        for _ in 0..2 {
            let key = looked_cache_key(&Looked(1), &Looked(2));
            assert_eq!(key, "quickpost:looked:name1:name2");
        }
    });
}
