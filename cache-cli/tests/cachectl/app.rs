//! `--app`: commands through the admin API of a service, whose cache is in its memory.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use cache_http::{Access, admin, bearer};
use cache_runtime::{Cache, CacheError, Warm, cacheable, invalidate, warmer};
use serde_json::{Value, json};
use tests::RedisServer;

use crate::program::{Run, assert_snapshot, bare_with};
use crate::watch::Watching;

const TOKEN: &str = "a-token-that-nobody-sees";

#[cacheable(key = "app:posts:<<id>>", ttl = 600)]
async fn post(id: u32) -> u32 {
    id
}

#[invalidate(patterns = ["app:posts:<<id>>", "app:post:<<id>>"])]
async fn update(id: u32) {}

/// The posts that most people read.
#[warmer("app-popular")]
async fn popular(warm: Warm) {
    warm.each(0..4, post).await;
}

/// A service, and the URL of its admin API.
struct Service {
    cache: Cache,
    url: String,
}

impl Service {
    async fn start() -> Self {
        Self::start_with(bearer(TOKEN).expect("it is a token")).await
    }

    async fn start_with<F, A>(access: F) -> Self
    where
        F: Fn(axum::http::request::Parts) -> A + Send + Sync + 'static,
        A: Future<Output = Access> + Send + 'static,
    {
        let builder = Cache::builder().prefix("quickpost");
        let cache = builder.build().expect("memory builds");
        let api = admin(cache.clone()).access(access);
        let router = Router::new().nest_service("/deep/admin", api);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = tokio::net::TcpListener::bind(any);
        let listener = listener.await.expect("a port is free");
        let at = listener.local_addr().expect("it is bound");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            cache,
            url: format!("http://{at}/deep/admin/"),
        }
    }

    fn run(&self, args: &[&str]) -> Run {
        self.run_with(Some(TOKEN), args)
    }

    fn run_with(&self, token: Option<&str>, args: &[&str]) -> Run {
        let args = [args, &["--app", &self.url]].concat();
        let run = tokio::task::block_in_place(|| {
            bare_with(token.map(|token| ("CACHE_ADMIN_TOKEN", token)), &args)
        });
        let shown = format!("{}{}", run.out, run.err);
        assert!(!shown.contains(TOKEN), "{shown}");
        run
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_in_the_memory_of_a_service_are_seen_and_cleared() -> Result<(), CacheError> {
    let service = Service::start().await;
    let entries = (0..1_234).map(|id| (format!("users:{id}"), id));
    service.cache.set_many(entries, 600).await?;
    service
        .cache
        .scope(async { (post(1).await, post(2).await) })
        .await;
    let shown = service.run(&["ls", "app:posts:*", "--json"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let keys = shown.json()["entries"].as_array().expect("a list").clone();
    let keys: Vec<&str> = keys.iter().filter_map(|one| one["key"].as_str()).collect();
    assert_eq!(keys, ["quickpost:app:posts:1", "quickpost:app:posts:2"]);
    let tree = service.run(&["ls", "--tree", "--json"]).json();
    assert_eq!(tree["entries"], 1_236, "all pages are read");
    let one = service.run(&["get", "app:posts:1", "--json"]).json();
    assert_eq!(
        (&one["kind"], &one["value"], &one["functions"]),
        (&json!("value"), &json!(1), &json!(["cachectl::app::post"]))
    );
    let nothing = service.run(&["get", "app:posts:9"]);
    assert_eq!(
        (nothing.code, &nothing.err[..]),
        (1, "error: nothing is cached at app:posts:9\n")
    );
    let dry = service.run(&["clear", "--function", "cachectl::app::post", "--dry-run"]);
    assert_snapshot("app_clear_dry_run", &dry.out);
    let cleared = service.run(&["clear", "--pattern", "users:*", "--yes"]);
    assert_eq!(
        (cleared.code, &cleared.out[..]),
        (0, "Removed 1234 entries.\n")
    );
    assert!(service.cache.exists("app:posts:1").await?);
    assert!(!service.cache.exists("users:1").await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_functions_and_problems_of_a_service_are_shown() {
    let service = Service::start().await;
    service
        .cache
        .scope(async { (post(1).await, post(1).await) })
        .await;
    service.cache.scope(update(7)).await;
    let stats = service.run(&["stats"]);
    assert_eq!(stats.code, 0, "{}", stats.err);
    let line = stats.out.lines().find(|line| line.contains("app::post"));
    let words: Vec<&str> = line.expect("it is listed").split_whitespace().collect();
    assert_eq!(words, ["cachectl::app::post", "2", "50.0%", "1", "1", "0"]);
    assert!(service.run(&["stats", "--json"]).json()["cache_stats"].is_object());
    let topology = service.run(&["topology"]).out;
    assert!(topology.contains("app:posts:<<id>>"), "{topology}");
    let doctor = service.run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(
        doctor
            .out
            .contains("app:post:<<id>> of cachectl::app::update"),
        "{}",
        doctor.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warmer_of_a_service_is_run() -> Result<(), CacheError> {
    let service = Service::start().await;
    service.cache.add_warmer(popular_warmer())?;
    let listed = service.run(&["warm"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    assert!(
        listed.out.contains("The posts that most people read."),
        "{}",
        listed.out
    );
    let warmed = service.run(&["warm", "app-popular", "--json"]);
    assert_eq!(warmed.code, 0, "{}", warmed.err);
    assert_eq!(warmed.json()["computed"], 4);
    assert!(service.cache.exists("app:posts:3").await?);
    let unknown = service.run(&["warm", "unpopular"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("app-popular"), "{}", unknown.err);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_in_the_memory_of_a_service_are_watched() -> Result<(), CacheError> {
    let service = Service::start().await;
    let file = std::env::temp_dir().join(format!("cachectl-watch-{}", std::process::id()));
    std::fs::write(&file, TOKEN).expect("it is written");
    let path = file.to_str().expect("it is text");
    let mut watching = Watching::begin(&["--json", "--app", &service.url, "--token-file", path]);
    let first = watching.begun(&service.cache).await?;
    let first: Value = serde_json::from_str(&first).expect("each line is JSON");
    assert_eq!(
        (&first["kind"], &first["path"]),
        (&json!("filled"), &json!("begun"))
    );
    std::fs::remove_file(&file).expect("it is removed");
    let code = tokio::task::block_in_place(|| watching.end());
    assert_eq!(code, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_fix() {
    let service = Service::start().await;
    let without = service.run_with(None, &["ls"]);
    assert_eq!(without.code, 1);
    assert!(
        without.err.contains("set CACHE_ADMIN_TOKEN"),
        "{}",
        without.err
    );
    let wrong = service.run_with(Some("wrong"), &["ls"]);
    assert!(
        wrong.err.contains("correct CACHE_ADMIN_TOKEN"),
        "{}",
        wrong.err
    );
    let elsewhere = Service {
        cache: service.cache.clone(),
        url: service.url.replace("/deep/admin/", "/admin"),
    };
    let elsewhere = elsewhere.run(&["ls"]);
    assert!(
        elsewhere.err.contains("no admin API at"),
        "{}",
        elsewhere.err
    );
    let file = std::env::temp_dir().join(format!("cachectl-token-{}", std::process::id()));
    std::fs::write(&file, format!("{TOKEN}\n")).expect("it is written");
    let path = file.to_str().expect("it is text");
    let read = service.run_with(Some("wrong"), &["ls", "--token-file", path]);
    assert_eq!(read.code, 0, "{}", read.err);
    std::fs::remove_file(&file).expect("it is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_values_and_the_graph_of_functions_come_from_the_service() -> Result<(), CacheError> {
    let service = Service::start().await;
    service.cache.set("text", "hello", 600).await?;
    let raw = service.run(&["get", "text", "--raw"]);
    assert_eq!((raw.code, &raw.bytes[..]), (0, &b"\x05hello"[..]));
    let nothing = service.run(&["get", "absent", "--raw"]);
    assert_eq!(nothing.code, 1);
    assert!(nothing.err.contains("nothing is cached"), "{}", nothing.err);
    let graph = service.run(&["topology", "--mermaid"]);
    assert_eq!(graph.code, 0, "{}", graph.err);
    assert_eq!(graph.out, cache_runtime::topology().mermaid());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_all_but_values() -> Result<(), CacheError> {
    let service = Service::start_with(|_| async { Access::Read }).await;
    service.cache.set("secret", "personal", 600).await?;
    let shown = service.run_with(None, &["get", "secret"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("Access::Admin"), "{}", shown.out);
    assert!(!shown.out.contains("personal"), "{}", shown.out);
    let raw = service.run_with(None, &["get", "secret", "--raw"]);
    assert_eq!((raw.code, &raw.bytes[..]), (1, &b""[..]));
    assert!(raw.err.contains("`Access::Admin`"), "{}", raw.err);
    let refused = service.run_with(None, &["clear", "--all", "--yes"]);
    assert_eq!(refused.code, 1);
    assert!(service.cache.exists("secret").await?);
    Ok(())
}

#[test]
fn a_service_out_of_reach_and_a_password_in_the_url_are_errors() {
    let mut server = RedisServer::start();
    server.kill();
    let url = format!("http://127.0.0.1:{}/admin", server.port());
    let shown = bare_with(None, &["ls", "--app", &url]);
    assert_eq!(shown.code, 1);
    assert!(shown.err.contains("can't be reached"), "{}", shown.err);
    let shown = bare_with(None, &["ls", "--app", "http://me:sesame@host/admin"]);
    assert_eq!(shown.code, 2);
    assert!(!shown.err.contains("sesame"), "{}", shown.err);
    let shown = bare_with(
        None,
        &["ls", "--token-file", "x", "--redis-url", &server.url()],
    );
    assert_eq!(shown.code, 2);
}
