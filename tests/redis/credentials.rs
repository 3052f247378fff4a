//! URLs whose user has no password. The client would send no `AUTH` at all and act as `default`,
//! with all rights.

use cache_runtime::{Cache, CacheBuilder, CacheError};
use tests::RedisServer;

/// Return the error of `build`.
fn refusal(builder: CacheBuilder) -> CacheError {
    let error = builder.build().expect_err("the URL is refused");
    let text = format!("{error} {error:?}");
    assert!(!text.contains("reader"), "{text}");
    error
}

/// URLs whose user has no password: as written, and as an unset variable leaves them.
const URLS: [&str; 6] = [
    "redis://reader@127.0.0.1:1",
    "redis://reader:@127.0.0.1:1",
    "redis://reader:@127.0.0.1:1/2",
    "valkey://reader@127.0.0.1:1",
    "rediss://reader:@127.0.0.1:1",
    "redis+unix:///tmp/none?user=reader",
];

#[test]
fn every_option_that_takes_a_url_refuses_a_user_without_a_password() {
    for url in URLS {
        let error = refusal(Cache::builder().redis(url));
        assert!(matches!(error, CacheError::InvalidUrl { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("user:password@"), "{text}");
        assert!(text.contains("`default`"), "{text}");
    }
    let good = "redis://:secret@127.0.0.1:1";
    for url in &URLS[..5] {
        refusal(Cache::builder().redis_cluster([*url]));
        refusal(Cache::builder().redis_cluster([good, *url]));
        let master = "mymaster";
        refusal(Cache::builder().redis_sentinel([*url], master));
        refusal(Cache::builder().redis_sentinel([good, *url], master));
    }
}

#[test]
fn master_login_refuses_an_empty_user_or_password() {
    let master = || Cache::builder().redis_sentinel(["redis://127.0.0.1"], "mymaster");
    for (user, password) in [("reader", ""), ("", "reader"), ("", "")] {
        let error = refusal(master().master_login(user, password));
        assert!(
            matches!(
                error,
                CacheError::InvalidOption {
                    option: "master_login",
                    ..
                }
            ),
            "{error:?}"
        );
    }
    assert!(master().master_login("reader", "secret").build().is_ok());
}

#[test]
fn urls_with_a_password_alone_or_without_credentials_are_accepted() {
    for url in [
        "redis://:secret@127.0.0.1:1",
        "redis://127.0.0.1:1",
        "redis://:@127.0.0.1:1",
        "redis://reader:secret@127.0.0.1:1",
        "redis://reader:%20@127.0.0.1:1",
    ] {
        assert!(Cache::builder().redis(url).build().is_ok(), "{url}");
    }
}

/// The user has no rights. Without the refusal, the cache would act with all rights.
#[tokio::test]
async fn a_user_without_a_password_never_acts_as_the_default_user() {
    let server = RedisServer::start();
    let mut admin = server.connect();
    for rule in ["on", "resetkeys", "-@all"] {
        let mut request = redis::cmd("ACL");
        request.arg("SETUSER").arg("powerless").arg(rule);
        request.exec(&mut admin).unwrap();
    }
    let url = format!("redis://powerless@127.0.0.1:{}", server.port());
    assert!(Cache::builder().redis(url).build().is_err());
}
