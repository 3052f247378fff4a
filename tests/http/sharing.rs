//! Whose response is whose: users, cookies, and callers that wait for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use cache_http::{CacheLayer, ContextLayer, User, page};
use cache_runtime::Cache;
use tests::{on_both_stores, soon, until};
use tokio::sync::Semaphore;

use crate::support::{Answer, Count, fetch, fetch_with, request, send};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("sharing")).ttl(60).cache(cache)
}

/// The user that a cookie names, as a session would.
fn user_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get("cookie")?.to_str().ok()?;
    let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
    let (_, user) = pairs.find(|(name, _)| *name == "session")?;
    Some(user.to_owned())
}

/// A page that greets the user of the session.
async fn greet(headers: HeaderMap) -> String {
    user_of(&headers).unwrap_or_else(|| "a visitor".to_owned())
}

const A: (&str, &str) = ("cookie", "session=A");
const B: (&str, &str) = ("cookie", "session=B");

/// No order of visitors gives a page to somebody else, though the layer knows nothing of users.
#[tokio::test]
async fn a_page_that_depends_on_a_cookie_is_never_given_to_another_visitor() {
    on_both_stores(|cache| async move {
        let orders: [&[Option<(&str, &str)>]; 4] = [
            &[None, Some(A), Some(B), None, Some(A)],
            &[Some(A), None, Some(B), None, Some(A)],
            &[Some(A), Some(B), Some(A), None],
            &[None, None, Some(B), None],
        ];
        for order in orders {
            cache.clear().await.unwrap();
            let app = Router::new().route("/", get(greet).layer(layer(&cache)));
            for visitor in order {
                let fields: Vec<_> = visitor.iter().copied().collect();
                let answer = fetch_with(&app, "/", &fields).await;
                let expected = visitor.map_or("a visitor", |(_, cookie)| &cookie[8..]);
                assert_eq!(answer.body, expected, "{order:?}");
            }
        }
    })
    .await;
}

/// The program of a site with a login: a page for each user, and visitors in common.
fn site(cache: &Cache) -> Router {
    let layer = CacheLayer::new(page!("home:<<user>>")).ttl(60).cache(cache);
    let logout = || async { ([("set-cookie", "session=; Max-Age=0")], "bye") };
    Router::new()
        .route("/", get(greet).layer(layer))
        .route("/logout", post(logout))
        .layer(ContextLayer::new(|parts: &Parts| user_of(&parts.headers)))
}

#[tokio::test]
async fn a_user_who_has_logged_out_gets_the_page_of_visitors() {
    on_both_stores(|cache| async move {
        let app = site(&cache);
        let home = fetch_with(&app, "/", &[A]).await;
        assert_eq!(
            (&*home.body, home.field("cache-control")),
            ("A", Some("private, no-cache"))
        );
        let bye = send(&app, request("POST", "/logout", &[A])).await;
        assert_eq!(bye.field("set-cookie"), Some("session=; Max-Age=0"));
        // The browser still knows the tag of the page that it showed.
        let tag = home.field("etag").unwrap();
        let after = fetch_with(&app, "/", &[("if-none-match", tag)]).await;
        assert_eq!((after.status, &*after.body), (StatusCode::OK, "a visitor"));
        assert_eq!(fetch_with(&app, "/", &[B]).await.body, "B");
        let again = fetch_with(&app, "/", &[A, ("if-none-match", tag)]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    })
    .await;
}

/// A session that has ended has no user, and its cookie still comes. The handler may greet by it.
#[tokio::test]
async fn a_visitor_with_an_old_cookie_does_not_make_the_page_of_visitors() {
    on_both_stores(|cache| async move {
        let layer = CacheLayer::new(page!("home:<<user>>"))
            .ttl(60)
            .cache(&cache);
        let app = Router::new()
            .route("/", get(greet).layer(layer))
            .layer(ContextLayer::new(|_: &Parts| None::<String>));
        assert_eq!(fetch_with(&app, "/", &[A]).await.body, "A");
        assert_eq!(fetch(&app, "/").await.body, "a visitor");
        assert_eq!(fetch_with(&app, "/", &[B]).await.body, "B");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_ask_at_the_same_time_get_their_own_pages() {
    on_both_stores(|cache| async move {
        let handler = |user: User| async move {
            tokio::task::yield_now().await;
            user.to_string()
        };
        let layer = CacheLayer::new(page!("mine:<<user>>"))
            .ttl(60)
            .cache(&cache);
        let app = Router::new()
            .route("/", get(handler).layer(layer))
            .layer(ContextLayer::new(|parts: &Parts| user_of(&parts.headers)));
        let callers: Vec<_> = (0..200)
            .map(|nth| {
                let app = app.clone();
                tokio::spawn(async move {
                    let user = format!("u{}", nth % 20);
                    let cookie = format!("session={user}");
                    (
                        fetch_with(&app, "/", &[("cookie", &cookie)]).await.body,
                        user,
                    )
                })
            })
            .collect();
        for caller in callers {
            let (body, user) = soon(caller).await.unwrap();
            assert_eq!(body, user);
        }
    })
    .await;
}

/// A handler whose first run waits, and which answers each run as `answer` says.
fn first_held<R, F>(layer: CacheLayer, answer: F) -> (Router, Count, Arc<Semaphore>)
where
    R: axum::response::IntoResponse + Send + 'static,
    F: Fn(usize) -> R + Clone + Send + Sync + 'static,
{
    let (runs, go_on) = (Count::default(), Arc::new(Semaphore::new(0)));
    let handler = {
        let (runs, go_on) = (runs.clone(), go_on.clone());
        move || {
            let (run, go_on) = (runs.next(), go_on.clone());
            let answer = answer.clone();
            async move {
                if run == 1 {
                    go_on.acquire().await.unwrap().forget();
                }
                answer(run)
            }
        }
    };
    (
        Router::new().route("/", get(handler).layer(layer)),
        runs,
        go_on,
    )
}

/// Start the first request, then `others` while it is in the handler, then let it end.
async fn together(
    app: &Router,
    runs: &Count,
    go_on: &Semaphore,
    others: &[&[(&'static str, &str)]],
) -> Vec<Answer> {
    let first = tokio::spawn({
        let app = app.clone();
        async move { fetch(&app, "/").await }
    });
    until("the handler runs", || async { runs.get() == 1 }).await;
    let mut waiting = Vec::new();
    for fields in others {
        let request = request("GET", "/", fields);
        let app = app.clone();
        waiting.push(tokio::spawn(async move { send(&app, request).await }));
    }
    // They are in the layer by now, or come later and are answered all the same.
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    go_on.add_permits(1);
    let mut answers = vec![soon(first).await.unwrap()];
    for waiter in waiting {
        answers.push(soon(waiter).await.unwrap());
    }
    answers
}

const PLAIN: &[(&str, &str)] = &[];

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_not_given_to_those_who_waited() {
    on_both_stores(|cache| async move {
        for status in [
            StatusCode::UNAUTHORIZED,
            StatusCode::NOT_FOUND,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::INTERNAL_SERVER_ERROR,
        ] {
            cache.clear().await.unwrap();
            let (app, runs, go_on) = first_held(layer(&cache), move |run| match run {
                1 => (status, "refused".to_owned()),
                _ => (StatusCode::OK, "welcome".to_owned()),
            });
            let answers = together(&app, &runs, &go_on, &[PLAIN; 5]).await;
            assert_eq!(answers[0].status, status);
            for waiter in &answers[1..] {
                assert_eq!((waiter.status, &*waiter.body), (StatusCode::OK, "welcome"));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_get_the_form_that_they_asked_for() {
    on_both_stores(|cache| async move {
        let (app, runs, go_on) =
            first_held(layer(&cache), |_| ([("etag", "\"tag\"")], "the whole page"));
        let others: [&[(&str, &str)]; 5] = [
            &[("if-none-match", "\"tag\"")],
            &[("range", "bytes=0-2")],
            &[("range", "bytes=99-")],
            &[("if-none-match", "\"other\"")],
            &[("range", "bytes=0-2"), ("if-range", "\"other\"")],
        ];
        let answers = together(&app, &runs, &go_on, &others).await;
        let seen: Vec<_> = answers
            .iter()
            .map(|answer| (answer.status.as_u16(), &*answer.body))
            .collect();
        let whole = (200, "the whole page");
        assert_eq!(
            seen,
            [whole, (304, ""), (206, "the"), (416, ""), whole, whole]
        );
        assert_eq!(runs.get(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_varies_is_not_given_to_those_who_waited_with_other_fields() {
    on_both_stores(|cache| async move {
        let (runs, go_on) = (Count::default(), Arc::new(Semaphore::new(0)));
        let handler = {
            let (runs, go_on) = (runs.clone(), go_on.clone());
            move |headers: HeaderMap| async move {
                if runs.next() == 1 {
                    go_on.acquire().await.unwrap().forget();
                }
                let language = headers.get("accept-language");
                let language = language.map_or("none", |value| value.to_str().unwrap());
                ([("vary", "accept-language")], language.to_owned())
            }
        };
        let app = Router::new().route("/", get(handler).layer(layer(&cache)));
        let others: [&[(&str, &str)]; 3] = [
            &[("accept-language", "de")],
            &[("accept-language", "fr")],
            &[("accept-language", "de")],
        ];
        let answers = together(&app, &runs, &go_on, &others).await;
        let bodies: Vec<_> = answers.iter().map(|answer| &*answer.body).collect();
        assert_eq!(bodies, ["none", "de", "fr", "de"]);
    })
    .await;
}

/// The response of a refresh has no client: its cookie must reach none.
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_a_refresh_sets_reaches_nobody() {
    on_both_stores(|cache| async move {
        let (runs, sets) = (Count::default(), Arc::new(AtomicBool::new(false)));
        let handler = {
            let (runs, sets) = (runs.clone(), sets.clone());
            move || async move {
                let run = runs.next();
                let mut headers = HeaderMap::new();
                if sets.load(Ordering::SeqCst) {
                    headers.insert("set-cookie", "session=new".parse().unwrap());
                }
                (headers, format!("run {run}"))
            }
        };
        let layer = layer(&cache).ttl("30ms").stale("10m");
        let app = Router::new().route("/", get(handler).layer(layer));
        fetch(&app, "/").await;
        sets.store(true, Ordering::SeqCst);
        until("two refreshes have begun", || async {
            let answer = fetch(&app, "/").await;
            if answer.is_hit() {
                assert_eq!(answer.field("set-cookie"), None);
                assert_eq!(answer.body, "run 1", "a page without the cookie");
            }
            runs.get() >= 3
        })
        .await;
    })
    .await;
}

/// Callers from pages of other origins: the answer to one origin isn't for another.
#[tokio::test]
async fn an_answer_that_allows_one_origin_is_not_given_to_another() {
    on_both_stores(|cache| async move {
        let handler = |headers: HeaderMap| async move {
            let mut fields = HeaderMap::new();
            if let Some(origin) = headers.get("origin") {
                fields.insert("access-control-allow-origin", origin.clone());
            }
            fields.insert("vary", "Origin".parse().unwrap());
            (fields, "data")
        };
        let app = Router::new().route("/", get(handler).layer(layer(&cache)));
        for _ in 0..3 {
            for origin in ["https://one.example", "https://other.example"] {
                let answer = fetch_with(&app, "/", &[("origin", origin)]).await;
                assert_eq!(answer.field("access-control-allow-origin"), Some(origin));
            }
            let none = fetch(&app, "/").await;
            assert_eq!(none.field("access-control-allow-origin"), None);
        }
    })
    .await;
}
