//! `#[invalidate]` on functions that return a response: `impl Trait`, and types that say whether the call succeeded.

use std::fmt::Display;

use actix_web::{HttpResponse, Responder};
use axum::http::StatusCode;
use axum::response::{IntoResponse, NoContent, Redirect, Response};
use cache_runtime::{Cache, Succeeded, invalidate};
use tests::{on_both_stores, until};

/// Whether the call removed the entry `a`.
async fn removes<F: Future>(cache: &Cache, call: F) -> bool {
    cache.set("a", &1, 600).await.unwrap();
    call.await;
    !cache.exists("a").await.unwrap()
}

fn parse(number: &str) -> Result<u32, std::num::ParseIntError> {
    number.parse()
}

#[derive(Debug)]
struct AppError;

impl From<std::num::ParseIntError> for AppError {
    fn from(_: std::num::ParseIntError) -> Self {
        Self
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        StatusCode::BAD_REQUEST.into_response()
    }
}

#[invalidate(patterns = ["a"])]
async fn opaque_status(status: u16) -> impl IntoResponse {
    let Ok(status) = StatusCode::from_u16(status) else {
        return StatusCode::INTERNAL_SERVER_ERROR;
    };
    status
}

#[invalidate(patterns = ["a"])]
async fn opaque_pair(status: StatusCode, text: &str) -> impl IntoResponse + use<> {
    (status, text.to_owned())
}

#[invalidate(patterns = ["a"])]
async fn opaque_in_result(number: &str) -> Result<impl IntoResponse, AppError> {
    let status = parse(number)? as u16;
    if status == 0 {
        return Err(AppError);
    }
    Ok(StatusCode::from_u16(status).unwrap().into_response())
}

#[invalidate(patterns = ["a"])]
async fn opaque_result(number: &str) -> impl Display + std::fmt::Debug + use<> {
    let written = async || -> Result<u32, AppError> { Ok(parse(number)?) };
    written().await.map_or(0, |number| number)
}

#[invalidate(patterns = ["a"], when = "always")]
async fn opaque_always(status: StatusCode) -> impl IntoResponse {
    status
}

#[invalidate(patterns = ["a"], when = "before")]
async fn opaque_before(status: StatusCode) -> impl IntoResponse {
    status
}

#[invalidate(patterns = ["b:*"])]
#[invalidate(patterns = ["a"])]
async fn opaque_twice(status: StatusCode) -> impl IntoResponse {
    status
}

#[invalidate(patterns = ["a"])]
async fn opaque_panic(panics: bool) -> impl IntoResponse {
    assert!(!panics);
    StatusCode::OK
}

#[invalidate(patterns = ["a"])]
async fn responder(found: bool) -> impl Responder {
    match found {
        true => HttpResponse::SeeOther().finish(),
        false => HttpResponse::NotFound().finish(),
    }
}

#[tokio::test]
async fn an_opaque_response_invalidates_by_its_status() {
    on_both_stores(|cache| async move {
        for (status, removed) in [(200, true), (303, true), (404, false), (500, false)] {
            assert_eq!(removes(&cache, opaque_status(status)).await, removed);
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(removes(&cache, opaque_pair(status, "x")).await, removed);
            let number = status.as_str();
            assert_eq!(removes(&cache, opaque_in_result(number)).await, removed);
            assert_eq!(removes(&cache, opaque_twice(status)).await, removed);
            assert!(removes(&cache, opaque_always(status)).await);
            assert!(removes(&cache, opaque_before(status)).await);
        }
        assert!(!removes(&cache, opaque_status(1)).await);
        assert!(!removes(&cache, opaque_in_result("0")).await);
        assert!(!removes(&cache, opaque_in_result("x")).await);
        assert!(removes(&cache, opaque_result("5")).await);
        assert!(removes(&cache, responder(true)).await);
        assert!(!removes(&cache, responder(false)).await);
    })
    .await;
}

#[tokio::test]
async fn a_panic_or_a_drop_invalidates_whatever_the_type() {
    on_both_stores(|cache| async move {
        let panics = async {
            let call = std::panic::AssertUnwindSafe(opaque_panic(true));
            assert!(futures_util::FutureExt::catch_unwind(call).await.is_err());
        };
        assert!(removes(&cache, panics).await);
        assert!(removes(&cache, opaque_panic(false)).await);
    })
    .await;
}

#[invalidate(patterns = ["a"])]
fn opaque_sync(number: &str) -> Result<impl IntoResponse + use<>, AppError> {
    let status = parse(number)? as u16;
    StatusCode::from_u16(status).map_err(|_| AppError)
}

#[invalidate(patterns = ["a"], when = "always")]
fn opaque_sync_always(number: &str) -> impl Display + use<> {
    number.len()
}

#[test]
fn a_blocking_function_may_be_opaque_too() {
    let cache = Cache::builder().build().unwrap();
    let removes = |call: &dyn Fn()| {
        cache.blocking().set("a", &1, 600).unwrap();
        cache.scope_sync(call);
        !cache.blocking().exists("a").unwrap()
    };
    assert!(removes(&|| drop(opaque_sync("201"))));
    assert!(!removes(&|| drop(opaque_sync("404"))));
    assert!(!removes(&|| drop(opaque_sync("x"))));
    assert!(removes(&|| drop(opaque_sync_always("x"))));
}

#[invalidate(patterns = ["a"])]
async fn response(status: StatusCode) -> Response {
    (status, "text").into_response()
}

#[invalidate(patterns = ["a"])]
async fn result(status: StatusCode) -> Result<StatusCode, AppError> {
    if status == StatusCode::IM_A_TEAPOT {
        return Err(AppError);
    }
    Ok(status)
}

#[invalidate(patterns = ["a"])]
async fn triple(status: StatusCode) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    (status, [("x-kind", "test")], "text".to_owned())
}

#[invalidate(patterns = ["a"], when = "always")]
async fn always(status: StatusCode) -> Response {
    status.into_response()
}

#[invalidate(patterns = ["a"])]
async fn moved() -> Redirect {
    Redirect::to("/")
}

#[invalidate(patterns = ["a"])]
async fn emptied() -> NoContent {
    NoContent
}

#[tokio::test]
async fn a_named_response_invalidates_by_its_status() {
    on_both_stores(|cache| async move {
        for (status, removed) in [
            (StatusCode::CREATED, true),
            (StatusCode::FOUND, true),
            (StatusCode::IM_A_TEAPOT, false),
            (StatusCode::BAD_GATEWAY, false),
        ] {
            assert_eq!(removes(&cache, response(status)).await, removed);
            assert_eq!(removes(&cache, result(status)).await, removed);
            assert_eq!(removes(&cache, triple(status)).await, removed);
            assert!(removes(&cache, always(status)).await);
        }
        assert!(removes(&cache, moved()).await);
        assert!(removes(&cache, emptied()).await);
    })
    .await;
}

/// A type of the user's own, with a value that a pattern uses.
#[derive(Debug)]
struct Saved {
    slug: String,
    valid: bool,
}

impl Succeeded for Saved {
    fn succeeded(&self) -> bool {
        self.valid
    }
}

#[invalidate(patterns = ["<<result.slug>>"])]
async fn save(valid: bool) -> Result<Saved, AppError> {
    let slug = "a".to_owned();
    Ok(Saved { slug, valid })
}

#[invalidate(patterns = ["a"])]
async fn generic<T>(value: T) -> T {
    value
}

#[tokio::test]
async fn a_type_of_the_users_own_says_whether_it_succeeded() {
    on_both_stores(|cache| async move {
        assert!(removes(&cache, save(true)).await);
        assert!(!removes(&cache, save(false)).await);
        // A type parameter is judged as any type is.
        assert!(removes(&cache, generic(StatusCode::NOT_FOUND)).await);
    })
    .await;
}

/// A type whose judgement fails.
struct Undecided;

impl Succeeded for Undecided {
    fn succeeded(&self) -> bool {
        panic!("undecided")
    }
}

#[invalidate(patterns = ["a"])]
async fn undecided() -> Undecided {
    Undecided
}

#[tokio::test]
async fn a_judgement_that_panics_leaves_the_outcome_unknown() {
    on_both_stores(|cache| async move {
        cache.set("a", &1, 600).await.unwrap();
        let call = std::panic::AssertUnwindSafe(undecided());
        assert!(futures_util::FutureExt::catch_unwind(call).await.is_err());
        until("it is gone", || async { !cache.exists("a").await.unwrap() }).await;
    })
    .await;
}

#[test]
fn the_future_of_an_opaque_response_is_send() {
    fn is_send(_: impl Send) {}
    is_send(opaque_status(200));
    is_send(opaque_in_result("200"));
}
