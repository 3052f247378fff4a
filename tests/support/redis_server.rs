use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use redis::{Client, Connection, IntoConnectionInfo, RedisResult};

/// A `redis-server` of a test's own, on a free port, without persistence. Dropped, it is killed.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    folder: PathBuf,
    process: Child,
    options: Vec<String>,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with further options of its command line, such as `["--requirepass", "secret"]`. `{port}` in one
    /// stands for the port that it is given.
    pub fn start_with(options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        // Between the choice of a port and its use another process may take it; then the server ends at once.
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

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A plain connection, to look at what the cache has stored. It doesn't introduce itself: what the server has
    /// seen is what the test and the cache have sent.
    pub fn connect(&self) -> Connection {
        let connect = || {
            let info = self.url().into_connection_info()?;
            let settings = info.redis_settings().clone().set_skip_set_lib_name();
            Client::open(info.set_redis_settings(settings))?.get_connection()
        };
        let connection: RedisResult<Connection> = connect();
        connection.expect("the server answers")
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }

    /// Starts it again on its port: empty, or with what it saved.
    pub fn restart(&mut self) {
        self.process = spawn(self.port, &self.folder, &self.options);
        // It answers while it loads what it has saved.
        assert!(
            answers(self.port, &mut self.process),
            "redis-server doesn't start again"
        );
    }

    /// Starts it again with further options.
    pub fn restart_with(&mut self, options: &[&str]) {
        self.options
            .extend(options.iter().map(|option| (*option).to_owned()));
        self.restart();
    }

    /// Sends it a signal, such as `STOP` or `CONT`.
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

/// `redis-server`, or what `TESTS_REDIS_SERVER` names: another version, or Valkey.
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

/// Whether it listens. It says so itself: on its port another test's server may answer, if both were given the same one.
fn listens(folder: &Path, process: &mut Child) -> bool {
    wait_until(process, || {
        std::fs::read_to_string(log(folder))
            .is_ok_and(|log| log.contains("eady to accept connections"))
    })
}

/// Whether it, or another, answers on a port.
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
