//! Return types of other crates: wrappers, also generic ones, and `value` with `response`.
use axum::Json;
use axum::http::StatusCode;
use axum::response::Html;
use cache_runtime::{Cache, Storable, Wrapper, cacheable, invalidate};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

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

/// A response that isn't `Send`, `Clone` or serializable.
struct Response(Rc<u32>);

type Answer<T> = Result<Option<Page<T>>, std::io::Error>;

#[cacheable(key = "generic")]
async fn generic<T: Storable + Default>() -> Answer<T> {
    Ok(Some(Page { body: T::default() }))
}

#[cacheable(key = "any")]
fn any<W: Wrapper<Value: Storable>>() -> W
where
    W::Value: Default,
{
    W::from_value(Default::default())
}

#[cacheable(key = "html:<<id>>", unless = |(_, html)| html.is_empty())]
async fn html(id: u32) -> Result<(StatusCode, Html<String>), String> {
    Ok((StatusCode::ACCEPTED, Html(id.to_string())))
}

#[cacheable(key = "shared", unless = |number| *number == 0)]
fn shared() -> Json<Arc<u32>> {
    Json(Arc::new(1))
}

#[cacheable(
    key = "foreign:<<id>>",
    value = |response| *response.0,
    response = |number| Response(Rc::new(number)),
    unless = |number: &u32| *number == 0,
    ttl = |number| u64::from(*number),
)]
async fn foreign(id: u32) -> Result<Option<Response>, Box<dyn std::error::Error>> {
    Ok(Some(Response(Rc::new(id))))
}

#[cacheable(
    key = "owned:<<id>>",
    stale = "1m",
    refresh = "background",
    value = |response| *response.0,
    response = |number| Response(Rc::new(number)),
)]
async fn owned(id: u32) -> Response {
    Response(Rc::new(id))
}

struct Service;

impl Service {
    #[cacheable(
        key = "methods:<<id>>",
        skip(self),
        companions,
        value = |response| *response.0,
        response = |number| Response(Rc::new(number)),
    )]
    fn method(&self, id: u32) -> Response {
        Response(Rc::new(id))
    }
}

#[async_trait::async_trait]
trait Source {
    async fn get(&self, id: u32) -> Page<u32>;
}

#[async_trait::async_trait]
impl Source for Service {
    #[cacheable(key = "sources:<<id>>", skip(self), value = |page| page.body, response = |body| Page { body })]
    async fn get(&self, id: u32) -> Page<u32> {
        Page { body: id }
    }
}

#[invalidate(patterns = ["html:<<result>>"])]
async fn write(id: u32) -> Result<Page<u32>, String> {
    Ok(Page { body: id })
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

async fn check() {
    for _ in 0..2 {
        let body = generic::<u32>().await.ok().flatten().map(|page| page.body);
        assert_eq!(body, Some(0));
        assert_eq!(any::<Page<String>>().body, "");
        assert_eq!(*shared().0, 1);
        let answered = is_send(html(7)).await.map(|(status, Html(text))| (status, text));
        assert_eq!(answered, Ok((StatusCode::ACCEPTED, "7".to_owned())));
        let found = foreign(7).await.ok().flatten().map(|response| *response.0);
        assert_eq!(found, Some(7));
        assert_eq!(*owned(7).await.0, 7);
        assert_eq!(*Service.method(7).0, 7);
        assert_eq!(is_send(Service.get(7)).await.body, 7);
    }
    assert_eq!(is_send(write(7)).await.map(|page| page.body), Ok(7));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 8);
    assert_eq!(cache.stats().invalidated, 1);
}
