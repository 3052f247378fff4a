//! Compression around the layer, and within it.

use std::io::Read as _;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use http_body_util::BodyExt as _;
use tests::on_both_stores;
use tower_http::compression::CompressionLayer;
use tower_service::Service as _;

use crate::support::{Count, request};

const TEXT: &str =
    "a text that is long enough to be compressed, compressed, compressed, compressed";

fn page_of_text() -> (axum::routing::MethodRouter, Count) {
    let runs = Count::default();
    let counted = runs.clone();
    let handler = move || async move {
        counted.next();
        TEXT
    };
    (get(handler), runs)
}

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("compressed")).ttl(60).cache(cache)
}

async fn ask(app: &Router, fields: &[(&str, &str)]) -> (StatusCode, HeaderMap, Bytes) {
    let response = app.clone().call(request("GET", "/", fields)).await.unwrap();
    let (parts, body) = response.into_parts();
    (
        parts.status,
        parts.headers,
        body.collect().await.unwrap().to_bytes(),
    )
}

fn unpacked(body: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(body)
        .read_to_string(&mut text)
        .unwrap();
    text
}

const GZIP: (&str, &str) = ("accept-encoding", "gzip");

#[tokio::test]
async fn compression_outside_leaves_one_page_with_its_tag_conditions_and_parts() {
    on_both_stores(|cache| async move {
        let (handlers, runs) = page_of_text();
        let app = Router::new()
            .route("/", handlers.layer(layer(&cache)))
            .layer(CompressionLayer::new());
        let (_, plain, body) = ask(&app, &[]).await;
        assert_eq!(body, TEXT);
        let (_, packed, body) = ask(&app, &[GZIP]).await;
        assert_eq!(
            (packed["content-encoding"].as_bytes(), &*unpacked(&body)),
            (&b"gzip"[..], TEXT)
        );
        assert_eq!(packed["vary"], "accept-encoding");
        // A weak tag is the same for both forms.
        let tag = packed["etag"].to_str().unwrap();
        assert_eq!(
            (tag, tag.starts_with("W/")),
            (plain["etag"].to_str().unwrap(), true)
        );
        let (status, fields, body) = ask(&app, &[GZIP, ("if-none-match", tag)]).await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(fields["etag"], tag);
        assert!(!fields.contains_key("content-encoding"));
        // A part is of the page, not of its compressed form.
        let (status, fields, body) = ask(&app, &[GZIP, ("range", "bytes=2-5")]).await;
        assert_eq!(
            (status, &*body),
            (StatusCode::PARTIAL_CONTENT, &TEXT.as_bytes()[2..6])
        );
        assert_eq!(fields["content-range"], format!("bytes 2-5/{}", TEXT.len()));
        assert!(!fields.contains_key("content-encoding"));
        assert_eq!(runs.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn compression_inside_makes_a_page_for_each_encoding() {
    on_both_stores(|cache| async move {
        let (handlers, runs) = page_of_text();
        let handlers = handlers.layer((layer(&cache), CompressionLayer::new()));
        let app = Router::new().route("/", handlers);
        for _ in 0..3 {
            let (_, fields, body) = ask(&app, &[GZIP]).await;
            assert_eq!(
                (fields["content-encoding"].as_bytes(), &*unpacked(&body)),
                (&b"gzip"[..], TEXT)
            );
            let (_, fields, body) = ask(&app, &[]).await;
            assert_eq!(
                (fields.get("content-encoding"), &*body),
                (None, TEXT.as_bytes())
            );
            assert!(
                fields
                    .get_all("vary")
                    .iter()
                    .any(|names| names == "accept-encoding")
            );
        }
        assert!(
            runs.get() <= 4,
            "the first run may have to tell the layer: {}",
            runs.get()
        );
    })
    .await;
}
