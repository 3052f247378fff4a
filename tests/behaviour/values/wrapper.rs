//! Return types of other crates: wrappers of the user and of axum, and `value` with `response`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Html;
use axum::{Form, Json};
use cache_runtime::{Cache, Wrapper, cacheable, invalidate};
use tests::{RedisServer, begin, on_both_stores, soon};

use crate::common::{Post, Runs, assert_about};
use crate::staleness::support::{Place, Work, on_both, until, until_stored};

/// A page of the user's own. Neither serializable nor `Clone`.
#[derive(Debug, PartialEq)]
struct Page<T> {
    body: T,
}

impl<T> Wrapper for Page<T> {
    type Value = T;
    fn into_value(self) -> T {
        self.body
    }
    fn from_value(body: T) -> Self {
        Self { body }
    }
}

/// A page that can be in an `Arc`.
#[derive(Clone, Debug, PartialEq)]
struct Copied<T>(T);

impl<T> Wrapper for Copied<T> {
    type Value = T;
    fn into_value(self) -> T {
        self.0
    }
    fn from_value(body: T) -> Self {
        Self(body)
    }
}

/// An error that implements nothing but this.
#[derive(Debug, PartialEq)]
struct Refused;

type Paged<T> = Result<Page<T>, Refused>;

fn post() -> Post {
    Post::new(1, "a")
}

fn page<T>(body: T) -> Page<T> {
    Page { body }
}

macro_rules! returning {
    ($test:ident, $runs_each:literal; $($name:ident -> $type:ty { $value:expr })*) => {
        $(
            #[cacheable(skip(runs))]
            async fn $name(runs: &Runs) -> $type {
                runs.next();
                $value
            }
        )*

        #[tokio::test]
        async fn $test() {
            on_both_stores(|_| async {
                $(
                    let runs = Runs::default();
                    let computed: $type = $value;
                    for call in 1..=2 {
                        let given = $name(&runs).await;
                        let message = concat!(stringify!($name), ": ", stringify!($type));
                        assert_eq!(format!("{given:?}"), format!("{computed:?}"), "{message}, call {call}");
                    }
                    assert_eq!(runs.count(), $runs_each, stringify!($name));
                )*
            })
            .await;
        }
    };
}

returning! {
    the_value_of_a_wrapper_is_stored, 1;
    own -> Page<Post> { page(post()) }
    own_in_result -> Result<Page<Post>, Refused> { Ok(page(post())) }
    own_in_alias -> Paged<Post> { Ok(page(post())) }
    own_in_option -> Option<Page<Post>> { Some(page(post())) }
    own_in_both -> Result<Option<Page<Post>>, Refused> { Ok(Some(page(post()))) }
    own_around_arc -> Page<Arc<Post>> { page(Arc::new(post())) }
    own_around_arc_in_both -> Result<Option<Page<Arc<Post>>>, Refused> { Ok(Some(page(Arc::new(post())))) }
    own_around_option -> Page<Option<u8>> { page(Some(1)) }
    own_in_arc -> Arc<Copied<Post>> { Arc::new(Copied(post())) }
    own_in_arc_in_both -> Result<Option<Arc<Copied<Post>>>, Refused> { Ok(Some(Arc::new(Copied(post())))) }
    json_around_arc -> Json<Arc<Post>> { Json(Arc::new(post())) }
    json_in_arc -> Result<Arc<Json<Post>>, Refused> { Ok(Arc::new(Json(post()))) }
    html -> Html<String> { Html("<p>".to_owned()) }
    html_in_result -> Result<Html<String>, Refused> { Ok(Html("<p>".to_owned())) }
    form -> Option<Form<Post>> { Some(Form(post())) }
    created -> (StatusCode, Json<Post>) { (StatusCode::CREATED, Json(post())) }
    created_in_both -> Result<Option<(StatusCode, Html<String>)>, Refused> {
        Ok(Some((StatusCode::CREATED, Html("<p>".to_owned()))))
    }
}

returning! {
    an_err_and_a_none_around_a_wrapper_are_not_stored, 2;
    err -> Result<Page<Post>, Refused> { Err(Refused) }
    err_of_both -> Result<Option<Page<Arc<Post>>>, Refused> { Err(Refused) }
    none -> Option<Page<Post>> { None }
    none_of_both -> Result<Option<Page<Post>>, Refused> { Ok(None) }
    none_of_status -> Option<(StatusCode, Json<Post>)> { None }
}

#[cacheable(key = "none", cache_none, skip(runs))]
fn kept_none(runs: &Runs) -> Result<Option<Page<Post>>, Refused> {
    runs.next();
    Ok(None)
}

#[tokio::test]
async fn cache_none_stores_a_none_around_a_wrapper() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(kept_none(&runs), Ok(None));
        }
        assert_eq!(runs.count(), 1);
    })
    .await;
}

#[cacheable(
    key = "drafts:<<id>>", skip(runs),
    unless = |post| post.slug == "draft",
    ttl = |post: &Post| u64::from(post.id),
)]
async fn read(runs: &Runs, id: u32, slug: &str) -> Paged<Post> {
    runs.next();
    Ok(page(Post::new(id, slug)))
}

#[tokio::test]
async fn unless_and_ttl_see_the_value_in_the_wrapper() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(
                read(&runs, 500, "draft").await,
                Ok(page(Post::new(500, "draft")))
            );
        }
        assert_eq!(runs.count(), 2, "a draft isn't stored");
        for _ in 0..2 {
            assert_eq!(read(&runs, 500, "a").await, Ok(page(Post::new(500, "a"))));
        }
        assert_eq!(runs.count(), 3);
        let path = read_cache_path(&runs, 500, "a");
        assert_about(cache.ttl(&path).await.unwrap(), 500);
        assert_eq!(
            read_refresh(&runs, 500, "a").await,
            Ok(page(Post::new(500, "a")))
        );
        assert_eq!(runs.count(), 4);
        assert_eq!(
            read_no_cache(&runs, 500, "a").await,
            Ok(page(Post::new(500, "a")))
        );
        assert_eq!(runs.count(), 5);
    })
    .await;
}

#[cacheable(key = "statuses:<<code>>", skip(runs), unless = |(status, _)| status.is_server_error())]
async fn with_status(runs: &Runs, code: u16) -> (StatusCode, Json<u16>) {
    runs.next();
    (StatusCode::from_u16(code).unwrap(), Json(code))
}

#[tokio::test]
async fn a_status_is_stored_and_can_be_a_reason_not_to() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for code in [201, 404, 503] {
            for _ in 0..2 {
                let (status, Json(body)) = with_status(&runs, code).await;
                assert_eq!((status.as_u16(), body), (code, code));
            }
        }
        assert_eq!(runs.count(), 4, "503 is computed twice");
        let stored = cache.get::<(u16, u16)>("statuses:201").await.unwrap();
        assert_eq!(stored, Some((201, 201)));
    })
    .await;
}

#[tokio::test]
async fn a_number_that_is_not_a_status_is_a_miss() {
    let server = RedisServer::start();
    let cache = crate::common::on_redis(&server, "quickpost");
    let runs = Runs::default();
    cache
        .set("statuses:201", &(7_u16, 1_u16), 60)
        .await
        .unwrap();
    let (status, Json(body)) = cache.scope(with_status(&runs, 201)).await;
    assert_eq!((status, body), (StatusCode::CREATED, 201));
    assert_eq!(runs.count(), 1);
}

#[invalidate(patterns = ["posts:<<result.id>>:*"])]
async fn write_page(id: u32) -> Result<Page<Post>, Refused> {
    Ok(page(Post::new(id, "a")))
}

#[invalidate(patterns = ["posts:<<result.slug>>", "lists:*"])]
fn write_copied(slug: &str) -> Option<Arc<Copied<Post>>> {
    (!slug.is_empty()).then(|| Arc::new(Copied(Post::new(1, slug))))
}

/// A wrapper that must not be opened.
#[derive(Debug)]
struct Sealed;

impl Wrapper for Sealed {
    type Value = ();
    fn into_value(self) {
        panic!("no pattern mentions the value");
    }
    fn from_value((): ()) -> Self {
        Self
    }
}

#[invalidate(patterns = ["lists:*"])]
async fn write_sealed() -> Result<Sealed, Refused> {
    Ok(Sealed)
}

#[tokio::test]
async fn a_pattern_sees_the_value_in_the_wrapper() {
    on_both_stores(|cache| async move {
        let left = async || {
            let keys = ["posts:1", "posts:a", "lists:1"];
            let mut left = Vec::new();
            for key in keys {
                if cache.exists(key).await.unwrap() {
                    left.push(key);
                }
            }
            left
        };
        for key in ["posts:1", "posts:a", "lists:1"] {
            cache.set(key, &1, 60).await.unwrap();
        }
        assert_eq!(write_page(1).await, Ok(page(Post::new(1, "a"))));
        assert_eq!(left().await, ["posts:a", "lists:1"]);
        let copied = write_copied("a");
        assert_eq!(copied, Some(Arc::new(Copied(Post::new(1, "a")))));
        assert_eq!(left().await, Vec::<&str>::new());
        cache.set("lists:1", &1, 60).await.unwrap();
        cache.set("posts:a", &1, 60).await.unwrap();
        assert_eq!(write_copied(""), None);
        assert_eq!(left().await, ["posts:a"]);
        cache.set("lists:1", &1, 60).await.unwrap();
        write_sealed().await.unwrap();
        assert_eq!(left().await, ["posts:a"]);
    })
    .await;
}

#[cacheable(key = "near:<<id>>", skip(runs))]
async fn near(runs: &Runs, id: u32) -> Result<Page<Arc<Post>>, Refused> {
    runs.next();
    Ok(page(Arc::new(Post::new(id, "a"))))
}

#[tokio::test]
async fn the_near_cache_and_the_memory_store_share_an_arc_in_a_wrapper() {
    let server = RedisServer::start();
    let builder = Cache::builder().redis(server.url()).near_cache(1 << 20);
    let on_redis = builder.response_timeout(tests::PATIENCE).build().unwrap();
    for cache in [on_redis, Cache::builder().build().unwrap()] {
        let runs = Runs::default();
        let read = async || cache.scope(near(&runs, 1)).await.unwrap().body;
        until("two hits share the value", || async {
            Arc::ptr_eq(&read().await, &read().await)
        })
        .await;
        assert_eq!(runs.count(), 1);
    }
}

#[cacheable(key = "rows:<<id>>", ttl = work.life, stale = "10m", stale_if_error = "1h", skip(work))]
async fn row(work: Work, id: u32) -> Result<Page<u32>, Refused> {
    let run = work.run().await;
    match id {
        1 => Ok(page(run)),
        _ if run == 1 => Ok(page(run)),
        _ => Err(Refused),
    }
}

#[tokio::test]
async fn a_stale_wrapper_is_served_and_refreshed() {
    on_both(|place: Place| async move {
        let work = place.work();
        assert_eq!(row(work.clone(), 1).await, Ok(page(1)));
        place.turns_stale("rows:1").await;
        assert_eq!(soon(row(work.clone(), 1)).await, Ok(page(1)));
        work.gate.open();
        until_stored(&place.cache, "rows:1", 2).await;
        assert_eq!(row(work.clone(), 1).await, Ok(page(2)));
    })
    .await;
}

#[tokio::test]
async fn an_expired_wrapper_outlasts_an_error() {
    on_both(|place: Place| async move {
        let work = place.work();
        work.gate.open();
        assert_eq!(row(work.clone(), 2).await, Ok(page(1)));
        place.turns_stale("rows:2").await;
        place.pass(Duration::from_secs(700));
        assert_eq!(soon(row(work.clone(), 2)).await, Ok(page(1)));
        assert_eq!(work.runs.count(), 2);
    })
    .await;
}

#[cacheable(key = "detached:<<id>>", skip(work), detached)]
async fn detached_row(work: Work, id: u32) -> Page<u32> {
    page(work.gate.pass().await + id)
}

/// Drop a call whose body waits at the gate.
async fn abandon<F: Future<Output: Send + 'static> + Send + 'static>(
    cache: &Cache,
    work: &Work,
    call: F,
) {
    let leader = begin(cache, call).await;
    work.gate.reached_by(1).await;
    leader.abort();
    assert!(leader.await.is_err());
}

#[tokio::test]
async fn a_detached_wrapper_is_stored() {
    on_both(|place: Place| async move {
        let (cache, work) = (&place.cache, place.work());
        abandon(cache, &work, detached_row(work.clone(), 1)).await;
        work.gate.open();
        until_stored(cache, "detached:1", 2).await;
        assert_eq!(detached_row(work.clone(), 1).await, page(2));
    })
    .await;
}

/// A response of a framework that isn't known, which serde can't write.
mod foreign {
    #[derive(Debug)]
    pub(super) struct Response {
        status: u16,
        body: Box<dyn std::error::Error + Send + Sync>,
    }

    impl PartialEq for Response {
        fn eq(&self, other: &Self) -> bool {
            (self.status, self.body.to_string()) == (other.status, other.body.to_string())
        }
    }

    impl Response {
        pub(super) fn new(status: u16, body: String) -> Self {
            let body = body.into();
            Self { status, body }
        }

        pub(super) fn into_parts(self) -> (u16, String) {
            (self.status, self.body.to_string())
        }
    }
}

use foreign::Response;

fn response(status: u16, body: &str) -> Response {
    Response::new(status, body.to_owned())
}

fn from_parts((status, body): (u16, String)) -> Response {
    Response::new(status, body)
}

#[cacheable(
    key = "responses:<<status>>", skip(runs),
    value = |response| response.into_parts(),
    response = |(status, body)| Response::new(status, body),
    unless = |(status, _)| *status >= 500,
)]
async fn respond(runs: &Runs, status: u16) -> Result<Response, Refused> {
    runs.next();
    match status {
        0 => Err(Refused),
        status => Ok(response(status, "a")),
    }
}

#[cacheable(key = "bare:<<status>>", skip(runs), value = Response::into_parts, response = from_parts)]
fn respond_bare(runs: &Runs, status: u16) -> Response {
    runs.next();
    response(status, "a")
}

#[cacheable(
    key = "both:<<status>>", skip(runs), cache_none,
    value = Response::into_parts, response = from_parts,
)]
async fn respond_both(runs: &Runs, status: u16) -> Result<Option<Response>, Refused> {
    runs.next();
    Ok((status > 0).then(|| response(status, "a")))
}

#[tokio::test]
async fn value_and_response_store_a_foreign_type() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(respond(&runs, 200).await, Ok(response(200, "a")));
        }
        assert_eq!(runs.count(), 1);
        assert_eq!(respond_refresh(&runs, 200).await, Ok(response(200, "a")));
        assert_eq!(respond_no_cache(&runs, 200).await, Ok(response(200, "a")));
        assert_eq!(runs.count(), 3);
        let stored = cache.get::<(u16, String)>("responses:200").await.unwrap();
        assert_eq!(stored, Some((200, "a".to_owned())));
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(respond(&runs, 500).await, Ok(response(500, "a")));
            assert_eq!(respond(&runs, 0).await, Err(Refused));
        }
        assert_eq!(runs.count(), 4, "neither is stored");
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(respond_bare(&runs, 200), response(200, "a"));
            assert_eq!(respond_both(&runs, 1).await, Ok(Some(response(1, "a"))));
            assert_eq!(respond_both(&runs, 0).await, Ok(None));
        }
        assert_eq!(runs.count(), 3);
    })
    .await;
}

#[cacheable(
    key = "foreign:<<id>>", ttl = work.life, stale = "10m", detached, skip(work),
    value = |response| response.into_parts().0,
    response = |run| Response::new(run, "a".to_owned()),
)]
async fn detached_foreign(work: Work, id: u32) -> Result<Response, Refused> {
    assert_eq!(id, 1);
    let run = work.gate.pass().await;
    Ok(response(u16::try_from(run).unwrap(), "a"))
}

#[tokio::test]
async fn a_foreign_type_may_be_detached_and_stale() {
    on_both(|place: Place| async move {
        let (cache, work) = (&place.cache, place.work());
        abandon(cache, &work, detached_foreign(work.clone(), 1)).await;
        work.gate.open();
        until("it is stored", || async {
            cache.exists("foreign:1").await.unwrap()
        })
        .await;
        place.turns_stale("foreign:1").await;
        let served = soon(detached_foreign(work.clone(), 1)).await;
        assert_eq!(served, Ok(response(1, "a")));
        until("it is refreshed", || async {
            cache.get::<u16>("foreign:1").await.unwrap() == Some(2)
        })
        .await;
    })
    .await;
}

#[cacheable(
    key = "stacked:<<id>>", skip(runs), companions = false,
    value = Response::into_parts, response = from_parts,
)]
#[invalidate(patterns = ["views:<<id>>"])]
async fn stacked(runs: &Runs, id: u32) -> Result<Response, Refused> {
    runs.next();
    Ok(response(u16::try_from(id).unwrap(), "a"))
}

#[tokio::test]
async fn a_foreign_type_may_be_read_and_written() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..2 {
            cache.set("views:1", &1, 60).await.unwrap();
            assert_eq!(stacked(&runs, 1).await, Ok(response(1, "a")));
            assert!(!cache.exists("views:1").await.unwrap());
        }
        assert_eq!(runs.count(), 1);
    })
    .await;
}
