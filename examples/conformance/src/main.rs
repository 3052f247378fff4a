//! A proxy in front of an origin server, with one `CacheLayer` around it, for the test suite
//! <https://github.com/http-tests/cache-tests>. `README.md` says how to run it.
//!
//! Usage: `conformance ORIGIN`, such as `conformance http://127.0.0.1:8000`. Prints its own URL.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, Version};
use axum::response::{IntoResponse, Response};
use cache_http::{CacheLayer, Cookies};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

#[derive(Clone)]
struct Origin {
    url: String,
    client: Client<HttpConnector, Body>,
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).expect("usage: conformance ORIGIN");
    let client = Client::builder(TokioExecutor::new()).build_http();
    // As a shared cache in front of any server: nothing is fresh unless the response says so, cookies
    // choose no response, and clients are obeyed.
    let layer = CacheLayer::by_url()
        .ttl(Duration::ZERO)
        .cookies(Cookies::Ignored)
        .obey_requests();
    let app = Router::new()
        .fallback(forward)
        .layer(layer)
        .with_state(Origin { url, client });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("the address of the socket");
    println!("http://{address}");
    axum::serve(listener, app).await.expect("the server runs");
}

async fn forward(State(origin): State<Origin>, mut request: Request) -> Response {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    match format!("{}{path}", origin.url).parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    *request.version_mut() = Version::HTTP_11;
    match origin.client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
