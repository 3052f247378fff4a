//! Processes of quickpost.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use tests::{PATIENCE, RedisServer};

type Hits = Arc<Mutex<HashMap<String, u64>>>;

/// A process of quickpost on a free port. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    /// How often each post was found in the cache: the process logs that.
    hits: Hits,
}

impl Server {
    /// Start a process with these variables and no others.
    pub(crate) fn start(variables: &[(&str, String)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_quickpost"))
            .env_clear()
            .env("QUICKPOST_ADDRESS", "127.0.0.1:0")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .spawn()
            .expect("quickpost starts");
        let output = process.stdout.take().expect("a pipe");
        let hits = Hits::default();
        let (tell, told) = mpsc::channel();
        std::thread::spawn({
            let hits = Arc::clone(&hits);
            move || read_lines(output, &hits, &tell)
        });
        let address = told.recv().expect("quickpost serves");
        Self {
            process,
            address,
            hits,
        }
    }

    /// Start a process on a Redis and on a database that it shares with others.
    pub(crate) fn start_on(redis: &RedisServer, database: &Database, near_cache: usize) -> Self {
        Self::start(&[
            ("REDIS_URL", redis.url()),
            ("QUICKPOST_DATABASE", database.file()),
            ("QUICKPOST_NEAR_CACHE", near_cache.to_string()),
            // The machine may be busy.
            (
                "QUICKPOST_REDIS_MILLISECONDS",
                PATIENCE.as_millis().to_string(),
            ),
        ])
    }

    /// Start a process without a cache, on a database of its own.
    pub(crate) fn start_uncached() -> Self {
        Self::start(&[("CACHE_ENABLED", "false".to_owned())])
    }

    /// Return how often the post was found in the cache so far.
    pub(crate) fn hits_of(&self, slug: &str) -> u64 {
        let key = format!("quickpost:posts:{slug}");
        *self.hits.lock().unwrap().get(&key).unwrap_or(&0)
    }

    /// Return how often any post was found in the cache so far.
    pub(crate) fn hits(&self) -> u64 {
        self.hits.lock().unwrap().values().sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Read `quickpost serves on http://127.0.0.1:3000; ..` and `[Cache] HIT: quickpost:posts:my-post`
/// until the process ends.
fn read_lines(output: ChildStdout, hits: &Hits, tell: &mpsc::Sender<SocketAddr>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some((_, key)) = line.split_once("[Cache] HIT: ") {
            *hits.lock().unwrap().entry(key.to_owned()).or_default() += 1;
        } else if let Some(rest) = line.strip_prefix("quickpost serves on http://") {
            let address = rest.split(';').next().and_then(|text| text.parse().ok());
            let _ = tell.send(address.expect("an address"));
        }
    }
}

/// A database that processes share. Its file is removed at the end.
#[derive(Debug)]
pub(crate) struct Database(PathBuf);

impl Database {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("quickpost-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        Self(folder)
    }

    fn file(&self) -> String {
        self.0.join("quickpost.db").display().to_string()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
