//! `redis` by hand: format a key, GET, decode; on a miss compute, encode, SET.

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use crate::model::{LIFETIME, Post};

/// Open one connection that all callers share, as `cache-runtime` does.
pub async fn connect(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("the URL is well-formed");
    client
        .get_multiplexed_async_connection()
        .await
        .expect("the server answers")
}

pub fn encode(post: &Post) -> Vec<u8> {
    bincode::serde::encode_to_vec(post, bincode::config::standard()).expect("a post can be encoded")
}

pub fn decode(bytes: &[u8]) -> Post {
    let decoded = bincode::serde::decode_from_slice(bytes, bincode::config::standard());
    decoded.expect("these are a post's bytes").0
}

pub async fn value(mut connection: MultiplexedConnection, slug: &str) -> Post {
    let key = format!("hand:posts:{slug}");
    let found: Option<Vec<u8>> = connection.get(&key).await.expect("the server answers");
    if let Some(bytes) = found {
        return decode(&bytes);
    }
    let post = Post::of(slug);
    let stored = connection.set_ex::<_, _, ()>(&key, encode(&post), LIFETIME);
    stored.await.expect("the server answers");
    post
}

/// Delete the matches of a pattern by `SCAN`, which doesn't block the server.
pub fn scan_and_unlink(connection: &mut redis::Connection, pattern: &str) {
    let mut cursor = 0_u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor)
            .arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(1_000);
        let (next, keys): (u64, Vec<String>) = scan.query(connection).expect("the server answers");
        unlink(connection, &keys);
        cursor = next;
        if cursor == 0 {
            return;
        }
    }
}

/// Delete the matches of a pattern by `KEYS`, which blocks the server.
pub fn list_and_unlink(connection: &mut redis::Connection, pattern: &str) {
    let listed = redis::cmd("KEYS").arg(pattern).query(connection);
    let keys: Vec<String> = listed.expect("the server answers");
    unlink(connection, &keys);
}

fn unlink(connection: &mut redis::Connection, keys: &[String]) {
    if !keys.is_empty() {
        let removed = redis::cmd("UNLINK").arg(keys).query(connection);
        let _: u64 = removed.expect("the server answers");
    }
}
