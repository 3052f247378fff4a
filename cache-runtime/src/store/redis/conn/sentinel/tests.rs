use crate::store::redis::conn::sentinel::*;

fn refusal(urls: &[&str], master: &str) -> String {
    let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
    match Sentinel::new(&urls, master, &ConnectOptions::default(), Duration::ZERO) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{urls:?} are accepted"),
    }
}

#[test]
fn errors_of_sentinel_urls_name_the_sentinel_and_the_cause() {
    assert!(refusal(&[], "mymaster").contains("no URL"));
    for name in ["", " "] {
        assert!(refusal(&["redis://a"], name).contains("name is empty"));
    }
    let second = refusal(&["redis://a", "http://:sesame@b"], "mymaster");
    assert!(second.contains("sentinel 2 of 2"), "{second}");
    assert!(!second.contains("sesame"), "{second}");
    let database = refusal(&["redis://a/2"], "mymaster");
    assert!(database.contains("master_database"), "{database}");
}

#[test]
#[cfg(feature = "tls")]
fn sentinels_with_and_without_tls_cannot_be_mixed() {
    let mixed = refusal(&["redis://a", "rediss://b"], "mymaster");
    assert!(mixed.contains("use rediss:// in all"), "{mixed}");
}

#[test]
fn a_sentinel_without_a_port_uses_the_default_port() {
    for (url, port) in [
        ("redis://a", PORT),
        ("redis://user:1234@a", PORT),
        ("redis://user:1@2@a:5", 5),
        ("redis://a:", PORT),
        ("redis://a:6379", 6_379),
        ("redis://[::1]", PORT),
        ("redis://[::1]:7/", 7),
        ("redis://a/?protocol=resp2", PORT),
    ] {
        let urls = [url.to_owned()];
        let sentinel = Sentinel::new(
            &urls,
            "mymaster",
            &ConnectOptions::default(),
            Duration::ZERO,
        );
        let sentinel = sentinel.unwrap_or_else(|error| panic!("{url}: {error}"));
        let ConnectionAddr::Tcp(_, found) = *sentinel.sentinels[0].get_connection_info().addr()
        else {
            panic!("{url}");
        };
        assert_eq!(found, port, "{url}");
    }
}
