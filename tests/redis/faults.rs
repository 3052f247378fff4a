//! Servers that refuse connections, are silent, reject the password, or restart.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, CacheError, cacheable, invalidate};
use tests::{RedisServer, until, until_well};
use tracing::Level;

#[cacheable(key = "answers:<<id>>")]
async fn answer(id: u32) -> u32 {
    id + 1
}

#[cacheable(key = "sync-answers:<<id>>")]
fn answer_sync(id: u32) -> u32 {
    id + 1
}

#[invalidate(patterns = ["answers:*"])]
async fn forget() -> u32 {
    7
}

fn cache_at(url: impl Into<String>) -> Cache {
    Cache::builder().redis(url).build().unwrap()
}

/// Return a socket that accepts connections and never answers, and its URL.
fn silent_socket() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!(
        "redis://127.0.0.1:{}",
        listener.local_addr().unwrap().port()
    );
    (listener, url)
}

#[tokio::test]
async fn twenty_calls_on_a_silent_socket_take_under_three_seconds() {
    let (_listener, url) = silent_socket();
    let cache = cache_at(url);
    let started = Instant::now();
    for id in 0..20 {
        assert_eq!(cache.scope(answer(id)).await, id + 1);
    }
    assert_eq!(cache.scope(forget()).await, 7);
    assert_eq!(cache.scope_sync(|| answer_sync(1)), 2);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    let error = cache.get::<u32>("answers:1").await.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable { .. }), "{error}");
    assert!(cache.health_check().await.is_err());
    assert!(cache.stats().errors > 0);
}

#[tokio::test]
async fn calls_on_a_refused_connection_do_not_wait() {
    let (listener, url) = silent_socket();
    drop(listener);
    let cache = cache_at(url);
    let started = Instant::now();
    for id in 0..200 {
        assert_eq!(cache.scope(answer(id)).await, id + 1);
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn the_health_check_reports_a_wrong_password_without_showing_it() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let cache = cache_at(format!("redis://:sesame@127.0.0.1:{}", server.port()));
    assert_eq!(cache.scope(answer(1)).await, 2);
    let error = cache.health_check().await.unwrap_err();
    let shown = format!("{error} {error:?} {cache:?}");
    assert!(shown.contains("authentication failed"), "{shown}");
    assert!(!shown.contains("sesame"), "{shown}");

    let right = cache_at(format!("redis://:right@127.0.0.1:{}", server.port()));
    assert!(right.health_check().await.is_ok());
}

#[tokio::test]
async fn a_restarted_server_is_used_again() {
    let mut server = RedisServer::start();
    let cache = cache_at(server.url());
    assert_eq!(cache.scope(answer(1)).await, 2);
    server.kill();
    for id in 0..5 {
        assert_eq!(cache.scope(answer(id)).await, id + 1);
    }
    assert!(cache.get::<u32>("answers:1").await.is_err());
    server.restart();
    until("the probe finds the server", || async {
        cache.get::<u32>("answers:1").await.is_ok()
    })
    .await;
    assert_eq!(cache.scope(answer(9)).await, 10);
    assert_eq!(cache.get::<u32>("answers:9").await.unwrap(), Some(10));
}

#[tokio::test]
async fn a_server_stopped_between_calls_is_used_again_when_it_continues() {
    let server = RedisServer::start();
    let cache = cache_at(server.url());
    assert_eq!(cache.scope(answer(1)).await, 2);
    server.signal("STOP");
    let started = Instant::now();
    for id in 0..10 {
        assert_eq!(cache.scope(answer(id)).await, id + 1);
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    server.signal("CONT");
    until_well(&cache).await;
}

#[test]
fn building_does_no_io_and_the_error_of_an_invalid_url_shows_no_password() {
    let events = tests::events_of(Level::TRACE, || {
        let (_listener, url) = silent_socket();
        drop(Cache::builder().prefix("app").redis(url).build().unwrap());
    });
    assert_eq!(events, []);
    for url in [
        "http://:sesame@host",
        "redis://:sesame@host:port",
        "rediss://:sesame@host#insecure",
        "",
        "sesame",
    ] {
        let error = Cache::builder().redis(url).build().unwrap_err();
        assert!(matches!(error, CacheError::InvalidUrl { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("sesame"), "{error}");
    }
}
