//! Rights: of each level on each route, of other sites, and by a token.

use axum::Router;
use axum::http::Request;
use axum::http::request::Parts;
use cache_http::{Access, admin, bearer, bearer_env};
use cache_runtime::{Cache, CacheError};
use tests::on_both_stores;

use super::{ADMIN, Api, NONE, READ, error};

const ROUTES: [(&str, &str); 7] = [
    ("GET", "/stats"),
    ("GET", "/health"),
    ("GET", "/hit-rate"),
    ("GET", "/metrics"),
    ("GET", "/topology"),
    ("POST", "/clear"),
    ("POST", "/reset-stats"),
];

fn memory() -> Cache {
    Cache::builder().build().unwrap()
}

#[tokio::test]
async fn each_level_may_do_what_it_is_for_on_each_route() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        cache.set("kept", &1, 60).await.unwrap();
        for (method, path) in ROUTES {
            let denied = api.ask(method, path, NONE, "{}").await;
            assert_eq!(denied.status, 401, "{path}");
            assert_eq!(denied.field("www-authenticate"), Some("Bearer"));
            let read = api.ask(method, path, READ, "{}").await;
            let expected = if method == "GET" { 200 } else { 403 };
            assert_eq!(read.status, expected, "{path}");
            if method == "POST" {
                assert!(error(&read).contains("`Access::Admin`"), "{}", read.body);
            }
        }
        assert!(
            cache.exists("kept").await.unwrap(),
            "refusals change nothing"
        );
        for (method, path) in ROUTES {
            let done = api.ask(method, path, ADMIN, "{}").await;
            assert_eq!(done.status, 200, "{path}");
        }
        assert!(!cache.exists("kept").await.unwrap());
    })
    .await;
}

/// A browser sends the cookie of an administrator with the request of another site.
#[tokio::test]
async fn a_change_of_another_site_is_refused() {
    let cache = memory();
    let api = Api::of(&cache).await;
    cache.set("kept", &1, 60).await.unwrap();
    let sites: [&[&str]; 6] = [
        &[],
        &["cross-site"],
        &["same-site"],
        &["none"],
        &[""],
        &["same-origin", "cross-site"],
    ];
    for path in ["/clear", "/reset-stats"] {
        for site in sites {
            let mut fields = vec![("x-access", "admin")];
            fields.extend(site.iter().map(|site| ("sec-fetch-site", *site)));
            let refused = api.ask("POST", path, &fields, "{}").await;
            assert_eq!(refused.status, 403, "{site:?}");
            assert!(error(&refused).contains("Sec-Fetch-Site"));
            // A browser adds these by itself, for any site.
            for authorization in ["Basic YTpi", "Bearer", "Negotiate a"] {
                let mut fields = fields.clone();
                fields.push(("authorization", authorization));
                let refused = api.ask("POST", path, &fields, "{}").await;
                assert_eq!(refused.status, 403, "{site:?} {authorization}");
            }
        }
    }
    assert!(cache.exists("kept").await.unwrap());
    let fields = [("x-access", "admin"), ("authorization", "bearer t")];
    let done = api.ask("POST", "/clear", &fields, "{}").await;
    assert_eq!(done.status, 200, "no site can send a token by itself");
    assert!(!cache.exists("kept").await.unwrap());
}

#[tokio::test]
async fn a_token_opens_every_route() {
    let token = bearer("c5f1-token").unwrap();
    let api = Api::serve(admin(memory()).access(token)).await;
    for (method, path) in ROUTES {
        let right = [("authorization", "Bearer c5f1-token")];
        assert_eq!(api.ask(method, path, &right, "{}").await.status, 200);
    }
    for wrong in ["Bearer c5f1-tokem", "Basic c5f1-token", "c5f1-token"] {
        let wrong = [("authorization", wrong)];
        assert_eq!(api.ask("GET", "/stats", &wrong, "").await.status, 401);
    }
    let twice = [("authorization", "Bearer c5f1-token"); 2];
    assert_eq!(api.ask("GET", "/stats", &twice, "").await.status, 401);
}

fn with_token(token: &str) -> Parts {
    let request = Request::builder().header("authorization", format!("Bearer {token}"));
    request.body(()).unwrap().into_parts().0
}

#[tokio::test]
async fn a_wrong_token_of_any_length_is_denied() {
    let right = "0123456789abcdef0123456789abcdef";
    let token = bearer(right).unwrap();
    assert_eq!(token(with_token(right)).await, Access::Admin);
    let thrice = right.repeat(3);
    for length in (0..thrice.len()).filter(|length| *length != right.len()) {
        // Each of these agrees with the token as far as both go.
        let access = token(with_token(&thrice[..length])).await;
        assert_eq!(access, Access::Denied, "{length}");
    }
    for at in 0..right.len() {
        let mut wrong = right.to_owned();
        wrong.replace_range(at..=at, "x");
        assert_eq!(token(with_token(&wrong)).await, Access::Denied, "{wrong}");
    }
}

#[test]
fn a_token_that_would_leave_the_service_open_or_useless_is_refused() {
    let unset = bearer_env("CACHE_ADMIN_TOKEN_THAT_IS_NOT_SET")
        .err()
        .unwrap();
    assert!(matches!(&unset, CacheError::InvalidVariable { .. }));
    assert_eq!(
        unset.to_string(),
        "the environment variable CACHE_ADMIN_TOKEN_THAT_IS_NOT_SET is empty or isn't set; set a random token, such as the output of `openssl rand -hex 32`"
    );
    for useless in ["", " ", "a b", "a\n", "é"] {
        let error = bearer(useless).err().unwrap();
        let CacheError::InvalidOption { option, reason } = &error else {
            panic!("{error}");
        };
        assert_eq!(*option, "bearer");
        assert!(reason.starts_with("the token "), "{reason}");
        assert!(!reason.contains(useless) || useless.len() < 2, "a secret");
    }
}

#[tokio::test]
async fn the_token_of_a_variable_is_that_of_the_environment() {
    // Cargo sets it for every test.
    let expected = std::env::var("CARGO_PKG_NAME").unwrap();
    let token = bearer_env("CARGO_PKG_NAME").unwrap();
    assert_eq!(token(with_token(&expected)).await, Access::Admin);
    assert_eq!(token(with_token("")).await, Access::Denied);
}

/// The function of the rights sees the path below the mount, and may wait.
#[tokio::test]
async fn rights_can_depend_on_the_path() {
    let open_health = admin(memory()).access(|parts| async move {
        tokio::task::yield_now().await;
        match parts.uri.path() {
            "/health" => Access::Read,
            _ => Access::Denied,
        }
    });
    let app = Router::new().nest_service("/deep/admin/cache", open_health);
    let api = Api::start(app).await;
    assert_eq!(api.ask("GET", "/health", &[], "").await.status, 200);
    assert_eq!(api.ask("GET", "/stats", &[], "").await.status, 401);
}
