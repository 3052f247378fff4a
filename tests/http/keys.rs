//! Which requests share a page.

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::routing::get;
use cache_http::{CacheLayer, page};
use cache_runtime::{Cache, topology};
use tests::on_both_stores;

use crate::support::{Count, app, counting, fetch, fetch_with};

fn layer(cache: &Cache) -> CacheLayer {
    CacheLayer::new(page!("keys")).ttl(60).cache(cache)
}

async fn bodies(app: &Router, uris: &[&str]) -> Vec<String> {
    let mut bodies = Vec::new();
    for uri in uris {
        bodies.push(fetch(app, uri).await.body);
    }
    bodies
}

#[tokio::test]
async fn a_query_in_another_order_is_the_same_and_other_pairs_are_not() {
    on_both_stores(|cache| async move {
        let (app, _) = counting("/", layer(&cache));
        let uris = [
            "/?a=1&b=2",
            "/?b=2&a=1",
            "/?a=1",
            "/?a=1&b=",
            "/?a=1&b",
            "/?a=1%26b=2",
        ];
        let found = bodies(&app, &uris).await;
        assert_eq!(
            found,
            ["run 1", "run 1", "run 2", "run 3", "run 4", "run 5"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_layer_can_choose_the_pairs() {
    let cache = Cache::builder().build().unwrap();
    let (only, _) = counting("/", layer(&cache).query(["q", "page"]));
    let found = bodies(&only, &["/?q=a&utm_source=x", "/?q=a&session=1", "/?q=b"]).await;
    assert_eq!(found, ["run 1", "run 1", "run 2"]);
    let (except, _) = counting("/", layer(&cache).version(1).ignore_query(["utm_*", "ref"]));
    let found = bodies(
        &except,
        &["/?q=a&utm_source=x&ref=1", "/?q=a", "/?q=a&other=1"],
    )
    .await;
    assert_eq!(found, ["run 1", "run 1", "run 2"]);
}

#[tokio::test]
async fn each_host_has_its_own_page_unless_the_layer_says_no() {
    let cache = Cache::builder().build().unwrap();
    let (app, _) = counting("/", layer(&cache));
    let one = fetch_with(&app, "/", &[("host", "one.example")]).await.body;
    let other = fetch_with(&app, "/", &[("host", "other.example")])
        .await
        .body;
    let same = fetch_with(&app, "/", &[("host", "ONE.example:80")])
        .await
        .body;
    assert_eq!((&*one, &*other, &*same), ("run 1", "run 2", "run 1"));
    // HTTP/2 has the host in the target.
    let two = fetch(&app, "http://one.example/").await.body;
    assert_eq!(two, one);
    let (all, _) = counting("/", layer(&cache).version(1).host(false));
    fetch_with(&all, "/", &[("host", "one.example")]).await;
    assert!(
        fetch_with(&all, "/", &[("host", "other.example")])
            .await
            .is_hit()
    );
}

fn by_slug(cache: &Cache) -> (Router, Count) {
    let count = Count::default();
    let runs = count.clone();
    let handler = move |Path(slug): Path<String>| async move { format!("{slug} {}", runs.next()) };
    let layer = CacheLayer::new(page!("posts:<<slug>>:page"))
        .ttl(60)
        .cache(cache);
    (app("/posts/{slug}", get(handler), layer), count)
}

#[tokio::test]
async fn a_path_parameter_is_decoded_and_escaped() {
    on_both_stores(|cache| async move {
        let (app, _) = by_slug(&cache);
        let found = bodies(
            &app,
            &["/posts/a", "/posts/a%2Fb", "/posts/a:b", "/posts/*"],
        )
        .await;
        assert_eq!(found, ["a 1", "a/b 2", "a:b 3", "* 4"]);
        assert_eq!(cache.delete_pattern("posts:%2A:*").await.unwrap(), 1);
        assert_eq!(cache.delete_pattern("posts:a:*").await.unwrap(), 1);
        assert_eq!(cache.delete_pattern("posts:a/b:*").await.unwrap(), 1);
        assert_eq!(cache.delete_pattern("posts:a%3Ab:page").await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn text_that_is_not_utf8_bypasses_the_cache_and_is_not_shared() {
    let cache = Cache::builder().build().unwrap();
    let (app, _) = counting("/{*rest}", layer(&cache));
    for uri in ["/a%FF", "/a%zz", "/a?x=%FF"] {
        for _ in 0..2 {
            assert_eq!(fetch(&app, uri).await.cache(), "fwd=bypass", "{uri}");
        }
    }
}

#[tokio::test]
async fn an_unnamed_path_parameter_separates_pages_that_one_pattern_removes() {
    on_both_stores(|cache| async move {
        let (app, _) = counting("/{section}/{page}", layer(&cache));
        let found = bodies(&app, &["/a/1", "/a/2", "/b/1", "/a/1"]).await;
        assert_eq!(found, ["run 1", "run 2", "run 3", "run 1"]);
        assert_eq!(cache.delete_pattern("keys").await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_field_that_the_layer_names_separates_pages_and_is_sent_on() {
    on_both_stores(|cache| async move {
        let (app, _) = counting("/", layer(&cache).vary(["accept-language"]));
        let german = fetch_with(&app, "/", &[("accept-language", "de")]).await;
        let english = fetch_with(&app, "/", &[("accept-language", "en")]).await;
        assert_eq!((&*german.body, &*english.body), ("run 1", "run 2"));
        assert_eq!(german.field("vary"), Some("accept-language"));
        let again = fetch_with(&app, "/", &[("accept-language", "de")]).await;
        assert_eq!((again.is_hit(), &*again.body), (true, "run 1"));
    })
    .await;
}

/// The layer wasn't told; the response's `Vary` says it. Whatever was asked before, nobody gets the
/// page of another language.
#[tokio::test]
async fn a_field_that_only_the_response_names_is_learned() {
    on_both_stores(|cache| async move {
        let runs = Count::default();
        let handler = {
            let runs = runs.clone();
            move |headers: HeaderMap| {
                runs.next();
                let language = headers.get("accept-language");
                let language = language
                    .map_or("none", |value| value.to_str().unwrap())
                    .to_owned();
                async move { ([("vary", "Accept-Language")], language) }
            }
        };
        let app = app("/", get(handler), layer(&cache));
        for _ in 0..3 {
            for language in ["de", "en", "fr"] {
                let answer = fetch_with(&app, "/", &[("accept-language", language)]).await;
                assert_eq!(answer.body, language);
            }
            assert_eq!(fetch(&app, "/").await.body, "none");
        }
        // The first response taught the layer; then each language ran once.
        assert_eq!(runs.get(), 5);
    })
    .await;
}

#[tokio::test]
async fn pages_by_url_are_below_http() {
    let cache = Cache::builder().build().unwrap();
    let (app, _) = counting("/a/{b}", CacheLayer::by_url().ttl(60).cache(&cache));
    fetch(&app, "/a/x").await;
    fetch(&app, "/a/y").await;
    assert!(fetch(&app, "/a/x").await.is_hit());
    assert_eq!(cache.delete_pattern("http:a:x").await.unwrap(), 1);
    assert_eq!(cache.delete_pattern("http:a:*").await.unwrap(), 1);
}

/// Each of the nested routers sees `/x` only.
#[tokio::test]
async fn pages_by_url_of_nested_routers_are_apart() {
    let cache = Cache::builder().build().unwrap();
    let layer = CacheLayer::by_url().ttl(60).cache(&cache);
    let (one, _) = counting("/x", layer.clone());
    let (other, _) = counting("/x", layer);
    let app = Router::new().nest("/one", one).nest("/other", other);
    fetch(&app, "/one/x").await;
    assert!(!fetch(&app, "/other/x").await.is_hit());
    assert_eq!(cache.delete_pattern("http:one:x").await.unwrap(), 1);
    assert_eq!(cache.delete_pattern("http:other:*").await.unwrap(), 1);
}

#[tokio::test]
async fn a_parameter_that_the_route_does_not_have_leaves_it_uncached() {
    let cache = Cache::builder().build().unwrap();
    let layer = CacheLayer::new(page!("posts:<<slug>>:page"))
        .ttl(60)
        .cache(&cache);
    let (app, _) = counting("/posts/{id}", layer);
    for _ in 0..2 {
        assert_eq!(fetch(&app, "/posts/1").await.cache(), "fwd=bypass");
    }
}

#[test]
fn pages_are_part_of_the_topology() {
    let topology = topology();
    let template = "posts:<<slug>>:page";
    let mut pages = topology.reads.iter();
    assert!(pages.any(|read| read.template == template && read.function == template));
}

#[tokio::test]
async fn values_that_a_template_names_and_that_cannot_be_read_leave_the_request_uncached() {
    let cache = Cache::builder().build().unwrap();
    let template = page!("named:<<query.page>>:<<header.x-theme>>:<<cookie.theme>>");
    let layer = CacheLayer::new(template).ttl(60).cache(&cache);
    let (app, _) = counting("/", layer);
    for _ in 0..2 {
        assert_eq!(fetch(&app, "/?page=1&page=2").await.cache(), "fwd=bypass");
        let mut request = crate::support::request("GET", "/?page=1", &[]);
        let bytes = axum::http::HeaderValue::from_bytes(b"caf\xE9").unwrap();
        request.headers_mut().insert("x-theme", bytes.clone());
        let answer = crate::support::send(&app, request).await;
        assert_eq!(answer.cache(), "fwd=bypass");
        // Of two values, the handler may take the other one.
        for cookie in ["theme=a; theme=b", "theme=a; other=b"] {
            let answer = fetch_with(&app, "/", &[("cookie", cookie)]).await;
            assert!(
                answer.cache().starts_with("fwd=bypass"),
                "{}",
                answer.cache()
            );
        }
    }
    // None, and an empty one.
    let found = bodies(&app, &["/", "/?page=", "/?page", "/?page=%25none"]).await;
    assert_eq!(fetch(&app, "/").await.body, found[0]);
    assert_ne!(found[0], found[1]);
    assert_ne!(found[0], found[3]);
}
