//! A master with replicas and sentinels of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::Client;

use crate::redis_server::{answers, free_port, fresh_folder, program};

/// A test's own sentinels, which watch one master under the name [`Sentinels::MASTER`]. Dropping
/// them kills them.
#[derive(Debug)]
pub struct Sentinels {
    processes: Vec<Watcher>,
}

#[derive(Debug)]
struct Watcher {
    port: u16,
    folder: PathBuf,
    process: Child,
}

impl Sentinels {
    /// Their name for the master.
    pub const MASTER: &'static str = "mymaster";

    /// Start three sentinels, two of which must agree, and wait until they know each other and the
    /// master's replica. A master counts as down after 1.5 seconds. Its replica may be promoted up
    /// to ten times that long after losing contact with it.
    pub fn three(master: u16) -> Self {
        let further = format!(
            "sentinel down-after-milliseconds {0} 1500\nsentinel failover-timeout {0} 10000\n",
            Self::MASTER
        );
        let watchers = (0..3).map(|_| Watcher::start(master, 2, &further));
        let sentinels = Self {
            processes: watchers.collect(),
        };
        sentinels.until("they know each other and the replica", |details| {
            details.contains(&("num-other-sentinels".to_owned(), "2".to_owned()))
                && details.contains(&("num-slaves".to_owned(), "1".to_owned()))
        });
        sentinels
    }

    /// Start one sentinel, with additional configuration lines.
    pub fn one(master: u16, further: &str) -> Self {
        Self {
            processes: vec![Watcher::start(master, 1, further)],
        }
    }

    /// Their URLs.
    pub fn urls(&self) -> Vec<String> {
        let ports = self.processes.iter().map(|watcher| watcher.port);
        ports
            .map(|port| format!("redis://127.0.0.1:{port}"))
            .collect()
    }

    /// Wait until each sentinel's details about the master satisfy the condition.
    pub fn until(&self, what: &str, condition: impl Fn(&[(String, String)]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(90);
        for url in self.urls() {
            loop {
                let details: redis::RedisResult<Vec<(String, String)>> = Client::open(&*url)
                    .and_then(|client| client.get_connection())
                    .and_then(|mut connection| {
                        redis::cmd("SENTINEL")
                            .arg("MASTER")
                            .arg(Self::MASTER)
                            .query(&mut connection)
                    });
                if details.is_ok_and(|details| condition(&details)) {
                    break;
                }
                assert!(Instant::now() < deadline, "{what}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Watcher {
    fn start(master: u16, quorum: u32, further: &str) -> Self {
        for _ in 0..10 {
            let port = free_port();
            let folder = fresh_folder(port);
            let mut process = spawn(port, &folder, master, quorum, further);
            if answers(port, &mut process) {
                return Self {
                    port,
                    folder,
                    process,
                };
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("the sentinel doesn't start")
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A sentinel saves its state in its configuration file.
fn spawn(port: u16, folder: &Path, master: u16, quorum: u32, further: &str) -> Child {
    let configuration = format!(
        "port {port}\nbind 127.0.0.1\nprotected-mode no\ndir {folder}\n\
         sentinel monitor {name} 127.0.0.1 {master} {quorum}\n{further}",
        folder = folder.display(),
        name = Sentinels::MASTER,
        further = further.replace("{port}", &port.to_string()),
    );
    let file = folder.join("sentinel.conf");
    std::fs::write(&file, configuration).expect("the temporary folder is writable");
    Command::new(program())
        .arg(file)
        .arg("--sentinel")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed; `tests/run.sh` installs it")
}
