//! A `redis-server` for one section.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server on a free port, without persistence. Dropping it ends the process.
#[derive(Debug)]
pub struct Server {
    port: u16,
    folder: PathBuf,
    process: Child,
}

impl Server {
    /// Start a server and wait until it answers.
    ///
    /// # Panics
    ///
    /// Panics without a `redis-server` on the PATH.
    pub fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Between the choice of a port and its use another process may take it.
        for _ in 0..10 {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("cache-benchmarks-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
            let port = free_port();
            let process = Command::new("redis-server")
                .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
                .args(["--port", &port.to_string(), "--dir"])
                .arg(&folder)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("redis-server is installed; tests/run.sh installs it");
            let mut server = Self {
                port,
                folder,
                process,
            };
            if server.answers() {
                return server;
            }
        }
        panic!("redis-server didn't start in ten attempts")
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Open a connection to inspect what is stored.
    pub fn connect(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).expect("the URL is well-formed");
        client.get_connection().expect("the server answers")
    }

    /// Return a number from `INFO`, such as `used_memory`.
    pub fn info(&self, field: &str) -> u64 {
        let text: String = redis::cmd("INFO")
            .query(&mut self.connect())
            .expect("the server answers");
        text.lines()
            .find_map(|line| {
                line.strip_prefix(field)?
                    .strip_prefix(':')?
                    .trim()
                    .parse()
                    .ok()
            })
            .expect("INFO has the field")
    }

    /// Wait until the server answers. Returns false if the process ended, as it does if the port is
    /// taken.
    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}
