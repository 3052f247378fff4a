//! URLs whose user has no password. The client would send no `AUTH` at all, and act as `default`, with all rights.

use cache_runtime::{Cache, CacheBuilder, CacheError};
use tests::RedisServer;

/// What `build` says of it.
fn refusal(builder: CacheBuilder) -> CacheError {
    let error = builder.build().expect_err("it is refused");
    let text = format!("{error} {error:?}");
    assert!(!text.contains("reader"), "{text}");
    error
}

/// Users without a password, as they are written and as an unset variable leaves them.
const URLS: [&str; 6] = [
    "redis://reader@127.0.0.1:1",
    "redis://reader:@127.0.0.1:1",
    "redis://reader:@127.0.0.1:1/2",
    "valkey://reader@127.0.0.1:1",
    "rediss://reader:@127.0.0.1:1",
    "redis+unix:///tmp/none?user=reader",
];

#[test]
fn a_user_without_a_password_is_refused_wherever_a_url_is_taken() {
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
fn a_login_of_a_master_needs_both_parts() {
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
fn a_password_alone_and_neither_of_both_are_taken() {
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

/// What the refusal is about: the user may do nothing, and everything is done.
#[tokio::test]
async fn nothing_is_stored_with_the_rights_of_another_user() {
    let server = RedisServer::start();
    let mut admin = server.connect();
    for rule in ["on", "resetkeys", "-@all"] {
        let mut request = redis::cmd("ACL");
        request.arg("SETUSER").arg("nobody").arg(rule);
        request.exec(&mut admin).unwrap();
    }
    let url = format!("redis://nobody@127.0.0.1:{}", server.port());
    assert!(Cache::builder().redis(url).build().is_err());
}
