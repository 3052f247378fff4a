use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, HOST, IF_NONE_MATCH,
};
use axum::http::header::{ETAG, USER_AGENT};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use axum::routing::{MethodRouter, get};
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use http_body::Frame;
use tokio::runtime::Runtime;
use tower::Service as _;
use tower::util::{MapErrLayer, MapResponseLayer};
use tower_http_cache::prelude::InMemoryBackend;

use crate::peers::{http_cache_server, http_semantics, ours};
use crate::report::{Goal, Table};
use crate::round::{Contender, measure};
use crate::runtimes::{all_threads, one_thread};
use crate::server::Server;
use crate::settings::Settings;
use crate::stats::{Samples, named};

/// Number of pages: few, so that the larger ones fit into memory for each contender.
const PAGES: usize = 16;

const BARE: &str = "bare handler";
const HIT: &str = "cache-http, hit";
const NOT_MODIFIED: &str = "cache-http, 304";
const BYPASS: &str = "cache-http, bypass";
const MISS: &str = "cache-http, miss and fill";

const KIB: usize = 1 << 10;

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let runtime = one_thread();
    let of = |size, peers| contenders(settings, &runtime, size, peers);
    let (small, medium, large) = (of(KIB, true), of(64 * KIB, true), of(KIB * KIB, false));
    let hit = |all: &[Samples]| named(all, HIT).ratio_to(named(all, BARE));
    let above = |name| named(&small, name).above(named(&small, BARE));
    let first = table("http-1k", "1 KiB", &small)
        .goal(Goal::at_most(
            "cached response / bare handler, 1 KiB",
            hit(&small),
            1.45,
        ))
        .goal(Goal::at_most(
            "304 / cached response",
            named(&small, NOT_MODIFIED).ratio_to(named(&small, HIT)),
            1.0,
        ))
        .goal(Goal::at_most(
            "bypass - bare handler, µs",
            above(BYPASS),
            0.15,
        ))
        .goal(Goal::at_most("miss - bare handler, µs", above(MISS), 3.0));
    // A body isn't copied, so its size doesn't matter.
    let beside = |all: &[Samples]| named(all, HIT).median() / named(&small, HIT).median();
    let second = table("http-64k", "64 KiB", &medium).goal(Goal::at_most(
        "cached response, 64 KiB / 1 KiB",
        beside(&medium),
        1.1,
    ));
    let third = table("http-1m", "1 MiB", &large).goal(Goal::at_most(
        "cached response, 1 MiB / 1 KiB",
        beside(&large),
        1.1,
    ));
    vec![first, second, third, on_redis(settings)]
}

fn table(name: &str, size: &str, all: &[Samples]) -> Table {
    let title = format!("A response of {size} through a router of axum");
    Table::of(name, &title, "µs per request", all, BARE)
}

fn contenders(settings: Settings, runtime: &Runtime, size: usize, peers: bool) -> Vec<Samples> {
    let cache = ours::memory();
    let cached = || layer(&cache);
    let plain = |number: usize| request(&path(number % PAGES), None);
    let hit = app(size, |route| route.layer(cached()));
    let tags: Vec<HeaderValue> = (0..PAGES)
        .map(|number| {
            let response = runtime.block_on(answer(&mut hit.clone(), plain(number)));
            response.headers()[ETAG].clone()
        })
        .collect();
    let next = AtomicUsize::new(0);
    let mut all = vec![
        contender(BARE, runtime, app(size, |route| route), plain),
        contender(HIT, runtime, hit.clone(), plain),
        contender(NOT_MODIFIED, runtime, hit.clone(), move |number| {
            request(&path(number % PAGES), Some(&tags[number % PAGES]))
        }),
        contender(
            BYPASS,
            runtime,
            app(size, |route| route.layer(cached().bypass(|_| true))),
            plain,
        ),
    ];
    if peers {
        // More pages than the memory has room for: the oldest ones are evicted.
        let cache = Cache::builder().memory_capacity(64 << 20).build();
        let cache = cache.expect("the settings are valid");
        let missing = layer(&cache);
        all.push(contender(
            MISS,
            runtime,
            app(size, |route| route.layer(missing)),
            move |_| request(&path(PAGES + next.fetch_add(1, Ordering::Relaxed)), None),
        ));
        let lifespan = Duration::from_secs(3600);
        let simple = axum_response_cache::CacheLayer::with_lifespan(lifespan);
        all.push(contender(
            "axum-response-cache (no rules)",
            runtime,
            app(size, |route| route.layer(simple)),
            plain,
        ));
        let by_hand = http_semantics::SemanticsLayer::default();
        all.push(contender(
            "http-cache-semantics over a map",
            runtime,
            app(size, |route| route.layer(by_hand)),
            plain,
        ));
        let moka = tower_http_cache::CacheLayer::builder(InMemoryBackend::new(1_000));
        let synced = MapResponseLayer::new(|response: Response<Body>| {
            response.map(|body| Synced(Mutex::new(body)))
        });
        let moka = (MapErrLayer::new(never), moka.ttl(lifespan).build(), synced);
        all.push(contender(
            "tower-http-cache",
            runtime,
            app(size, |route| route.layer(moka)),
            plain,
        ));
        let server = (MapErrLayer::new(never), http_cache_server::layer());
        all.push(
            contender(
                "http-cache-tower-server",
                runtime,
                app(size, |route| route.layer(server)),
                plain,
            )
            .thinned(10),
        );
    }
    let plan = settings.plan(100, 1_000).over_all_keys();
    let all = measure(plan, all);
    all.iter().map(|one| one.map(|ns| ns / 1e3)).collect()
}

/// The body of axum as `tower-http-cache` wants it, which a thread may share.
struct Synced(Mutex<Body>);

impl HttpBody for Synced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let body = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        Pin::new(body).poll_frame(cx)
    }
}

fn never<E: std::fmt::Debug>(error: E) -> Infallible {
    panic!("the handler doesn't fail: {error:?}")
}

/// A hit on Redis: its time beside a `GET`, and its round trips.
fn on_redis(settings: Settings) -> Table {
    let (server, runtime) = (Server::start(), all_threads());
    let cache = ours::redis(&server.url());
    let hit = app(KIB, |route| route.layer(layer(&cache)));
    let plain = |number: usize| request(&path(number % PAGES), None);
    let connection = runtime.block_on(crate::peers::plain_redis::connect(&server.url()));
    let value = vec![b'a'; KIB];
    let mut by_hand = server.connect();
    let () = redis::cmd("SET")
        .arg("by-hand")
        .arg(&value)
        .query(&mut by_hand)
        .expect("the server answers");
    let contenders = vec![
        Contender::future("GET of 1 KiB", &runtime, |_| {
            let mut connection = connection.clone();
            async move {
                let found: Vec<u8> = redis::cmd("GET")
                    .arg("by-hand")
                    .query_async(&mut connection)
                    .await
                    .expect("the server answers");
                found
            }
        }),
        contender(HIT, &runtime, hit.clone(), plain),
    ];
    let plan = settings.plan(40, 500).over_all_keys();
    let all = measure(plan, contenders);
    let all: Vec<_> = all.iter().map(|one| one.map(|ns| ns / 1e3)).collect();
    let requests = 1_000;
    let before = server.info("total_commands_processed");
    let mut app = hit;
    runtime.block_on(async {
        for number in 0..requests {
            answer(&mut app, plain(number)).await;
        }
    });
    // `INFO` itself is one.
    let commands = server.info("total_commands_processed") - before - 1;
    let round_trips = commands as f64 / requests as f64;
    Table::of(
        "http-redis",
        "A response of 1 KiB from Redis",
        "µs per request",
        &all,
        "GET of 1 KiB",
    )
    .goal(Goal::at_most(
        "round trips of a cached response on Redis",
        round_trips,
        1.05,
    ))
}

fn layer(cache: &Cache) -> CacheLayer {
    let layer = CacheLayer::new(page!("posts:<<slug>>:page")).ttl("1h");
    layer.vary(["accept-language"]).cache(cache)
}

/// A router with one route, whose handler has its response ready.
fn app(size: usize, layered: impl FnOnce(MethodRouter) -> MethodRouter) -> Router {
    let body = Bytes::from(vec![b'a'; size]);
    let handler = get(move || {
        let body = body.clone();
        async move {
            let fields = [
                (
                    CONTENT_TYPE,
                    HeaderValue::from_static("text/html; charset=utf-8"),
                ),
                (CACHE_CONTROL, HeaderValue::from_static("max-age=3600")),
            ];
            (fields, body)
        }
    });
    // As `axum::serve` does: otherwise axum builds the route's service for each request.
    Router::new()
        .route("/posts/{slug}", layered(handler))
        .with_state(())
}

fn path(number: usize) -> String {
    format!("/posts/my-first-post-{number}")
}

fn request(path: &str, tag: Option<&HeaderValue>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().expect("a valid path");
    let headers = request.headers_mut();
    let fields = [
        (HOST, "example.com"),
        (USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"),
        (ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8"),
        (ACCEPT_LANGUAGE, "de, en;q=0.5"),
    ];
    for (name, value) in fields {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(tag) = tag {
        headers.insert(IF_NONE_MATCH, tag.clone());
    }
    request
}

/// Send the requests one after the other. They are built before the time runs.
fn contender<'a>(
    name: &str,
    runtime: &'a Runtime,
    mut app: Router,
    request: impl Fn(usize) -> Request<Body> + 'a,
) -> Contender<'a> {
    let expected = match name {
        NOT_MODIFIED => StatusCode::NOT_MODIFIED,
        _ => StatusCode::OK,
    };
    Contender::timed(name, move |keys| {
        let requests: Vec<_> = keys.iter().map(|key| request(*key)).collect();
        runtime.block_on(async {
            let started = Instant::now();
            for request in requests {
                let response = answer(&mut app, request).await;
                assert_eq!(response.status(), expected);
            }
            started.elapsed()
        })
    })
}

/// Send a request, and read the body as a server does.
async fn answer(app: &mut Router, request: Request<Body>) -> Response<()> {
    let Ok(response) = app.call(request).await;
    let (parts, mut body) = response.into_parts();
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        match frame {
            Some(frame) => drop(std::hint::black_box(frame.expect("the body is whole"))),
            None => return Response::from_parts(parts, ()),
        }
    }
}
