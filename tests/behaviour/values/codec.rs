//! `codec`: which codec writes, and that entries of every codec are read.

use cache_runtime::{Cache, CacheBuilder, Codec, cacheable};
use redis::Commands;
use serde::{Deserialize, Serialize};
use tests::{PATIENCE, RedisServer, on_both_stores_with};

use crate::common::{Post, Runs};

#[cacheable(key = "posts:<<id>>", skip(runs))]
async fn post(runs: &Runs, id: u32) -> Result<Post, String> {
    runs.next();
    Ok(Post::new(id, "a slug"))
}

/// A type with an optional field, which positional codecs can't carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sparse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    id: u32,
}

#[cacheable(key = "sparse:<<id>>", skip(runs))]
async fn sparse(runs: &Runs, id: u32) -> Sparse {
    runs.next();
    Sparse { note: None, id }
}

/// A type that codecs with field names can't carry.
#[cacheable(key = "nested:<<id>>", skip(runs))]
fn nested(runs: &Runs, id: u32) -> Vec<Option<Option<u32>>> {
    runs.next();
    vec![None, Some(None), Some(Some(id))]
}

const CODECS: [(Codec, u8); 3] = [
    (Codec::Bincode, 1),
    (Codec::Postcard, 2),
    (Codec::MessagePack, 3),
];

/// Return the codec of an entry, which is its fourth byte.
fn written_by(server: &RedisServer, key: &str) -> u8 {
    let entry: Vec<u8> = server.connect().get(key).unwrap();
    entry[3]
}

fn cache_with(server: &RedisServer, configure: impl Fn(CacheBuilder) -> CacheBuilder) -> Cache {
    let builder = Cache::builder().prefix("quickpost").redis(server.url());
    configure(builder.response_timeout(PATIENCE))
        .build()
        .unwrap()
}

#[tokio::test]
async fn values_are_cached_with_each_codec_on_both_stores() {
    for (codec, _) in CODECS {
        on_both_stores_with(
            |builder| builder.codec(codec),
            |cache| async move {
                let runs = Runs::default();
                for _ in 0..3 {
                    assert_eq!(post(&runs, 1).await, Ok(Post::new(1, "a slug")));
                    assert_eq!(sparse(&runs, 1).await, Sparse { note: None, id: 1 });
                    assert_eq!(nested(&runs, 1), [None, Some(None), Some(Some(1))]);
                }
                assert_eq!(runs.count(), 3, "{codec:?}");
                cache.set("set", &Post::new(2, "b"), 60).await.unwrap();
                let read = cache.get::<Post>("set").await.unwrap();
                assert_eq!(read, Some(Post::new(2, "b")));
                assert_eq!(cache.stats().errors, 0);
            },
        )
        .await;
    }
}

#[tokio::test]
async fn the_chosen_codec_writes_the_values_that_it_can_carry() {
    let server = RedisServer::start();
    for (codec, number) in CODECS {
        let cache = cache_with(&server, |builder| builder.codec(codec));
        let runs = Runs::default();
        cache
            .scope(async {
                post(&runs, 1).await.unwrap();
                sparse(&runs, 1).await;
                nested(&runs, 1);
                cache.set("set", &Post::new(2, "b"), 60).await.unwrap();
                cache.set_many([("many", 1)], 60).await.unwrap();
            })
            .await;
        assert_eq!(runs.count(), 3);
        for key in ["posts:1", "set", "many"] {
            let by = written_by(&server, &format!("quickpost:{key}"));
            assert_eq!(by, number, "{key} with {codec:?}");
        }
        assert_eq!(written_by(&server, "quickpost:sparse:1"), 3, "{codec:?}");
        assert_ne!(written_by(&server, "quickpost:nested:1"), 3, "{codec:?}");
        cache.clear().await.unwrap();
    }
    // By default, the first codec of the build.
    let cache = cache_with(&server, |builder| builder);
    cache.scope(post(&Runs::default(), 1)).await.unwrap();
    assert_eq!(written_by(&server, "quickpost:posts:1"), 1);
    assert_eq!(Codec::default(), Codec::Bincode);
}

#[tokio::test]
async fn caches_with_different_codecs_and_compressions_read_each_others_entries() {
    let server = RedisServer::start();
    let mut caches = Vec::new();
    for (codec, _) in CODECS {
        caches.push(cache_with(&server, |builder| builder.codec(codec)));
        let compressing = |builder: CacheBuilder| builder.codec(codec).compress_over(0);
        caches.push(cache_with(&server, compressing));
    }
    let slug = "a long slug ".repeat(100);
    for (id, writer) in (0..).zip(&caches) {
        let value = Post::new(id, &slug);
        let key = format!("posts:{id}");
        writer.set(&key, &value, 60).await.unwrap();
        let runs = Runs::default();
        for reader in &caches {
            let given = reader.scope(post(&runs, id)).await;
            assert_eq!(given, Ok(value.clone()), "{id}");
            assert_eq!(reader.get::<Post>(&key).await.unwrap(), Some(value.clone()));
        }
        assert_eq!(runs.count(), 0, "{id}");
    }
    let lengths: Vec<usize> = (0..caches.len())
        .map(|id| {
            server
                .connect()
                .strlen(format!("quickpost:posts:{id}"))
                .unwrap()
        })
        .collect();
    let compressed = |pair: &[usize]| pair[0] > 1_200 && pair[1] < 300;
    assert!(lengths.chunks(2).all(compressed), "{lengths:?}");
}
