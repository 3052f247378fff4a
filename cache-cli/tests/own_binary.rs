//! A program that carries the commands in its own command line, and knows its functions. Without
//! arguments it runs the tests, which call the program.

use std::process::{Command, ExitCode, Stdio};

use cache_runtime::{Cache, Warm, cacheable, invalidate, warmer};
use clap::Parser;
use serde_json::{Value, json};
use tests::RedisServer;

#[cacheable(key = "posts:<<id>>", ttl = 600)]
async fn get_post(id: u32) -> u32 {
    id
}

#[cacheable(key = "posts:<<id>>:comments", ttl = 600)]
async fn comments(id: u32) -> Vec<u32> {
    vec![id]
}

#[cacheable(key = "settings", ttl = 600)]
async fn settings() -> u32 {
    1
}

#[invalidate(patterns = ["posts:<<id>>:*", "post:<<id>>"])]
async fn update_post(id: u32) {}

/// The posts that most people read.
#[warmer("popular")]
async fn popular(warm: Warm) {
    let last = warm.args().first().and_then(|last| last.parse().ok());
    warm.each(0..last.unwrap_or(3), get_post).await;
}

#[derive(Parser)]
enum Program {
    /// See and steer the cache.
    Cache(cache_cli::Args),
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("cache") {
        tests_of_the_program();
        return ExitCode::SUCCESS;
    }
    let Program::Cache(args) = Program::parse();
    let cache = Cache::from_env().expect("the environment describes a cache");
    cache
        .add_warmer(popular_warmer())
        .expect("it is the only one");
    let runtime = tokio::runtime::Runtime::new().expect("it starts");
    runtime.block_on(cache_cli::run(args, &cache))
}

fn tests_of_the_program() {
    let server = RedisServer::start();
    let runtime = tokio::runtime::Runtime::new().expect("it starts");
    let builder = Cache::builder().redis(server.url()).prefix("app");
    let cache = builder.build().expect("it builds");
    runtime.block_on(cache.scope(async {
        for id in 0..3 {
            get_post(id).await;
            comments(id).await;
        }
        settings().await;
    }));
    get_tells_which_function_stored_the_entry(&server);
    clear_by_function_removes_its_entries(&server);
    topology_is_that_of_the_program(&server);
    doctor_finds_the_dead_pattern(&server);
    memory_has_no_server_to_ask();
    warm_runs_a_warmer_of_the_program(&server);
    println!("own_binary: 6 tests passed");
    runtime.block_on(update_post(1));
}

fn run(server: Option<&RedisServer>, args: &[&str]) -> (i32, String) {
    let itself = std::env::current_exe().expect("it has a path");
    let mut program = Command::new(itself);
    program.arg("cache").args(args).stdin(Stdio::null());
    program
        .env("CACHE_KEY_PREFIX", "app")
        .env_remove("REDIS_URL");
    if let Some(server) = server {
        program.env("REDIS_URL", server.url());
    }
    let output = program.output().expect("it starts");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("it is text");
    (output.status.code().expect("it isn't killed"), text)
}

fn parsed((_, text): (i32, String)) -> Value {
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn get_tells_which_function_stored_the_entry(server: &RedisServer) {
    let shown = parsed(run(Some(server), &["get", "posts:1", "--json"]));
    assert_eq!(shown["functions"], json!(["own_binary::get_post"]));
    assert_eq!(shown["removed_by"], json!(["own_binary::update_post"]));
    let (_, text) = run(Some(server), &["get", "settings"]);
    assert!(text.contains("removed by   none"), "{text}");
}

fn clear_by_function_removes_its_entries(server: &RedisServer) {
    let clear = ["clear", "--function", "comments", "--dry-run", "--json"];
    let preview = parsed(run(Some(server), &clear));
    assert_eq!(preview["entries"], 3);
    assert_eq!(preview["functions"], json!({"own_binary::comments": 3}));
    let (code, text) = run(
        Some(server),
        &["clear", "--function", "own_binary::comments", "--yes"],
    );
    assert_eq!((code, &text[..]), (0, "Removed 3 entries.\n"));
    let (code, text) = run(Some(server), &["clear", "--function", "coments", "--yes"]);
    assert_eq!(code, 2, "{text}");
    let left = parsed(run(Some(server), &["ls", "--json"]));
    assert_eq!(left["entries"].as_array().map(Vec::len), Some(4), "{left}");
}

fn topology_is_that_of_the_program(server: &RedisServer) {
    let shown = parsed(run(Some(server), &["topology", "--json"]));
    let reads = shown["reads"].as_array().expect("a list").iter();
    let mut own: Vec<&str> = reads
        .filter(|read| read["module"] == "own_binary")
        .filter_map(|read| read["function"].as_str())
        .collect();
    own.sort_unstable();
    assert_eq!(own, ["comments", "get_post", "settings"]);
    let (code, mermaid) = run(Some(server), &["topology", "--mermaid"]);
    assert_eq!(code, 0);
    assert!(mermaid.starts_with("graph LR\n"), "{mermaid}");
    let (_, text) = run(Some(server), &["topology"]);
    assert!(
        text.contains("REMOVED BY") && text.contains("update_post"),
        "{text}"
    );
}

fn doctor_finds_the_dead_pattern(server: &RedisServer) {
    let (code, text) = run(Some(server), &["doctor"]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("post:<<id>> of own_binary::update_post matches no key"),
        "{text}"
    );
    assert!(
        text.contains("no write removes the entries of own_binary::settings"),
        "{text}"
    );
}

fn memory_has_no_server_to_ask() {
    let (code, text) = run(None, &["ls"]);
    assert_eq!((code, &text[..]), (0, "No entry matches *.\n"));
    let (code, text) = run(None, &["doctor"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("this process's memory"), "{text}");
}

fn warm_runs_a_warmer_of_the_program(server: &RedisServer) {
    let (code, listed) = run(Some(server), &["warm"]);
    assert_eq!(code, 0, "{listed}");
    assert!(
        listed.contains("The posts that most people read."),
        "{listed}"
    );
    let (code, warmed) = run(Some(server), &["warm", "popular", "5", "--json"]);
    assert_eq!(code, 0, "{warmed}");
    let warmed: Value = serde_json::from_str(&warmed).expect("it is JSON");
    assert_eq!(warmed["outcome"], "complete");
    // Those below 3 were read before.
    assert_eq!(
        (&warmed["fresh"], &warmed["computed"]),
        (&json!(3), &json!(2))
    );
    let (code, text) = run(Some(server), &["warm", "popular"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("3 items: 3 fresh, 0 computed"), "{text}");
    let (code, unknown) = run(Some(server), &["warm", "unpopular"]);
    assert_eq!(code, 1, "{unknown}");
    assert!(unknown.contains("popular"), "{unknown}");
}
