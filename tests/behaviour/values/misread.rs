//! Bytes at a key that aren't the function's own entry are a miss: the function returns its value,
//! and the entry is overwritten.

use cache_runtime::{Cache, cacheable};
use redis::Connection;
use tests::{RedisServer, events_of, on_both_stores};
use tracing::Level;

use crate::common::{Post, Runs, memory, on_redis};

#[cacheable(key = "same", skip(runs))]
async fn post(runs: &Runs) -> Post {
    Post::new(runs.next(), "a")
}

#[cacheable(key = "same", skip(runs))]
async fn number(runs: &Runs) -> Result<u64, String> {
    Ok(runs.next().into())
}

#[cacheable(key = "same", skip(runs), version = 2)]
async fn newer_post(runs: &Runs) -> Post {
    Post::new(runs.next(), "b")
}

#[cacheable(key = "same", skip(runs), cache_none)]
async fn absent_post(runs: &Runs) -> Option<Post> {
    runs.next();
    None
}

#[cacheable(key = "same", skip(runs))]
async fn text(runs: &Runs) -> String {
    runs.next().to_string()
}

/// A struct with the same fields in another order, which makes it another type.
mod reordered {
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Post {
        pub(crate) slug: String,
        pub(crate) id: u32,
    }
}

#[cacheable(key = "same", skip(runs))]
async fn reordered_post(runs: &Runs) -> reordered::Post {
    reordered::Post {
        slug: "c".to_owned(),
        id: runs.next(),
    }
}

#[tokio::test]
async fn another_type_or_version_under_the_same_key_is_a_miss_and_overwritten() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for round in 0..2 {
            let base = round * 6;
            for _ in 0..2 {
                assert_eq!(post(&runs).await, Post::new(base + 1, "a"));
            }
            for _ in 0..2 {
                assert_eq!(number(&runs).await, Ok(u64::from(base) + 2));
            }
            for _ in 0..2 {
                assert_eq!(newer_post(&runs).await, Post::new(base + 3, "b"));
            }
            for _ in 0..2 {
                let post = reordered_post(&runs).await;
                assert_eq!((post.id, post.slug.as_str()), (base + 4, "c"));
            }
            for _ in 0..2 {
                assert_eq!(absent_post(&runs).await, None);
                assert_eq!(runs.count(), base + 5);
            }
            for _ in 0..2 {
                assert_eq!(text(&runs).await, (base + 6).to_string());
            }
        }
    })
    .await;
}

#[cacheable(key = "same", debug = true)]
fn shown_text() -> String {
    "text".to_owned()
}

#[cacheable(key = "same", debug = true)]
fn shown_number() -> u64 {
    1
}

/// Checked with and without a subscriber, since each counts on its own path.
#[test]
fn an_entry_of_another_type_is_not_counted_as_a_hit() {
    for level in [Level::INFO, Level::ERROR] {
        let cache = memory();
        let events = events_of(level, || {
            cache.scope_sync(|| {
                for _ in 0..3 {
                    // A miss replaces the entry of the other type, and a hit follows.
                    assert_eq!(shown_text(), shown_text());
                    assert_eq!(shown_number(), shown_number());
                }
            });
        });
        let stats = cache.stats();
        assert_eq!((stats.misses, stats.fills, stats.hits), (6, 6, 6));
        for site in stats.sites.iter().filter(|site| site.hits > 0) {
            assert_eq!((site.misses, site.hits), (3, 3), "{}", site.function);
        }
        let hits = events.iter().filter(|event| event.message.contains("HIT"));
        assert_eq!(hits.count(), if level == Level::INFO { 6 } else { 0 });
    }
}

#[tokio::test]
async fn a_cached_none_is_a_miss_for_a_function_without_none() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        assert_eq!(absent_post(&runs).await, None);
        for _ in 0..3 {
            assert_eq!(post(&runs).await, Post::new(2, "a"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_value_set_by_the_handle_is_read_if_its_type_matches_and_otherwise_overwritten() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        cache.set("same", &Post::new(7, "set"), 60).await.unwrap();
        assert_eq!(post(&runs).await, Post::new(7, "set"));
        assert_eq!(number(&runs).await, Ok(1));
        assert_eq!(cache.get::<u64>("same").await.unwrap(), Some(1));
        assert_eq!(cache.get::<u32>("same").await.unwrap(), None);
        assert_eq!(cache.get::<Post>("same").await.unwrap(), None);
        cache.set("same", "text", 60).await.unwrap();
        assert_eq!(number(&runs).await, Ok(2));
        assert_eq!(number(&runs).await, Ok(2));
        assert_eq!(newer_post(&runs).await, Post::new(3, "b"));
        assert_eq!(post(&runs).await, Post::new(4, "a"));
    })
    .await;
}

const KEY: &str = "quickpost:same";

/// Store unrelated bytes at the key. Assert that the next call computes, and the one after it hits.
async fn assert_overwritten(
    cache: &Cache,
    connection: &mut Connection,
    what: &str,
    put: redis::Cmd,
) {
    redis::pipe()
        .cmd("DEL")
        .arg(KEY)
        .add_command(put)
        .query::<()>(connection)
        .unwrap();
    let runs = Runs::default();
    let started = std::time::Instant::now();
    for _ in 0..2 {
        assert_eq!(cache.scope(post(&runs)).await, Post::new(1, "a"), "{what}");
    }
    assert_eq!(runs.count(), 1, "{what}");
    assert_eq!(
        cache.get::<Post>("same").await.unwrap(),
        Some(Post::new(1, "a")),
        "{what}"
    );
    let left: i64 = redis::cmd("PTTL").arg(KEY).query(connection).unwrap();
    assert!((1..=300_000).contains(&left), "{what}: {left} ms");
    assert!(
        started.elapsed().as_secs() < 2,
        "{what} took {:?}",
        started.elapsed()
    );
}

fn set(bytes: &[u8]) -> redis::Cmd {
    let mut set = redis::cmd("SET");
    set.arg(KEY).arg(bytes).arg("PX").arg(600_000);
    set
}

fn redis_cache() -> (RedisServer, Cache) {
    let server = RedisServer::start();
    let cache = on_redis(&server, "quickpost");
    (server, cache)
}

#[tokio::test]
async fn unknown_bytes_and_other_redis_types_are_overwritten() {
    let (server, cache) = redis_cache();
    let mut connection = server.connect();
    let junk: [&[u8]; 7] = [
        b"",
        b"x",
        b"garbage",
        &[0; 72],
        &[0xFF; 300],
        b"\xCA\x02",
        b"{\"id\":1,\"slug\":\"a\"}",
    ];
    for bytes in junk {
        assert_overwritten(&cache, &mut connection, &format!("{bytes:?}"), set(bytes)).await;
    }
    let of_other_types = [
        redis::cmd("RPUSH").arg(KEY).arg("x").clone(),
        redis::cmd("HSET").arg(KEY).arg("x").arg("y").clone(),
        redis::cmd("SADD").arg(KEY).arg("x").clone(),
        redis::cmd("ZADD").arg(KEY).arg(1).arg("x").clone(),
        redis::cmd("XADD")
            .arg(KEY)
            .arg("*")
            .arg("x")
            .arg("y")
            .clone(),
        redis::cmd("INCR").arg(KEY).clone(),
    ];
    for put in of_other_types {
        let what = String::from_utf8_lossy(&put.get_packed_command()).into_owned();
        assert_overwritten(&cache, &mut connection, &what, put).await;
    }
}

#[tokio::test]
async fn bytes_that_resemble_a_lease_delay_no_caller() {
    let (server, cache) = redis_cache();
    let mut connection = server.connect();
    let header = |tail: &[u8]| [&[0xCA, 0x02, 0x02, 0x00][..], tail].concat();
    for bytes in [
        header(&[]),
        header(&[0; 68]),
        header(&[7; 68]),
        header(&[7; 200]),
    ] {
        assert_overwritten(&cache, &mut connection, &format!("{bytes:?}"), set(&bytes)).await;
    }
}

#[tokio::test]
async fn truncated_and_flipped_entries_are_never_misread() {
    let (server, cache) = redis_cache();
    let mut connection = server.connect();
    cache.scope(post(&Runs::default())).await;
    let entry: Vec<u8> = redis::cmd("GET").arg(KEY).query(&mut connection).unwrap();
    for length in 0..entry.len() {
        assert_overwritten(
            &cache,
            &mut connection,
            &format!("{length} bytes"),
            set(&entry[..length]),
        )
        .await;
    }
    let longer = [&entry[..], b"x"].concat();
    assert_overwritten(&cache, &mut connection, "one byte more", set(&longer)).await;
    // Bytes 8 to 32 are a token and a claim, which scripts replace in place. They are not about the
    // value.
    for at in (0..8).chain(32..entry.len()) {
        let mut flipped = entry.clone();
        flipped[at] ^= 1 << (at % 8);
        assert_overwritten(
            &cache,
            &mut connection,
            &format!("byte {at}"),
            set(&flipped),
        )
        .await;
    }
    for bit in 0..8 {
        let mut flipped = entry.clone();
        flipped[2] ^= 1 << bit;
        assert_overwritten(
            &cache,
            &mut connection,
            &format!("kind, bit {bit}"),
            set(&flipped),
        )
        .await;
    }
}
