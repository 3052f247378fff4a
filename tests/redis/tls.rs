//! Redis over TLS, with authorities and certificates created by the tests.

use std::process::Command;

use cache_runtime::{Cache, CacheBuilder, CacheError, cacheable, invalidate};
use tests::{Authority, PATIENCE, RedisServer, Runs, Sentinels};

#[cacheable(key = "doubled:<<id>>", skip(runs))]
async fn doubled(runs: &Runs, id: u32) -> u32 {
    runs.next();
    id * 2
}

#[invalidate(patterns = ["doubled:<<id>>"])]
async fn forget(id: u32) {
    let _ = id;
}

fn server_of(authority: &Authority, names: &[&str], clients: &str) -> RedisServer {
    let options = authority.server_options(names, clients);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    RedisServer::start_with(&options)
}

fn cache_at(server: &RedisServer) -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .redis(format!("rediss://127.0.0.1:{}", server.port()))
        .response_timeout(PATIENCE)
}

/// Assert a miss, a hit, an invalidation and another miss.
async fn works(cache: &Cache) {
    let runs = Runs::default();
    let calls = async {
        assert_eq!(doubled(&runs, 1).await, 2);
        assert_eq!(doubled(&runs, 1).await, 2);
        forget(1).await;
        assert_eq!(doubled(&runs, 1).await, 2);
    };
    cache.scope(calls).await;
    assert_eq!(runs.count(), 2);
    assert_eq!(cache.stats().errors, 0);
    assert_eq!(cache.delete_pattern("doubled:*").await.unwrap(), 1);
    cache.health_check().await.unwrap();
}

/// Assert that the function returns its value, and that the health check names the cause.
async fn fails_for(cache: &Cache, reason: &str) {
    assert_eq!(cache.scope(doubled(&Runs::default(), 1)).await, 2);
    let error = cache.health_check().await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(reason), "{shown}");
}

#[tokio::test]
async fn attributes_work_over_tls() {
    let authority = Authority::new("ours");
    let server = server_of(&authority, &["127.0.0.1"], "no");
    works(&cache_at(&server).tls_ca(authority.pem()).build().unwrap()).await;
    // Several authorities may be trusted, such as an old one and a new one during a change.
    let both = authority.pem() + &Authority::new("theirs").pem();
    works(&cache_at(&server).tls_ca(both).build().unwrap()).await;
}

#[tokio::test]
async fn a_server_certificate_of_an_unknown_authority_is_not_trusted() {
    let authority = Authority::new("ours");
    let server = server_of(&authority, &["127.0.0.1"], "no");
    let theirs = Authority::new("theirs").pem();
    let cache = cache_at(&server).tls_ca(theirs).build().unwrap();
    fails_for(&cache, "UnknownIssuer").await;
    // The system's authorities don't know it either.
    fails_for(&cache_at(&server).build().unwrap(), "certificate").await;
}

#[tokio::test]
async fn a_server_certificate_for_another_name_is_not_trusted() {
    let authority = Authority::new("ours");
    let server = server_of(&authority, &["redis.internal"], "no");
    let cache = cache_at(&server).tls_ca(authority.pem()).build().unwrap();
    fails_for(&cache, "not valid for name").await;
}

#[tokio::test]
async fn the_client_certificate_is_sent_to_a_server_that_requires_one() {
    let authority = Authority::new("ours");
    let server = server_of(&authority, &["127.0.0.1"], "yes");
    let builder = || cache_at(&server).tls_ca(authority.pem());
    let cache = builder().build().unwrap();
    fails_for(&cache, "tls_client_certificate").await;
    let ours = authority.identity(&["quickpost"]);
    let cache = builder()
        .tls_client_certificate(ours.certificate, ours.key)
        .build()
        .unwrap();
    works(&cache).await;
    let theirs = Authority::new("theirs").identity(&["quickpost"]);
    let cache = builder()
        .tls_client_certificate(theirs.certificate, theirs.key)
        .build()
        .unwrap();
    fails_for(&cache, "tls_client_certificate").await;
}

#[tokio::test]
async fn sentinels_and_master_are_reached_over_tls() {
    let authority = Authority::new("ours");
    let server = server_of(&authority, &["127.0.0.1"], "no");
    let options = authority.server_options(&["127.0.0.1"], "no");
    let lines: String = options
        .chunks(2)
        .map(|option| format!("{} {}\n", option[0].trim_start_matches('-'), option[1]))
        .collect();
    let sentinels = Sentinels::one(server.port(), &format!("{lines}tls-replication yes\n"));
    let urls = sentinels.urls();
    let urls = urls.iter().map(|url| url.replace("redis://", "rediss://"));
    let cache = Cache::builder()
        .prefix("app")
        .redis_sentinel(urls, Sentinels::MASTER)
        .tls_ca(authority.pem())
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    works(&cache).await;
}

/// The authority's certificate, passed to the same test in a child process. The environment belongs
/// to the whole process, so a test that shares its process with others can't change it; running the
/// test itself keeps both halves in one place.
const CHILD: &str = "TESTS_TLS_CA";

#[tokio::test]
async fn the_environment_configures_tls() {
    if let Ok(pem) = std::env::var(CHILD) {
        let builder = CacheBuilder::from_env().unwrap().tls_ca(pem);
        works(&builder.response_timeout(PATIENCE).build().unwrap()).await;
        return;
    }
    let authority = Authority::new("ours");
    let server = server_of(&authority, &["127.0.0.1"], "no");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["tls::the_environment_configures_tls", "--exact"])
        .env(CHILD, authority.pem())
        .env("REDIS_URL", format!("rediss://127.0.0.1:{}", server.port()))
        .env("CACHE_KEY_PREFIX", "app")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
fn a_malformed_certificate_or_key_is_refused_and_the_error_names_the_option() {
    let authority = Authority::new("ours");
    let (ours, other) = (authority.identity(&["a"]), authority.identity(&["b"]));
    let builder = || Cache::builder().redis("rediss://localhost");
    let broken = ours.certificate.replace("M", "!");
    for pem in ["", "no pem", &ours.key, &broken] {
        refused(builder().tls_ca(pem), "tls_ca", pem);
    }
    for (certificate, key) in [
        ("", &*ours.key),
        (&*ours.certificate, ""),
        (&*ours.certificate, &*ours.certificate),
        (&*ours.key, &*ours.key),
        (&*ours.certificate, &*other.key),
    ] {
        let builder = builder().tls_client_certificate(certificate, key);
        refused(builder, "tls_client_certificate", key);
    }
    // Checked for a URL without TLS too: the URL may change.
    let plain = Cache::builder().redis("redis://localhost").tls_ca("no pem");
    refused(plain, "tls_ca", "no pem");
}

fn refused(builder: CacheBuilder, option: &str, secret: &str) {
    let shown = format!("{builder:?}");
    let error = builder.build().unwrap_err();
    assert!(
        matches!(error, CacheError::InvalidOption { option: named, .. } if named == option),
        "{error}"
    );
    let shown = format!("{shown} {error} {error:?}");
    for line in secret.lines().filter(|line| line.len() > 20) {
        assert!(!shown.contains(line), "{shown}");
    }
}

#[test]
fn a_url_that_disables_certificate_checks_is_refused() {
    for url in [
        "rediss://:sesame@host#insecure",
        "rediss://:sesame@host/0#insecure",
    ] {
        let error = Cache::builder().redis(url).build().unwrap_err();
        assert!(matches!(error, CacheError::InvalidUrl { .. }), "{error}");
        assert!(error.to_string().contains("tls_ca"), "{error}");
        let error = Cache::builder().redis_sentinel([url], "mymaster").build();
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("tls_ca") && !error.contains("sesame"),
            "{error}"
        );
    }
}
