//! Both versions of HTTP over real sockets.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, StatusCode, Version};
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tests::{on_both_stores, soon, until};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::support::{Count, request};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("sockets:<<slug>>"))
        .ttl(60)
        .cache(cache)
}

/// A server on a free port. Dropping it ends it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(app: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, serving }
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) type HttpClient = Client<HttpConnector, Body>;

pub(crate) fn client(version: Version) -> HttpClient {
    let mut client = Client::builder(TokioExecutor::new());
    client.http2_only(version == Version::HTTP_2).build_http()
}

/// Send a request, and read the whole answer.
async fn ask(
    client: &HttpClient,
    method: &str,
    uri: &str,
    fields: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Bytes) {
    let response = soon(client.request(request(method, uri, fields)))
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let body = soon(body.collect()).await.unwrap().to_bytes();
    (parts.status, parts.headers, body)
}

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

/// A site with one page for each slug, which counts its runs.
fn posts(cache: &Cache) -> (Router, Count) {
    let runs = Count::default();
    let counted = runs.clone();
    let show = move |ConnectInfo(client): ConnectInfo<SocketAddr>| async move {
        assert!(client.ip().is_loopback());
        let fields = [("connection", "x-foo"), ("x-foo", "1"), ("x-kept", "1")];
        (fields, format!("run {}", counted.next()))
    };
    let handlers = get(show).put(|| async { StatusCode::NO_CONTENT });
    (
        Router::new().route("/posts/{slug}", handlers.layer(layer(cache))),
        runs,
    )
}

/// HTTP/1 names the host in a field, and HTTP/2 in the target.
#[tokio::test]
async fn both_versions_have_one_page() {
    on_both_stores(|cache| async move {
        let (app, runs) = posts(&cache);
        let server = Server::start(app).await;
        let uri = server.uri("/posts/a");
        let [one, two] = VERSIONS.map(client);
        let (_, first, body) = ask(&one, "GET", &uri, &[]).await;
        assert_eq!((&*body, runs.get()), (&b"run 1"[..], 1));
        let (_, second, body) = ask(&two, "GET", &uri, &[]).await;
        assert_eq!((&*body, runs.get()), (&b"run 1"[..], 1));
        assert_eq!(first["etag"], second["etag"]);
        assert!(second["cache-status"].to_str().unwrap().contains("hit"));
        let (status, _, _) = ask(&two, "PUT", &uri, &[]).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(ask(&one, "GET", &uri, &[]).await.2, "run 2");
    })
    .await;
}

/// The requests share one connection: an answer whose length is wrong would break those after it.
#[tokio::test]
async fn each_kind_of_answer_leaves_the_connection_usable() {
    on_both_stores(|cache| async move {
        let (app, runs) = posts(&cache);
        let server = Server::start(app).await;
        let uri = server.uri("/posts/a");
        for client in VERSIONS.map(client) {
            let (_, fields, _) = ask(&client, "GET", &uri, &[]).await;
            let tag = fields["etag"].to_str().unwrap().to_owned();
            for _ in 0..2 {
                let (status, fields, body) = ask(&client, "HEAD", &uri, &[]).await;
                assert_eq!((status, &*body), (StatusCode::OK, &b""[..]));
                assert_eq!(fields["content-length"], "5");
                let known = [("if-none-match", &*tag)];
                for method in ["GET", "HEAD"] {
                    let (status, fields, body) = ask(&client, method, &uri, &known).await;
                    assert_eq!((status, &*body), (StatusCode::NOT_MODIFIED, &b""[..]));
                    assert_eq!(fields["etag"], *tag);
                }
                let (status, fields, body) =
                    ask(&client, "GET", &uri, &[("range", "bytes=1-2")]).await;
                assert_eq!((status, &*body), (StatusCode::PARTIAL_CONTENT, &b"un"[..]));
                assert_eq!(fields["content-length"], "2");
                let (status, _, body) = ask(&client, "GET", &uri, &[("range", "bytes=9-")]).await;
                assert_eq!(
                    (status, &*body),
                    (StatusCode::RANGE_NOT_SATISFIABLE, &b""[..])
                );
                let (status, fields, body) = ask(&client, "GET", &uri, &[]).await;
                assert_eq!((status, &*body), (StatusCode::OK, &b"run 1"[..]));
                assert_eq!(
                    (fields["x-kept"].as_bytes(), fields.get("x-foo")),
                    (&b"1"[..], None)
                );
            }
        }
        assert_eq!(runs.get(), 1);
    })
    .await;
}

/// The server drops the handler of a client that is gone, and another one that waits runs it.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_hands_over() {
    on_both_stores(|cache| async move {
        for version in VERSIONS {
            cache.clear().await.unwrap();
            let (runs, go_on) = (Count::default(), Arc::new(Semaphore::new(0)));
            let handler = {
                let (runs, go_on) = (runs.clone(), go_on.clone());
                move || async move {
                    let run = runs.next();
                    go_on.acquire().await.unwrap().forget();
                    format!("run {run}")
                }
            };
            let app = Router::new().route("/{slug}", get(handler).layer(layer(&cache)));
            let server = Server::start(app).await;
            let uri = server.uri("/a");
            let leading = tokio::spawn({
                let (client, uri) = (client(version), uri.clone());
                async move { ask(&client, "GET", &uri, &[]).await.2 }
            });
            until("the handler runs", || async { runs.get() == 1 }).await;
            let waiting = tokio::spawn({
                let (client, uri) = (client(version), uri.clone());
                async move { ask(&client, "GET", &uri, &[]).await.2 }
            });
            leading.abort();
            until("it runs again", || async { runs.get() == 2 }).await;
            go_on.add_permits(1);
            assert_eq!(soon(waiting).await.unwrap(), "run 2");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_before_their_stream_ends() {
    on_both_stores(|cache| async move {
        let handler = || async {
            let first = stream::once(async { Ok::<_, Infallible>(Bytes::from("data: 1\n\n")) });
            Response::builder()
                .header("content-type", "text/event-stream")
                .body(Body::from_stream(first.chain(stream::pending())))
                .unwrap()
        };
        let app = Router::new().route("/{slug}", get(handler).layer(layer(&cache)));
        let server = Server::start(app).await;
        for client in VERSIONS.map(client) {
            let asked = client.request(request("GET", &server.uri("/a"), &[]));
            let mut body = soon(asked).await.unwrap().into_body().into_data_stream();
            assert_eq!(soon(body.next()).await.unwrap().unwrap(), "data: 1\n\n");
        }
    })
    .await;
}

/// Bodies that a client must see as they are, with the layer as without it.
fn difficult(kind: &str) -> Response<Body> {
    match kind {
        "breaks-off" => {
            let chunks = [Ok(Bytes::from("four")), Err(io::Error::other("broken"))];
            Response::new(Body::from_stream(stream::iter(chunks)))
        }
        "large" => {
            let chunk = Bytes::from(vec![b'x'; 64 << 10]);
            let chunks = stream::iter((0..32).map(move |_| Ok::<_, Infallible>(chunk.clone())));
            Response::new(Body::from_stream(chunks))
        }
        _ => {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-checksum", "1234".parse().unwrap());
            let frames = [
                http_body::Frame::data(Bytes::from("data")),
                http_body::Frame::trailers(trailers),
            ];
            let frames = stream::iter(frames.map(Ok::<_, Infallible>));
            let response = Response::builder().header("trailer", "x-checksum");
            response.body(Body::new(StreamBody::new(frames))).unwrap()
        }
    }
}

/// An answer as its client sees it.
#[derive(Debug, PartialEq)]
struct Seen {
    status: StatusCode,
    length: usize,
    trailer: Option<String>,
    is_broken: bool,
}

/// Read an answer as far as it comes. `None`: not even its status came.
async fn seen(client: &HttpClient, uri: &str) -> Option<Seen> {
    let request = Request::builder().uri(uri).header("te", "trailers");
    let request = request.body(Body::empty()).unwrap();
    let response = soon(client.request(request)).await.ok()?;
    let mut seen = Seen {
        status: response.status(),
        length: 0,
        trailer: None,
        is_broken: false,
    };
    let mut body = response.into_body();
    while let Some(frame) = soon(body.frame()).await {
        let Ok(frame) = frame else {
            seen.is_broken = true;
            break;
        };
        seen.length += frame.data_ref().map_or(0, Bytes::len);
        let fields = frame.trailers_ref();
        if let Some(value) = fields.and_then(|fields| fields.get("x-checksum")) {
            seen.trailer = Some(value.to_str().unwrap().to_owned());
        }
    }
    Some(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn difficult_bodies_are_the_same_as_without_the_layer() {
    on_both_stores(|cache| async move {
        let show = |axum::extract::Path(kind): axum::extract::Path<String>| async move {
            difficult(&kind)
        };
        let bare = Server::start(Router::new().route("/{slug}", get(show))).await;
        let cached = Router::new().route("/{slug}", get(show).layer(layer(&cache)));
        let cached = Server::start(cached).await;
        for version in VERSIONS {
            let client = client(version);
            for kind in ["/large", "/trailers"] {
                let expected = seen(&client, &bare.uri(kind)).await.unwrap();
                for _ in 0..2 {
                    let found = seen(&client, &cached.uri(kind)).await.unwrap();
                    assert_eq!(found, expected, "{version:?} {kind}");
                }
            }
        }
    })
    .await;
}

/// HTTP/2 resets the stream, which may overtake the bytes in front of the error.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_is_neither_whole_nor_another_status() {
    on_both_stores(|cache| async move {
        let app = Router::new().route(
            "/{slug}",
            get(|| async { difficult("breaks-off") }).layer(layer(&cache)),
        );
        let server = Server::start(app).await;
        for _ in 0..20 {
            let one = seen(&client(Version::HTTP_11), &server.uri("/a"))
                .await
                .unwrap();
            assert_eq!(
                (one.status, one.length, one.is_broken),
                (StatusCode::OK, 4, true)
            );
            let two = seen(&client(Version::HTTP_2), &server.uri("/a")).await;
            assert!(two.is_none_or(|two| two.status == StatusCode::OK && two.is_broken));
        }
    })
    .await;
}
