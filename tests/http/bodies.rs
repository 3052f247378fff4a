//! Bodies that can't be stored.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use futures_util::{StreamExt as _, stream};
use tower_service::Service as _;

use crate::support::{Count, app, fetch, request};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("bodies")).ttl(60).cache(cache)
}

fn streamed(chunks: Vec<Result<Bytes, io::Error>>) -> Body {
    Body::from_stream(stream::iter(chunks))
}

#[tokio::test]
async fn a_body_in_several_chunks_is_stored_whole() {
    let cache = Cache::builder().build().unwrap();
    let handler = || async {
        streamed(vec![
            Ok("one ".into()),
            Ok("two ".into()),
            Ok("three".into()),
        ])
    };
    let app = app("/", get(handler), layer(&cache));
    assert_eq!(fetch(&app, "/").await.body, "one two three");
    let hit = fetch(&app, "/").await;
    assert_eq!((hit.is_hit(), &*hit.body), (true, "one two three"));
}

#[tokio::test]
async fn a_body_that_breaks_off_comes_through_with_its_error() {
    let cache = Cache::builder().build().unwrap();
    let handler = || async { streamed(vec![Ok("four".into()), Err(io::Error::other("broken"))]) };
    let mut app = app("/", get(handler), layer(&cache));
    for _ in 0..2 {
        let response = app.call(request("GET", "/", &[])).await.unwrap();
        let mut frames = response.into_body().into_data_stream();
        assert_eq!(frames.next().await.unwrap().unwrap(), "four");
        frames.next().await.unwrap().unwrap_err();
        assert!(frames.next().await.is_none());
    }
    assert_eq!(cache.stats().entries, 0);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_streamed_and_not_stored() {
    let cache = Cache::builder().memory_capacity(64 << 20).build().unwrap();
    let chunk = Bytes::from(vec![b'x'; 64 << 10]);
    let handler = {
        let chunk = chunk.clone();
        move || async move { streamed((0..32).map(|_| Ok(chunk.clone())).collect()) }
    };
    let large = app("/", get(handler), layer(&cache));
    for _ in 0..2 {
        let answer = fetch(&large, "/").await;
        assert_eq!(answer.body.len(), 2 << 20);
        assert_eq!(answer.cache(), "fwd=uri-miss");
    }
    let allowed = app(
        "/",
        get(move || async move { Body::from(vec![b'x'; 2 << 20]) }),
        layer(&cache).max_body(4 << 20),
    );
    fetch(&allowed, "/").await;
    assert!(fetch(&allowed, "/").await.is_hit());
}

#[tokio::test]
async fn a_body_shorter_than_its_length_is_not_stored() {
    let cache = Cache::builder().build().unwrap();
    let handler = || async {
        Response::builder()
            .header("content-length", "10")
            .body(streamed(vec![Ok("short".into())]))
            .unwrap()
    };
    let app = app("/", get(handler), layer(&cache));
    for _ in 0..2 {
        assert_eq!(fetch(&app, "/").await.body, "short");
    }
    assert_eq!(cache.stats().entries, 0);
}

/// The stream has no end: the first event must come all the same.
#[tokio::test]
async fn events_come_at_once() {
    let cache = Cache::builder().build().unwrap();
    let handler = || async {
        let first = stream::once(async { Ok::<_, Infallible>(Bytes::from("data: 1\n\n")) });
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(Body::from_stream(first.chain(stream::pending())))
            .unwrap()
    };
    let mut app = app("/", get(handler), layer(&cache));
    let response =
        tokio::time::timeout(Duration::from_secs(30), app.call(request("GET", "/", &[])));
    let response = response
        .await
        .expect("the layer doesn't wait for the end")
        .unwrap();
    let mut frames = response.into_body().into_data_stream();
    assert_eq!(frames.next().await.unwrap().unwrap(), "data: 1\n\n");
}

#[tokio::test]
async fn an_empty_body_is_a_page_too() {
    let cache = Cache::builder().build().unwrap();
    let runs = Count::default();
    let counted = runs.clone();
    let handler = move || async move {
        counted.next();
    };
    let app = app("/", get(handler), layer(&cache));
    fetch(&app, "/").await;
    let hit = fetch(&app, "/").await;
    assert_eq!((hit.is_hit(), &*hit.body, runs.get()), (true, "", 1));
}

/// A buffer that is much larger than the part of it that is a page, as those of connections are.
struct Buffer(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_page_does_not_keep_the_buffer_that_its_response_was_part_of() {
    let cache = Cache::builder().build().unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = dropped.clone();
    let handler = move || async move {
        let buffer = |text: &str| {
            let mut bytes = vec![b' '; 1 << 20];
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            Bytes::from_owner(Buffer(bytes, counted.clone())).slice(..text.len())
        };
        let value = HeaderValue::from_maybe_shared(buffer("value")).unwrap();
        Response::builder()
            .header("x-value", value)
            .body(Body::from(buffer("page")))
            .unwrap()
    };
    let app = app("/", get(handler), layer(&cache));
    for _ in 0..2 {
        let answer = fetch(&app, "/").await;
        assert_eq!(
            (&*answer.body, answer.field("x-value")),
            ("page", Some("value"))
        );
        drop(answer);
        assert_eq!(dropped.load(Ordering::SeqCst), 2);
    }
}
