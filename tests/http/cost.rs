//! The cost of pages: memory, runs of the handler, and waiting.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Uri};
use axum::routing::{Route, get};
use cache_http::{CacheLayer, page};
use cache_runtime::{Cache, Reading, SiteStats};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tests::{on_both_stores, until};
use tokio::sync::{Notify, watch};
use tower_layer::layer_fn;
use tower_service::Service;

use crate::support::{Count, app, counting, fetch, fetch_with};

fn site(cache: &Cache, template: &str) -> SiteStats {
    let sites = cache.stats().sites;
    let mut sites = sites.into_iter();
    let site = sites.find(|site| site.function == template);
    site.expect("each page is a call site")
}

#[tokio::test]
async fn each_page_has_statistics_of_its_own() {
    on_both_stores(|cache| async move {
        let one = CacheLayer::new(page!("one:<<id>>:counted"));
        let other = CacheLayer::new(page!("other:<<id>>:counted"));
        let (one, _) = counting("/one/{id}", one.ttl(60).cache(&cache));
        let (other, _) = counting("/other/{id}", other.ttl(60).cache(&cache));
        fetch(&one, "/one/1").await;
        for _ in 0..3 {
            assert!(fetch(&one, "/one/1").await.is_hit());
        }
        fetch(&other, "/other/1").await;
        let counts = |template| {
            let site = site(&cache, template);
            (site.hits, site.misses, site.fills)
        };
        assert_eq!(counts("one:<<id>>:counted"), (3, 1, 1));
        assert_eq!(counts("other:<<id>>:counted"), (0, 1, 1));
        assert_eq!(cache.stats().hits, 3, "and they are part of the sum");
    })
    .await;
}

#[tokio::test]
async fn a_page_weighs_as_much_as_its_body_and_its_fields() {
    let weight = |body: usize, field: usize| async move {
        let cache = Cache::builder().build().unwrap();
        let layer = CacheLayer::by_url().ttl(60).cache(&cache);
        let handler = move || async move { ([("x-note", "n".repeat(field))], "b".repeat(body)) };
        let app = app("/", get(handler), layer);
        fetch(&app, "/").await;
        let stats = cache.stats();
        assert_eq!(stats.entries, 1);
        stats.bytes
    };
    let small = weight(100, 100).await;
    assert_eq!(weight(10_100, 100).await - small, 10_000);
    assert_eq!(weight(100, 5_100).await - small, 5_000);
}

#[tokio::test]
async fn a_thousand_callers_of_one_page_run_its_handler_once() {
    on_both_stores(|cache| async move {
        let (count, open) = (Count::default(), Arc::new(Notify::new()));
        let (runs, gate) = (count.clone(), Arc::clone(&open));
        let handler = move || async move {
            runs.next();
            gate.notified().await;
            "the page"
        };
        let app = app(
            "/",
            get(handler),
            CacheLayer::by_url().ttl(60).cache(&cache),
        );
        let callers = (0..1_000).map(|_| fetch(&app, "/"));
        let opening = async {
            until("the handler runs", || async { count.get() == 1 }).await;
            // The others wait, or will find the page.
            open.notify_one();
        };
        let (answers, ()) = tokio::join!(join_all(callers), opening);
        assert!(answers.iter().all(|answer| answer.body == "the page"));
        assert_eq!(count.get(), 1);
    })
    .await;
}

/// The wait for the gate.
type Opening = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A service that is ready while its gate is open.
#[derive(Clone)]
struct Limited<S> {
    inner: S,
    is_open: watch::Receiver<bool>,
    opening: Arc<Mutex<Option<Opening>>>,
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Limited<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let mut is_open = self.is_open.clone();
        let mut opening = self.opening.lock().unwrap();
        let opening = opening.get_or_insert_with(|| {
            Box::pin(async move { drop(is_open.wait_for(|is_open| *is_open).await) })
        });
        std::task::ready!(opening.as_mut().poll(cx));
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        *self.opening.lock().unwrap() = None;
        self.inner.call(request)
    }
}

/// A limit within the layer is one on runs of the handler. An answer from the cache needs none.
#[tokio::test]
async fn a_hit_does_not_wait_for_a_limit_within_the_layer() {
    let cache = Cache::builder().build().unwrap();
    let (gate, is_open) = watch::channel(true);
    let limit = layer_fn(move |inner: Route| Limited {
        inner,
        is_open: is_open.clone(),
        opening: Arc::default(),
    });
    let handler = get(|uri: Uri| async move { uri.to_string() });
    let app = Router::new().route("/{name}", handler).layer(limit);
    let app = app.layer(CacheLayer::by_url().ttl(60).cache(&cache));
    assert_eq!(fetch(&app, "/quick").await.body, "/quick");
    gate.send(false).unwrap();
    assert!(fetch(&app, "/quick").await.is_hit());
    let mut waiting = pin!(fetch(&app, "/other"));
    assert!(waiting.as_mut().now_or_never().is_none(), "a miss waits");
    // So does a request that bypasses the cache.
    let fields = [("authorization", "Basic dTpw")];
    let mut passing = pin!(fetch_with(&app, "/quick", &fields));
    assert!(passing.as_mut().now_or_never().is_none());
    gate.send(true).unwrap();
    assert_eq!(waiting.await.body, "/other");
    assert_eq!(passing.await.body, "/quick");
}

#[tokio::test]
async fn a_read_knows_the_age_of_its_value() {
    on_both_stores(|cache| async move {
        let Reading::Miss(fill) = cache.read("answer").ttl(60).begin::<u32>().await else {
            panic!("it isn't cached");
        };
        fill.store(&Arc::new(42), None).await;
        until("some time has passed", || async {
            let found = cache.read("answer").get::<u32>().await.unwrap();
            let Reading::Hit(again) = cache.read("answer").begin::<u32>().await else {
                panic!("it is cached");
            };
            assert!(found.age() < Duration::from_secs(60) && again.age() >= found.age());
            found.age() >= Duration::from_millis(20)
        })
        .await;
    })
    .await;
}
