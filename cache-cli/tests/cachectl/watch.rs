//! `watch`.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use cache_runtime::{Cache, CacheError};
use serde_json::Value;
use tests::RedisServer;

use crate::program::{PREFIX, cachectl, service};

/// A `cachectl` that watches.
pub(crate) struct Watching {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn start(server: &RedisServer, args: &[&str]) -> Self {
        let url = server.url();
        Self::begin(&[args, &["--redis-url", &url, "--prefix", PREFIX]].concat())
    }

    pub(crate) fn begin(args: &[&str]) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_cachectl"));
        program.arg("watch").args(args).stdin(Stdio::null());
        let mut process = program.stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        Self { process, lines }
    }

    pub(crate) fn line(&mut self) -> String {
        let line = self.lines.next().expect("it goes on");
        line.expect("it is text")
    }

    /// Set keys until the first of these changes is told: the watch begins a while after its
    /// process.
    pub(crate) async fn begun(&mut self, cache: &Cache) -> Result<String, CacheError> {
        let mut redis = cache.clone();
        let setting = tokio::spawn(async move {
            for number in 0.. {
                let cache = &mut redis;
                if cache.set("begun", &number, 600).await.is_err() {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        });
        let first = tokio::task::block_in_place(|| self.line());
        setting.abort();
        let _ = setting.await;
        Ok(first)
    }

    /// Interrupt the program, and return its exit code.
    pub(crate) fn end(mut self) -> i32 {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill runs").success());
        let status = self.process.wait().expect("it ends");
        status.code().expect("no signal ends it")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_printed_as_they_happen_until_an_interrupt() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder.publish_stats(false));
    let mut watching = Watching::start(&server, &["--json"]);
    watching.begun(&cache).await?;
    cache.set("posts:1", &1, 600).await?;
    cache.delete_pattern("posts:*").await?;
    let mut told = Vec::new();
    while told.len() < 2 {
        let change: Value = serde_json::from_str(&watching.line()).expect("each line is JSON");
        if change["path"] == "posts:1" && change["kind"] != "computing" {
            told.push(change);
        }
    }
    assert_eq!(told[0]["kind"], "filled");
    assert_eq!(told[0]["key"], "quickpost:posts:1");
    assert!(told[0]["ttl"].as_f64().is_some_and(|ttl| ttl > 590.0));
    assert!(told[0]["bytes"].as_u64().is_some_and(|bytes| bytes > 0));
    assert_eq!(told[1]["kind"], "removed");
    assert_eq!(watching.end(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_it() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder.publish_stats(false));
    let mut watching = Watching::start(&server, &["begun"]);
    let line = watching.begun(&cache).await?;
    assert!(line.contains("quickpost:begun"), "{line}");
    let Watching { mut process, lines } = watching;
    drop(lines);
    cache.delete("begun").await?;
    for number in 0.. {
        if let Some(status) = process.try_wait().expect("it can be asked") {
            assert_eq!(status.code(), Some(0));
            return Ok(());
        }
        cache.set("begun", &number, 600).await?;
    }
    Ok(())
}

#[test]
fn a_server_out_of_reach_is_an_error() {
    let mut server = RedisServer::start();
    server.kill();
    assert_eq!(cachectl(&server, &["watch"]).code, 1);
}
