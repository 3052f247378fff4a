//! Pages that the handler validates, and the staleness that a response has of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use tests::{events_of, on_both_stores, until};
use tracing::Level;

use crate::support::{Count, app, fetch, fetch_with, with_fields};

type Fields = &'static [(&'static str, &'static str)];

/// A handler that answers 304 to its own tag. Notes the condition of each request.
#[derive(Clone, Default)]
struct Validating {
    runs: Count,
    conditions: Arc<Mutex<Vec<Option<String>>>>,
}

impl Validating {
    fn app(&self, layer: CacheLayer, fields: Fields, fields_of_304: Fields) -> Router {
        let this = self.clone();
        let handler = move |headers: HeaderMap| {
            let this = this.clone();
            async move {
                let run = this.runs.next();
                let condition = headers.get("if-none-match");
                let condition = condition.map(|tag| tag.to_str().unwrap().to_owned());
                let is_known = condition.as_deref() == Some("\"a\"");
                this.conditions.lock().unwrap().push(condition);
                let mut response = match is_known {
                    true => StatusCode::NOT_MODIFIED.into_response(),
                    false => format!("run {run}").into_response(),
                };
                let fields = if is_known { fields_of_304 } else { fields };
                for (name, value) in fields {
                    response.headers_mut().append(*name, value.parse().unwrap());
                }
                response
            }
        };
        app("/", get(handler), layer)
    }

    fn last_condition(&self) -> Option<String> {
        self.conditions.lock().unwrap().last().unwrap().clone()
    }
}

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("validated")).cache(cache).ttl(600)
}

#[tokio::test]
async fn a_page_with_no_cache_is_validated_for_each_request() {
    on_both_stores(|cache| async move {
        let handler = Validating::default();
        let fields: Fields = &[
            ("etag", "\"a\""),
            ("cache-control", "no-cache"),
            ("x-run", "1"),
        ];
        let app = handler.app(layer(&cache), fields, &[("x-run", "2")]);
        let first = fetch(&app, "/").await;
        assert_eq!(
            (&*first.body, first.cache()),
            ("run 1", "fwd=uri-miss; stored")
        );
        assert_eq!(handler.last_condition(), None);
        for run in 2..4 {
            let answer = fetch(&app, "/").await;
            assert_eq!(
                (&*answer.body, answer.cache()),
                ("run 1", "fwd=stale; stored")
            );
            assert_eq!(handler.last_condition().as_deref(), Some("\"a\""));
            // The fields of the 304 replace those that were stored.
            assert_eq!(answer.field("x-run"), Some("2"));
            assert_eq!(answer.field("etag"), Some("\"a\""));
            assert_eq!(handler.runs.get(), run);
        }
        // The client's own condition is for its answer, not for the handler.
        let answer = fetch_with(&app, "/", &[("if-none-match", "\"a\"")]).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (StatusCode::NOT_MODIFIED, "")
        );
        let answer = fetch_with(&app, "/", &[("if-none-match", "\"b\"")]).await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "run 1"));
        assert_eq!(handler.last_condition().as_deref(), Some("\"a\""));
    })
    .await;
}

#[tokio::test]
async fn a_page_without_a_validator_of_the_handler_is_asked_for_whole() {
    on_both_stores(|cache| async move {
        let (app, runs) = with_fields(layer(&cache), &[("cache-control", "no-cache")]);
        let first = fetch(&app, "/").await;
        assert_eq!(first.cache(), "fwd=uri-miss; detail=expired");
        assert_eq!(fetch(&app, "/").await.body, "run 2");
        assert_eq!(runs.get(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_layers_own_tag_is_not_shown_to_the_handler() {
    let cache = cache_runtime::testing::cache();
    let modified = ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    let handler = Validating::default();
    let fields: Fields = Box::leak(Box::new([modified, ("cache-control", "no-cache")]));
    let app = handler.app(layer(&cache), fields, &[]);
    let first = fetch(&app, "/").await;
    assert!(first.field("etag").is_some_and(|tag| tag.starts_with("W/")));
    fetch(&app, "/").await;
    assert_eq!(handler.last_condition(), None);
}

#[tokio::test]
async fn a_304_of_the_handler_makes_a_page_fresh_again() {
    let cache = cache_runtime::testing::cache();
    let handler = Validating::default();
    let fields: Fields = &[("etag", "\"a\""), ("cache-control", "max-age=0")];
    let app = handler.app(layer(&cache), fields, &[("cache-control", "max-age=60")]);
    assert_eq!(fetch(&app, "/").await.body, "run 1");
    assert_eq!(fetch(&app, "/").await.cache(), "fwd=stale; stored");
    let answer = fetch(&app, "/").await;
    assert!(answer.is_hit(), "{}", answer.cache());
    assert_eq!(answer.field("cache-control"), Some("max-age=60"));
    assert_eq!(handler.runs.get(), 2);
}

#[tokio::test]
async fn a_304_for_one_client_is_answered_whole_and_not_stored() {
    on_both_stores(|cache| async move {
        let handler = Validating::default();
        let fields: Fields = &[("etag", "\"a\""), ("cache-control", "no-cache")];
        let app = handler.app(layer(&cache), fields, &[("set-cookie", "a=b")]);
        fetch(&app, "/").await;
        let answer = fetch(&app, "/").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "run 1"));
        assert_eq!(answer.field("set-cookie"), Some("a=b"));
        assert_eq!(answer.cache(), "fwd=stale; detail=set-cookie");
        // The page is gone with it.
        assert_eq!(fetch(&app, "/").await.cache(), "fwd=uri-miss; stored");
    })
    .await;
}

#[tokio::test]
async fn a_response_that_says_so_is_served_stale_while_it_is_refreshed() {
    let cache = cache_runtime::testing::cache();
    let fields = "max-age=0, stale-while-revalidate=600";
    let handler = Validating::default();
    let fields: Fields = Box::leak(Box::new([("cache-control", fields)]));
    let app = handler.app(layer(&cache), fields, &[]);
    assert_eq!(fetch(&app, "/").await.body, "run 1");
    let stale = fetch(&app, "/").await;
    assert!(stale.is_hit(), "{}", stale.cache());
    assert_eq!(stale.body, "run 1");
    until("the page is refreshed", async || handler.runs.get() == 2).await;
}

#[tokio::test]
async fn the_default_ttl_of_the_cache_is_that_of_a_layer_without_one() {
    let cache = Cache::builder()
        .default_ttl(Duration::from_secs(90))
        .build()
        .unwrap();
    let (app, runs) = with_fields(CacheLayer::new(page!("default-ttl")).cache(&cache), &[]);
    fetch(&app, "/").await;
    let answer = fetch(&app, "/").await;
    assert_eq!(runs.get(), 1);
    let ttl = answer.cache().strip_prefix("hit; ttl=").unwrap();
    assert!((80..=90).contains(&ttl.parse::<i64>().unwrap()), "{ttl}");
}

#[tokio::test]
async fn another_variant_of_a_url_is_a_vary_miss() {
    let cache = cache_runtime::testing::cache();
    let layer = CacheLayer::new(page!("languages")).cache(&cache).ttl(60);
    let (app, _) = with_fields(layer.vary(["accept-language"]), &[]);
    let of = async |language| {
        let answer = fetch_with(&app, "/", &[("accept-language", language)]).await;
        answer.cache().to_owned()
    };
    assert_eq!(of("de").await, "fwd=uri-miss; stored");
    assert_eq!(of("en").await, "fwd=vary-miss; stored");
    assert!(of("de").await.starts_with("hit"));
}

#[tokio::test]
async fn only_if_cached_is_answered_without_the_handler() {
    let cache = cache_runtime::testing::cache();
    let (app, runs) = with_fields(layer(&cache).obey_requests(), &[]);
    let only = &[("cache-control", "only-if-cached")];
    let answer = fetch_with(&app, "/", only).await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.cache(), "fwd=request; detail=only-if-cached");
    fetch(&app, "/").await;
    assert!(fetch_with(&app, "/", only).await.is_hit());
    assert_eq!(runs.get(), 1);
}

#[test]
fn debug_logs_what_happens_to_each_request_at_info() {
    let logged = events_of(Level::INFO, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let cache = cache_runtime::testing::cache();
            let (app, _) = with_fields(layer(&cache).debug(true), &[]);
            fetch(&app, "/").await;
            fetch(&app, "/").await;
        });
    });
    let hits: Vec<_> = logged.iter().filter(|event| event.op == "hit").collect();
    assert_eq!(hits.len(), 1, "{logged:?}");
    assert_eq!(hits[0].function, "validated");
}
