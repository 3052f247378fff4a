//! Arguments of web frameworks, written as the compile error about them advises.

use axum::extract::{Path, Request};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use cache_runtime::{Cache, cacheable};

#[cacheable(
    key = "greeting:<<headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok())>>"
)]
fn greeting(headers: &HeaderMap) -> String {
    format!("{} headers", headers.len())
}

#[cacheable(key = "page:<<request.uri()>>")]
fn page(request: &Request) -> String {
    request.uri().to_string()
}

#[cacheable(key = "posts")]
fn post(Path(slug): Path<String>) -> String {
    slug
}

#[test]
fn a_part_of_a_request_is_in_the_key_and_a_wrapper_is_taken_apart() {
    let cache = Cache::builder().prefix("app").build().unwrap();
    cache.scope_sync(|| {
        let mut headers = HeaderMap::new();
        let without = greeting_cache_key(&headers);
        headers.insert(ACCEPT_LANGUAGE, "de".parse().unwrap());
        assert_eq!(greeting_cache_key(&headers), "app:greeting:de");
        assert_ne!(without, "app:greeting:de");
        greeting(&headers);

        let mut request = Request::default();
        *request.uri_mut() = "/posts?page=2".parse().unwrap();
        assert_eq!(page_cache_key(&request), "app:page:/posts%3Fpage=2");
        page(&request);

        let key = |slug: &str| post_cache_key(Path(slug.to_owned()));
        assert_ne!(key("a"), key("b"));
        assert_eq!(post(Path("a".to_owned())), "a");
    });
    assert_eq!(cache.stats().fills, 3);
}
