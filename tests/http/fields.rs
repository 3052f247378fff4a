//! Fields that handlers and upstreams send, and those that requests vary by.

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::Cache;
use tests::{on_both_stores, on_both_stores_with};

use crate::support::{Answer, Count, app, fetch, fetch_with, request, send, with_fields};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("fields")).ttl(60).cache(cache)
}

/// A page that depends on two fields of the request, which `vary` names.
fn by_two(cache: &Cache, vary: &'static [&'static str]) -> (Router, Count) {
    let runs = Count::default();
    let counted = runs.clone();
    let handler = move |headers: HeaderMap| async move {
        counted.next();
        let mut fields = HeaderMap::new();
        for line in vary {
            fields.append("vary", HeaderValue::from_static(line));
        }
        let text = |name| {
            headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let language: Vec<_> = text("accept-language").collect();
        let theme: Vec<_> = text("x-theme").collect();
        (
            fields,
            format!("{} {}", language.join("|"), theme.join("|")),
        )
    };
    (app("/", get(handler), layer(cache)), runs)
}

#[tokio::test]
async fn all_lines_of_vary_count() {
    on_both_stores(|cache| async move {
        let (app, runs) = by_two(&cache, &["accept-language", "X-Theme"]);
        for _ in 0..3 {
            for language in ["de", "en"] {
                for theme in ["dark", "light"] {
                    let fields = [("accept-language", language), ("x-theme", theme)];
                    let answer = fetch_with(&app, "/", &fields).await;
                    assert_eq!(answer.body, format!("{language} {theme}"));
                }
            }
        }
        assert_eq!(runs.get(), 5, "the first run tells the layer");
    })
    .await;
}

#[tokio::test]
async fn a_varying_field_in_two_lines_is_not_that_of_one_line() {
    on_both_stores(|cache| async move {
        let (app, _) = by_two(&cache, &["accept-language, x-theme"]);
        let requests: [&[(&str, &str)]; 6] = [
            &[("accept-language", "de"), ("accept-language", "en")],
            &[("accept-language", "en"), ("accept-language", "de")],
            &[("accept-language", "de")],
            &[("accept-language", "")],
            &[],
            &[("x-theme", "de"), ("x-theme", "en")],
        ];
        let expected = ["de|en ", "en|de ", "de ", " ", " ", " de|en"];
        for _ in 0..3 {
            for (fields, expected) in requests.iter().zip(expected) {
                assert_eq!(fetch_with(&app, "/", fields).await.body, expected);
            }
        }
    })
    .await;
}

/// Each has a page of its own, so the pages must not fill the memory.
#[tokio::test]
async fn a_thousand_user_agents_take_no_more_memory_than_the_cache_has() {
    let capacity = 256 << 10;
    let configure = |builder: cache_runtime::CacheBuilder| builder.memory_capacity(capacity);
    on_both_stores_with(configure, |cache| async move {
        let handler = |headers: HeaderMap| async move {
            let agent = headers["user-agent"].to_str().unwrap();
            ([("vary", "user-agent")], format!("{agent:>2000}"))
        };
        let app = app("/", get(handler), layer(&cache));
        for nth in 0..1_000 {
            let agent = format!("agent/{nth}");
            for _ in 0..2 {
                let answer = fetch_with(&app, "/", &[("user-agent", &agent)]).await;
                assert_eq!(answer.body.trim_start(), agent);
            }
        }
        let stats = cache.stats();
        assert!(stats.bytes <= capacity as u64, "{} bytes", stats.bytes);
    })
    .await;
}

/// Responses that vary by ever new fields teach the layer a bounded number of them.
#[tokio::test]
async fn a_thousand_names_in_vary_are_not_all_remembered() {
    let cache = Cache::builder().build().unwrap();
    let runs = Count::default();
    let handler = move |headers: HeaderMap| async move {
        let run = runs.next();
        let value = headers
            .get("x-1")
            .map_or("none", |value| value.to_str().unwrap());
        ([("vary", format!("x-1, x-{run}"))], value.to_owned())
    };
    let app = app("/", get(handler), layer(&cache));
    for nth in 0..1_000 {
        let value = format!("{}", nth % 3);
        let answer = fetch_with(&app, "/", &[("x-1", &value)]).await;
        assert_eq!(answer.body, value);
        let vary = answer.field("vary").unwrap();
        assert!(vary.split(',').count() <= 32, "{vary}");
    }
}

#[tokio::test]
async fn fields_that_connection_names_are_for_one_connection() {
    on_both_stores(|cache| async move {
        let fields = &[
            ("connection", "x-foo, X-Bar"),
            ("connection", "x-baz"),
            ("x-foo", "1"),
            ("x-bar", "1"),
            ("x-baz", "1"),
            ("x-kept", "1"),
            ("proxy-authenticate", "Basic"),
            ("te", "trailers"),
        ];
        let (app, _) = with_fields(layer(&cache), fields);
        fetch(&app, "/").await;
        let hit = fetch(&app, "/").await;
        assert!(hit.is_hit());
        for name in [
            "connection",
            "x-foo",
            "x-bar",
            "x-baz",
            "proxy-authenticate",
            "te",
        ] {
            assert_eq!(hit.field(name), None, "{name}");
        }
        assert_eq!(hit.field("x-kept"), Some("1"));
    })
    .await;
}

#[tokio::test]
async fn bytes_that_are_not_ascii_come_back_as_they_were() {
    on_both_stores(|cache| async move {
        let handler = || async {
            let mut fields = HeaderMap::new();
            let value = HeaderValue::from_bytes(b"caf\xE9 \x80\xFF").unwrap();
            fields.insert(HeaderName::from_static("x-bytes"), value);
            (fields, "page")
        };
        let app = app("/", get(handler), layer(&cache));
        fetch(&app, "/").await;
        let hit = fetch(&app, "/").await;
        assert!(hit.is_hit());
        assert_eq!(hit.headers["x-bytes"].as_bytes(), b"caf\xE9 \x80\xFF");
    })
    .await;
}

/// The value of a date field, this number of seconds from now.
fn date(seconds: i64) -> String {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let time = match seconds < 0 {
        true => now - distance,
        false => now + distance,
    };
    httpdate::fmt_http_date(time)
}

/// Two requests to a handler that answers with these fields.
async fn twice(cache: &Cache, fields: Vec<(&'static str, String)>) -> [Answer; 2] {
    cache.clear().await.unwrap();
    let handler = move || async move {
        let mut headers = HeaderMap::new();
        for (name, value) in &fields {
            headers.append(*name, value.parse().unwrap());
        }
        (headers, "page")
    };
    let app = app("/", get(handler), layer(cache));
    [fetch(&app, "/").await, fetch(&app, "/").await]
}

#[tokio::test]
async fn the_age_that_an_upstream_names_counts() {
    on_both_stores(|cache| async move {
        let upstream = |age: &str, control: &str| {
            vec![
                ("age", age.to_owned()),
                ("cache-control", control.to_owned()),
            ]
        };
        let [_, hit] = twice(&cache, upstream("30", "max-age=60")).await;
        assert!(hit.is_hit());
        let age: u64 = hit.field("age").unwrap().parse().unwrap();
        assert!((30..40).contains(&age), "{age}");
        assert_eq!(hit.headers.get_all("age").iter().count(), 1);
        let [first, second] = twice(&cache, upstream("60", "max-age=60")).await;
        assert_eq!(
            first.field("age"),
            Some("60"),
            "the handler's answer, as it is"
        );
        assert!(!second.is_hit(), "it was stale when it came");
        // A number too large for any type is a very old page.
        let [_, second] = twice(&cache, upstream("99999999999999999999", "max-age=60")).await;
        assert!(!second.is_hit());
    })
    .await;
}

#[tokio::test]
async fn dates_of_another_clock_do_not_make_a_page_immortal_or_stale() {
    on_both_stores(|cache| async move {
        let is_hit = async |fields: &[(&'static str, i64)], control: &str| {
            let mut fields: Vec<_> = fields.iter().map(|(name, at)| (*name, date(*at))).collect();
            if !control.is_empty() {
                fields.push(("cache-control", control.to_owned()));
            }
            twice(&cache, fields).await[1].is_hit()
        };
        assert!(
            is_hit(&[("date", 3_600)], "max-age=60").await,
            "its clock is ahead"
        );
        assert!(is_hit(&[("date", 3_600), ("expires", 3_660)], "").await);
        assert!(
            !is_hit(&[("date", -3_600)], "max-age=60").await,
            "an hour old"
        );
        assert!(!is_hit(&[("date", -3_600), ("expires", -3_540)], "").await);
        assert!(!is_hit(&[("expires", -1)], "").await);
        assert!(
            is_hit(&[("expires", -1)], "max-age=60").await,
            "`max-age` comes first"
        );
        assert!(
            !is_hit(&[("date", 3_600), ("expires", 1_800)], "").await,
            "expired when sent"
        );
    })
    .await;
}

#[tokio::test]
async fn a_date_is_that_of_the_response_and_not_of_the_answer() {
    on_both_stores(|cache| async move {
        let sent = date(-10);
        let [_, hit] = twice(&cache, vec![("date", sent.clone())]).await;
        assert!(hit.is_hit());
        assert_eq!(hit.field("date"), Some(&*sent));
        let age: u64 = hit.field("age").unwrap().parse().unwrap();
        assert!((10..20).contains(&age), "{age}");
    })
    .await;
}

#[tokio::test]
async fn a_no_store_beside_what_cannot_be_read_is_obeyed() {
    on_both_stores(|cache| async move {
        for control in [
            "max-age=abc, no-store",
            "no-store, max-age=99999999999999999999",
            "max-age=\"60, no-store",
            "max-age=60;no-store",
            "NO-STORE",
            "max-age=60 no-store",
            "public, max-age=60, foo=\"bar\\\", no-store",
        ] {
            let [_, second] = twice(&cache, vec![("cache-control", control.to_owned())]).await;
            assert!(!second.is_hit(), "{control}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_part_needs_the_tag_or_the_date_of_the_page() {
    on_both_stores(|cache| async move {
        let modified = "Fri, 01 May 2020 10:00:00 GMT";
        let fields = &[
            ("etag", "\"v1\""),
            ("last-modified", "Fri, 01 May 2020 10:00:00 GMT"),
        ];
        let (app, runs) = with_fields(layer(&cache), fields);
        fetch(&app, "/").await;
        let ask = async |range: &str, condition: Option<&str>| {
            let mut fields = vec![("range", range)];
            fields.extend(condition.map(|condition| ("if-range", condition)));
            let answer = fetch_with(&app, "/", &fields).await;
            (answer.status.as_u16(), answer.body)
        };
        let (part, whole) = ((206, "un".to_owned()), (200, "run 1".to_owned()));
        assert_eq!(ask("bytes=1-2", None).await, part);
        assert_eq!(ask("bytes=1-2", Some("\"v1\"")).await, part);
        assert_eq!(ask("bytes=1-2", Some(modified)).await, part);
        assert_eq!(ask("bytes=1-2", Some("W/\"v1\"")).await, whole);
        assert_eq!(ask("bytes=1-2", Some("\"v2\"")).await, whole);
        assert_eq!(
            ask("bytes=1-2", Some("Fri, 01 May 2020 10:00:01 GMT")).await,
            whole
        );
        assert_eq!(ask("bytes=-2", None).await, (206, " 1".to_owned()));
        assert_eq!(ask("bytes=-99", None).await, (206, "run 1".to_owned()));
        assert_eq!(ask("bytes=0-1,3-4", None).await, whole);
        assert_eq!(ask("bytes=5-", None).await.0, 416);
        assert_eq!(ask("bytes=-0", None).await.0, 416);
        for invalid in ["bytes=2-1", "bytes=a-b", "lines=0-1", "bytes=", "bytes=--1"] {
            assert_eq!(ask(invalid, None).await, whole, "{invalid}");
        }
        // A tag that is known comes before the range, and HEAD has no ranges.
        let both = [("range", "bytes=1-2"), ("if-none-match", "\"v1\"")];
        assert_eq!(
            fetch_with(&app, "/", &both).await.status,
            StatusCode::NOT_MODIFIED
        );
        let head = send(&app, request("HEAD", "/", &[("range", "bytes=1-2")])).await;
        assert_eq!(
            (head.status, head.field("content-length")),
            (StatusCode::OK, Some("5"))
        );
        assert_eq!(runs.get(), 1);
    })
    .await;
}
