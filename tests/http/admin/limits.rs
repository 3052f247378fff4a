//! The limit of failures.

use cache_http::{admin, bearer};
use cache_runtime::Cache;
use tests::until;

use super::{Api, error};

const RIGHT: [(&str, &str); 1] = [("authorization", "Bearer right")];
const WRONG: [(&str, &str); 1] = [("authorization", "Bearer wrong")];

#[tokio::test]
async fn after_too_many_failures_even_the_right_token_is_refused_for_a_while() {
    let cache = Cache::builder().build().unwrap();
    let service = admin(&cache).access(bearer("right").unwrap());
    let api = Api::serve(service.clone()).await;
    for _ in 0..100 {
        assert_eq!(api.ask("GET", "/stats", &RIGHT, "").await.status, 200);
    }
    assert_eq!(service.failures(), 0, "successes aren't counted");
    // On a slow machine, a failure comes back between the last wrong token and the right one.
    let (mut denied, mut was_refused) = (0, false);
    while !was_refused {
        let mut limited = api.ask("GET", "/stats", &WRONG, "").await;
        while limited.status == 401 {
            denied += 1;
            assert_eq!(service.failures(), denied);
            assert!(denied < 10_000, "failures aren't limited");
            limited = api.ask("GET", "/stats", &WRONG, "").await;
        }
        assert_eq!(limited.status, 429);
        assert_eq!(limited.field("retry-after"), Some("1"));
        assert!(error(&limited).contains("too many requests"));
        was_refused = api.ask("GET", "/stats", &RIGHT, "").await.status == 429;
    }
    assert!(denied >= 20, "{denied}");
    let api = &api;
    until("the token is accepted again", || async move {
        api.ask("GET", "/stats", &RIGHT, "").await.status == 200
    })
    .await;
}
