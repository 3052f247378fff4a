//! `condition` sees the arguments by reference; the body may consume them afterwards.
use cache_runtime::{Cache, cacheable, invalidate};

struct Request {
    user: Option<String>,
    admin: bool,
}

#[cacheable(key = "pages:<<request.user>>", condition = request.user.is_some() && !request.admin)]
async fn page(request: Request) -> Option<String> {
    request.user
}

#[invalidate(patterns = ["pages:<<request.user>>"], condition = !request.admin)]
fn write(request: Request) -> Option<String> {
    let Request { user, .. } = request;
    user
}

async fn check() {
    let request = |admin| Request {
        user: Some("ann".to_owned()),
        admin,
    };
    for _ in 0..2 {
        assert_eq!(page(request(true)).await.as_deref(), Some("ann"));
        assert_eq!(page(request(false)).await.as_deref(), Some("ann"));
    }
    assert!(write(request(true)).is_some());
    assert_eq!(Cache::current().stats().invalidated, 0);
    assert!(write(request(false)).is_some());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 1);
    assert_eq!(cache.stats().invalidated, 1);
}
