//! `compress_over`: which values are compressed, without an effect on results.

use std::collections::BTreeMap;

use cache_runtime::{Cache, Codec, cacheable, invalidate};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Strategy, any};
use proptest::prop_assert_eq;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use redis::{Commands, Connection};
use tests::{PATIENCE, RedisServer, on_both_stores_with};

use crate::common::{Post, Runs};

#[cacheable(key = "posts:<<words>>", skip(runs))]
async fn post(runs: &Runs, words: u32) -> Post {
    Post::new(runs.next(), &text(words))
}

#[cacheable(key = "posts:sync:<<words>>", skip(runs))]
fn post_sync(runs: &Runs, words: u32) -> Result<Option<Post>, String> {
    Ok(Some(Post::new(runs.next(), &text(words))))
}

#[invalidate(patterns = ["posts:<<words>>"])]
async fn update(words: u32) {}

fn text(words: u32) -> String {
    (0..words).map(|n| format!("word {n} and ")).collect()
}

fn compressing(server: &RedisServer, over: usize) -> Cache {
    let builder = Cache::builder().prefix("quickpost").redis(server.url());
    builder
        .response_timeout(PATIENCE)
        .compress_over(over)
        .build()
        .unwrap()
}

fn entry(connection: &mut Connection, key: &str) -> Vec<u8> {
    connection.get(format!("quickpost:{key}")).unwrap()
}

/// Return the compression of an entry, which is its 61st byte. 2 is Zstandard, the first choice of
/// a build that has it.
const COMPRESSION: usize = 60;

#[tokio::test]
async fn compressed_entries_are_read_invalidated_and_counted_like_others() {
    on_both_stores_with(
        |builder| builder.compress_over(100),
        |cache| async move {
            let runs = Runs::default();
            for round in [1, 2] {
                for _ in 0..3 {
                    assert_eq!(post(&runs, 500).await, Post::new(round, &text(500)));
                }
                update(500).await;
            }
            for _ in 0..3 {
                let given = post_sync(&runs, 500);
                assert_eq!(given, Ok(Some(Post::new(3, &text(500)))));
            }
            assert_eq!(runs.count(), 3);
            let long = text(2_000);
            cache.set("long", &long, 60).await.unwrap();
            cache
                .set_many([("a", long.clone()), ("b", long.clone())], 60)
                .await
                .unwrap();
            assert_eq!(
                cache.get::<String>("long").await.unwrap().as_ref(),
                Some(&long)
            );
            let many = cache.get_many::<String>(["a", "b", "c"]).await.unwrap();
            assert_eq!(many, [Some(long.clone()), Some(long), None]);
            assert!(cache.ttl("a").await.unwrap().is_some());
            assert!(cache.delete("a").await.unwrap());
            assert_eq!(cache.stats().errors, 0);
        },
    )
    .await;
}

#[tokio::test]
async fn only_values_over_the_threshold_that_become_shorter_are_compressed() {
    let server = RedisServer::start();
    let cache = compressing(&server, 1_000);
    let mut connection = server.connect();
    let runs = Runs::default();
    cache.scope(post(&runs, 500)).await;
    let long = entry(&mut connection, "posts:500");
    assert_eq!(long[COMPRESSION], 2);
    assert!(long.len() < text(500).len() / 2, "{} bytes", long.len());
    cache.scope(post(&runs, 50)).await;
    let short = entry(&mut connection, "posts:50");
    assert_eq!(short[COMPRESSION], 0);
    assert!(short.len() > text(50).len());

    let mut random = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(6_364_136_223_846_793_005) + 1;
        (random >> 56) as u8
    })
    .take(5_000)
    .collect();
    cache.set("noise", &noise, 60).await.unwrap();
    assert_eq!(entry(&mut connection, "noise")[COMPRESSION], 0);
    assert_eq!(cache.get::<Vec<u8>>("noise").await.unwrap(), Some(noise));
}

/// The memory store keeps values, not bytes. Bytes that `set` stores there aren't compressed
/// either.
#[tokio::test]
async fn values_in_memory_are_not_compressed() {
    let weight = async |cache: Cache| {
        cache.set("long", &text(2_000), 60).await.unwrap();
        cache.stats().bytes
    };
    let plain = weight(Cache::builder().build().unwrap()).await;
    let compressing = weight(Cache::builder().compress_over(0).build().unwrap()).await;
    assert_eq!(plain, compressing);
}

#[tokio::test]
async fn a_value_over_the_limit_of_redis_is_stored_if_it_compresses() {
    let server = RedisServer::start();
    let long = "a line of text\n".repeat((17 << 20) / 15);
    let cache = compressing(&server, 1_000);
    cache.set("long", &long, 60).await.unwrap();
    assert!(
        cache
            .get::<String>("long")
            .await
            .unwrap()
            .is_some_and(|read| read == long)
    );
    assert_eq!(cache.stats().too_large, 0);
}

#[tokio::test]
async fn damaged_entries_are_misses_and_overwritten() {
    let server = RedisServer::start();
    let cache = compressing(&server, 0);
    let mut connection = server.connect();
    cache.scope(post(&Runs::default(), 20)).await;
    let whole = entry(&mut connection, "posts:20");
    assert_eq!(whole[COMPRESSION], 2);
    // Bytes 8 to 32 are not about the value.
    let flipped = (0..8).chain(32..whole.len()).map(|at| {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        flipped
    });
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    let longer = [&whole[..], b"x"].concat();
    for bytes in flipped.chain(cut).chain([longer]) {
        let _: () = connection.set("quickpost:posts:20", &bytes).unwrap();
        let runs = Runs::default();
        for _ in 0..2 {
            let given = cache.scope(post(&runs, 20)).await;
            assert_eq!(given, Post::new(1, &text(20)), "{bytes:?}");
        }
        assert_eq!(runs.count(), 1, "{bytes:?}");
    }
    assert_eq!(cache.stats().errors, 0);
}

type Anything = (
    Vec<(u64, Option<i32>, bool)>,
    Vec<String>,
    BTreeMap<u16, Vec<u8>>,
    Option<char>,
);

fn anything() -> impl Strategy<Value = Anything> {
    // Texts of few letters, which compress well, and random bytes, which don't.
    let letters = select(vec!['a', 'b', 'c', ' ', 'é']);
    let text = vec(letters, 0..60).prop_map(|letters| letters.into_iter().collect());
    (
        vec(any::<(u64, Option<i32>, bool)>(), 0..100),
        vec(text, 0..40),
        btree_map(any::<u16>(), vec(any::<u8>(), 0..40), 0..20),
        any::<Option<char>>(),
    )
}

/// Any value, written by one cache and read by another.
#[test]
fn every_value_is_returned_unchanged_with_every_codec_and_compression() {
    let server = RedisServer::start();
    let codecs = [Codec::Bincode, Codec::Postcard, Codec::MessagePack];
    let cache = |codec: Codec, over: usize| {
        let builder = Cache::builder().redis(server.url()).codec(codec);
        let builder = builder.response_timeout(PATIENCE).compress_over(over);
        builder.build().unwrap().blocking()
    };
    let caches: Vec<_> = codecs
        .into_iter()
        .flat_map(|codec| [0, 500, usize::MAX].map(|over| cache(codec, over)))
        .collect();
    let config = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let pair = (0..caches.len(), 0..caches.len());
    TestRunner::new(config)
        .run(&(anything(), pair), |(value, (writer, reader))| {
            caches[writer].set("any", &value, 60).unwrap();
            let read = caches[reader].get::<Anything>("any").unwrap();
            prop_assert_eq!(read, Some(value));
            Ok(())
        })
        .unwrap();
}
