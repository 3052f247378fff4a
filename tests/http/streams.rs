//! Bodies that come slowly, and clients that leave before their end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, http::StatusCode};
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use futures_util::{StreamExt as _, stream};
use tests::{on_both_stores, soon, until};
use tokio::sync::{Mutex, mpsc};
use tower_service::Service as _;

use crate::support::{Count, app, fetch, request};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("streams")).ttl(60).cache(cache)
}

type Chunks = mpsc::Sender<Result<Bytes, io::Error>>;

/// A program whose body is what the test sends. Each run of the handler waits for a sender's other
/// end.
fn by_hand(
    layer: CacheLayer,
    content_type: &'static str,
    length: Option<usize>,
) -> (
    Router,
    mpsc::Sender<mpsc::Receiver<Result<Bytes, io::Error>>>,
    Count,
) {
    let (bodies, next) = mpsc::channel::<mpsc::Receiver<Result<Bytes, io::Error>>>(16);
    let next = Arc::new(Mutex::new(next));
    let runs = Count::default();
    let counted = runs.clone();
    let handler = move || async move {
        counted.next();
        let chunks = next.lock().await.recv().await.unwrap();
        let chunks = stream::unfold(chunks, |mut chunks| async move {
            Some((chunks.recv().await?, chunks))
        });
        let mut response = Response::builder().header("content-type", content_type);
        if let Some(length) = length {
            response = response.header("content-length", length);
        }
        response.body(Body::from_stream(chunks)).unwrap()
    };
    (app("/", get(handler), layer), bodies, runs)
}

async fn a_body(bodies: &mpsc::Sender<mpsc::Receiver<Result<Bytes, io::Error>>>) -> Chunks {
    let (chunks, body) = mpsc::channel(64);
    bodies.send(body).await.unwrap();
    chunks
}

async fn begun(app: &Router) -> BodyDataStream {
    let response = soon(app.clone().call(request("GET", "/", &[])))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().into_data_stream()
}

async fn next(body: &mut BodyDataStream) -> Bytes {
    soon(body.next()).await.unwrap().unwrap()
}

/// The handler sends the second event only when the client has the first.
#[tokio::test]
async fn each_event_arrives_before_the_next_one_is_made() {
    on_both_stores(|cache| async move {
        let (app, bodies, runs) = by_hand(layer(&cache), "text/event-stream", None);
        for _ in 0..2 {
            let chunks = a_body(&bodies).await;
            chunks.send(Ok("data: 1\n\n".into())).await.unwrap();
            let mut body = begun(&app).await;
            assert_eq!(next(&mut body).await, "data: 1\n\n");
            chunks.send(Ok("data: 2\n\n".into())).await.unwrap();
            assert_eq!(next(&mut body).await, "data: 2\n\n");
            drop(chunks);
            assert!(soon(body.next()).await.is_none());
        }
        assert_eq!(runs.get(), 2, "each client has a stream of its own");
    })
    .await;
}

/// Two clients listen at once, as in two tabs of a browser.
#[tokio::test(flavor = "multi_thread")]
async fn streams_of_events_do_not_wait_for_each_other() {
    on_both_stores(|cache| async move {
        let (app, bodies, _) = by_hand(layer(&cache), "text/event-stream; charset=utf-8", None);
        let (one, other) = (a_body(&bodies).await, a_body(&bodies).await);
        let (mut first, mut second) = (begun(&app).await, begun(&app).await);
        one.send(Ok("one".into())).await.unwrap();
        other.send(Ok("other".into())).await.unwrap();
        assert_eq!(next(&mut first).await, "one");
        assert_eq!(next(&mut second).await, "other");
    })
    .await;
}

#[tokio::test]
async fn a_large_body_of_known_length_is_streamed_from_its_first_byte() {
    on_both_stores(|cache| async move {
        let layer = layer(&cache);
        let (app, bodies, _) = by_hand(layer, "application/octet-stream", Some(2 << 20));
        let chunks = a_body(&bodies).await;
        chunks.send(Ok("first".into())).await.unwrap();
        let mut body = begun(&app).await;
        assert_eq!(next(&mut body).await, "first");
        drop(chunks);
    })
    .await;
}

/// As much as may be stored is kept back, and the rest is passed on as it comes.
#[tokio::test]
async fn a_large_body_of_unknown_length_is_streamed_once_it_is_beyond_the_limit() {
    on_both_stores(|cache| async move {
        let layer = layer(&cache).max_body(1 << 10);
        let (app, bodies, runs) = by_hand(layer, "application/octet-stream", None);
        for _ in 0..2 {
            let chunks = a_body(&bodies).await;
            let chunk = Bytes::from(vec![b'x'; 600]);
            chunks.send(Ok(chunk.clone())).await.unwrap();
            chunks.send(Ok(chunk.clone())).await.unwrap();
            let mut body = begun(&app).await;
            assert_eq!(next(&mut body).await, chunk);
            assert_eq!(next(&mut body).await, chunk);
            chunks.send(Ok("rest".into())).await.unwrap();
            assert_eq!(next(&mut body).await, "rest");
            drop(chunks);
            assert!(soon(body.next()).await.is_none());
        }
        assert_eq!(runs.get(), 2);
    })
    .await;
}

/// Two caches on the web have stored what had come when the client left.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_amid_the_body_leaves_no_part_of_it() {
    on_both_stores(|cache| async move {
        let (app, bodies, runs) = by_hand(layer(&cache), "text/plain", None);
        let chunks = a_body(&bodies).await;
        chunks.send(Ok("half of".into())).await.unwrap();
        let leaving = tokio::spawn({
            let mut app = app.clone();
            async move { app.call(request("GET", "/", &[])).await }
        });
        until("the body has begun", || async { chunks.capacity() == 64 }).await;
        leaving.abort();
        assert!(leaving.await.unwrap_err().is_cancelled());
        let chunks = a_body(&bodies).await;
        chunks.send(Ok("the whole".into())).await.unwrap();
        drop(chunks);
        assert_eq!(soon(fetch(&app, "/")).await.body, "the whole");
        assert_eq!(soon(fetch(&app, "/")).await.body, "the whole");
        assert_eq!(runs.get(), 2);
    })
    .await;
}

/// Those who wait are not told of the error of another's body: the next of them runs the handler.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_is_the_error_of_one_client() {
    on_both_stores(|cache| async move {
        let (app, bodies, runs) = by_hand(layer(&cache), "text/plain", None);
        let chunks = a_body(&bodies).await;
        chunks.send(Ok("four".into())).await.unwrap();
        let first = tokio::spawn({
            let app = app.clone();
            async move {
                let mut body = begun(&app).await;
                (next(&mut body).await, soon(body.next()).await)
            }
        });
        until("the body has begun", || async { chunks.capacity() == 64 }).await;
        let second = tokio::spawn({
            let app = app.clone();
            async move { fetch(&app, "/").await.body }
        });
        let whole = a_body(&bodies).await;
        whole.send(Ok("the whole".into())).await.unwrap();
        drop(whole);
        chunks.send(Err(io::Error::other("broken"))).await.unwrap();
        let (bytes, end) = soon(first).await.unwrap();
        assert_eq!(bytes, "four");
        end.unwrap().unwrap_err();
        assert_eq!(soon(second).await.unwrap(), "the whole");
        assert_eq!(runs.get(), 2);
    })
    .await;
}

/// The body of a stream that isn't kept doesn't end with the request: a client that reads slowly
/// gets all of it.
#[tokio::test]
async fn two_mebibytes_come_whole_to_each_of_many_clients() {
    let cache = Cache::builder().build().unwrap();
    let chunk = Bytes::from(vec![b'x'; 64 << 10]);
    let handler = move || async move {
        let chunks = stream::iter((0..32).map(move |_| Ok::<_, Infallible>(chunk.clone())));
        Body::from_stream(chunks)
    };
    let app = app("/", get(handler), layer(&cache));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { fetch(&app, "/").await.body.len() })
        })
        .collect();
    for client in clients {
        let read = tokio::time::timeout(Duration::from_secs(60), client).await;
        assert_eq!(read.expect("it ends").unwrap(), 2 << 20);
    }
}
