//! Starting the worker, a program of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use crate::databases::TestDatabase;

/// A worker that is ready to commit. Dropped, it is killed.
pub(crate) struct Worker {
    process: Child,
}

impl Worker {
    /// Start a worker that sets the likes of these posts, and wait until it is ready.
    pub(crate) async fn start<DB: TestDatabase>(
        url: &str,
        redis: &str,
        likes: i64,
        slugs: Vec<String>,
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outbox-worker"));
        command
            .args([DB::TITLE, url, redis, &likes.to_string()])
            .args(slugs)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let started = tokio::task::spawn_blocking(move || {
            let mut process = command.spawn().expect("the worker starts");
            let stdout = process.stdout.take().expect("it is piped");
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            read.expect("the worker writes");
            assert_eq!(line, "ready\n");
            Self { process }
        });
        started.await.expect("it doesn't panic")
    }

    /// Let it commit.
    pub(crate) fn go(&mut self) {
        let stdin = self.process.stdin.as_mut().expect("it is piped");
        stdin.write_all(b"go\n").expect("the worker reads");
    }

    /// Kill it, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("it runs, or has ended");
    }

    /// Wait until it exits by itself.
    pub(crate) async fn exit(mut self) {
        let ended = tokio::task::spawn_blocking(move || {
            let status = self.process.wait().expect("it ends");
            assert!(status.success(), "{status}");
        });
        ended.await.expect("it succeeds");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
