//! A Redis server of the test's own, on a free port.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use redis::{Client, Connection, IntoConnectionInfo, RedisResult};

/// A test's own `redis-server`, on a free port, without persistence. Dropping it kills the server.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: PathBuf,
    process: Child,
    options: Vec<String>,
}

impl RedisServer {
    /// Start a server and wait until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Start a server with additional command-line options, such as `["--requirepass", "secret"]`.
    /// `{port}` in an option is replaced by the server's port.
    pub fn start_with(options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        // Another process may take the port between its choice and its use; the server then exits
        // at once.
        for _ in 0..10 {
            let port = free_port();
            let folder = fresh_folder(port);
            let mut process = spawn(port, &folder, &options);
            if listens(&folder, &mut process) {
                return Self {
                    port,
                    folder,
                    process,
                    options,
                };
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        panic!("redis-server doesn't start; `tests/run.sh` installs it")
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Open a plain connection, to read what the cache has stored. It sends no handshake, so the
    /// server sees only commands of the test and of the cache.
    pub fn connect(&self) -> Connection {
        let connect = || {
            let info = self.url().into_connection_info()?;
            let settings = info.redis_settings().clone().set_skip_set_lib_name();
            Client::open(info.set_redis_settings(settings))?.get_connection()
        };
        let connection: RedisResult<Connection> = connect();
        connection.expect("the server answers")
    }

    /// Kill the server, as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }

    /// Restart the server on its port: empty, or with the data it saved.
    pub fn restart(&mut self) {
        self.process = spawn(self.port, &self.folder, &self.options);
        // The server accepts connections while it still loads its saved data.
        assert!(
            answers(self.port, &mut self.process),
            "redis-server doesn't start again"
        );
    }

    /// Restart the server with additional options.
    pub fn restart_with(&mut self, options: &[&str]) {
        self.options
            .extend(options.iter().map(|option| (*option).to_owned()));
        self.restart();
    }

    /// Send the process a signal, such as `STOP` or `CONT`.
    pub fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status()
            .expect("kill runs");
        assert!(status.success(), "kill -{signal}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// `redis-server`, or the program that `TESTS_REDIS_SERVER` names: another version, or Valkey.
pub(crate) fn program() -> OsString {
    std::env::var_os("TESTS_REDIS_SERVER").unwrap_or_else(|| "redis-server".into())
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

pub(crate) fn fresh_folder(port: u16) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder =
        std::env::temp_dir().join(format!("cache-test-{}-{port}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
    folder
}

fn spawn(port: u16, folder: &Path, options: &[String]) -> Child {
    let log = log(folder);
    let _ = std::fs::remove_file(&log);
    Command::new(program())
        .args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
        ])
        .args(["--port", &port.to_string(), "--dir"])
        .arg(folder)
        .arg("--logfile")
        .arg(&log)
        .args(
            options
                .iter()
                .map(|option| option.replace("{port}", &port.to_string())),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed; `tests/run.sh` installs it")
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// Wait until the server's log says that it listens. A connection to its port proves nothing: if
/// two tests' servers were given the same port, the other one may answer.
fn listens(folder: &Path, process: &mut Child) -> bool {
    wait_until(process, || {
        std::fs::read_to_string(log(folder))
            .is_ok_and(|log| log.contains("eady to accept connections"))
    })
}

/// Wait until this process, or another one, answers on a port.
pub(crate) fn answers(port: u16, process: &mut Child) -> bool {
    wait_until(process, || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    })
}

fn wait_until(process: &mut Child, mut ready: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if let Ok(Some(_)) = process.try_wait() {
            return false;
        }
        if ready() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}
