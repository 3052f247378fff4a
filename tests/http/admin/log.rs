//! The log of changes and of refusals.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Parts;
use cache_http::{ContextLayer, admin, bearer};
use cache_runtime::Cache;
use tests::{Event, events_of};
use tower_service::Service as _;
use tracing::Level;

use super::by_header;
use crate::support::{request_with, send};

/// Send a request, and return the lines of the admin API.
fn log_of(app: impl Fn() -> Router, request: impl Fn() -> Request<Body>) -> Vec<Event> {
    let events = events_of(Level::INFO, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            send(&app(), request()).await;
        });
    });
    let admin = |event: &Event| event.message.contains("ADMIN");
    events.into_iter().filter(admin).collect()
}

fn cache() -> Cache {
    let cache = Cache::builder().build().unwrap();
    let entries = [("posts:1", 1), ("posts:2", 2), ("chat:v1:a", 3)];
    cache.blocking().set_many(entries, 60).unwrap();
    cache
}

#[test]
fn each_change_is_logged_with_its_user_its_target_and_the_number_of_entries() {
    fn user(parts: &Parts) -> Option<String> {
        let user = parts.headers.get("x-user")?;
        Some(String::from_utf8_lossy(user.as_bytes()).into_owned())
    }
    let app = || {
        let router = Router::new().nest_service("/admin", admin(cache()).access(by_header));
        router.layer(ContextLayer::new(user))
    };
    let log = |path: &'static str, who: &'static [(&str, &str)], body: &'static str| {
        let mut fields = super::ADMIN.to_vec();
        fields.extend(who);
        let uri = format!("/admin/{path}");
        let events = log_of(app, || request_with("POST", &uri, &fields, body));
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((&*events[0].level, &*events[0].op), ("INFO", path));
        events[0].message.clone()
    };
    assert_eq!(
        log("clear", &[("x-user", "ann")], "{}"),
        "[Cache] ADMIN clear of all entries by user \"ann\": 3 entries removed"
    );
    assert_eq!(
        log("clear", &[], r#"{"namespace": "chat"}"#),
        "[Cache] ADMIN clear of the namespace \"chat\" by an unnamed user: 1 entries removed"
    );
    let token = [("authorization", "Bearer secret")];
    let token: &'static [(&str, &str)] = Box::leak(Box::new(token));
    assert_eq!(
        log("clear", token, r#"{"pattern": "posts:\n*"}"#),
        "[Cache] ADMIN clear of the pattern \"posts:\\n*\" by the bearer of a token: 0 entries removed"
    );
    assert_eq!(
        log("reset-stats", &[("x-user", "ann")], ""),
        "[Cache] ADMIN reset-stats of the counters by user \"ann\": 0 entries removed"
    );
}

#[test]
fn a_denied_request_is_logged_without_its_token() {
    let app = || {
        let service = admin(cache()).access(bearer("right").unwrap());
        Router::new().nest_service("/admin", service)
    };
    let wrong = [("authorization", "Bearer nearly-right")];
    let events = log_of(app, || request_with("GET", "/admin/stats", &wrong, ""));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].level, "WARN");
    let expected = "[Cache] ADMIN request of \"/stats\" denied; 1 so far";
    assert_eq!(events[0].message, expected);
}

/// The client goes away while Redis is silent.
#[test]
fn a_change_whose_request_is_dropped_is_logged() {
    let server = tests::RedisServer::start();
    let cache = Cache::builder().redis(server.url()).build().unwrap();
    cache.blocking().set("a", &1, 60).unwrap();
    server.signal("STOP");
    let events = events_of(Level::INFO, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let mut service = admin(&cache).access(by_header);
            let request = request_with("POST", "/clear", super::ADMIN, "{}");
            let mut answer = service.call(request);
            let polled = futures_util::poll!(&mut answer);
            assert!(polled.is_pending());
        });
    });
    server.signal("CONT");
    let of_admin: Vec<_> = events
        .iter()
        .filter(|event| event.message.contains("ADMIN"))
        .collect();
    assert_eq!(of_admin.len(), 1, "{events:?}");
    let expected = "[Cache] ADMIN clear of all entries by an unnamed user: the client left before its end; it goes on";
    assert_eq!(of_admin[0].message, expected);
    let gone = || !cache.blocking().exists("a").unwrap_or(true);
    tests::until_blocking("the entry is removed all the same", gone);
}

#[test]
fn a_value_that_is_shown_is_logged_and_its_facts_are_not() {
    let app = || Router::new().nest_service("/admin", admin(cache()).access(by_header));
    let log = |uri: &'static str| log_of(app, || request_with("GET", uri, super::ADMIN, ""));
    assert!(log("/admin/key?key=posts:1").is_empty());
    assert!(log("/admin/key?key=absent&value=1").is_empty());
    let shown = log("/admin/key?key=posts:1&value=1");
    let expected = "[Cache] ADMIN the value at \"cache:posts:1\" is shown to an unnamed user";
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!((&*shown[0].level, &*shown[0].message), ("INFO", expected));
}
