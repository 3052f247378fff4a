//! The process of a database server, and its folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Port 0 lets two programs choose one port; the server that comes second exits at once.
const ATTEMPTS: u32 = 10;
/// Initializing a data folder takes seconds, more on a loaded machine.
const START: Duration = Duration::from_secs(120);

/// A database server, stopped when this is dropped or when the test program ends in any way.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    process: Child,
    watcher: Watcher,
}

/// How to start one kind of server.
pub(crate) struct Kind {
    /// The user that the server runs as when the tests run as root, which servers refuse.
    pub(crate) users: &'static [&'static str],
    /// Fill the empty data folder.
    pub(crate) initialize: fn(&Home) -> Command,
    /// Run in the foreground, with its log on stderr.
    pub(crate) serve: fn(&Home, u16) -> Command,
    /// The text of the log that says that it listens.
    pub(crate) ready: &'static str,
    /// The signal that ends it at once, together with its own processes.
    pub(crate) stop: &'static str,
}

/// The folder of one server.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
    user: Option<User>,
}

#[derive(Clone, Copy, Debug)]
struct User {
    id: u32,
    group: u32,
}

impl Server {
    /// Start a server and wait until it listens.
    pub(crate) fn start(kind: &Kind) -> Self {
        let home = Home::create(kind.users);
        let mut watcher = Watcher::of(&home.folder);
        let mut initialize = (kind.initialize)(&home);
        let mut process = home
            .spawn(&mut initialize, "initialize.log")
            .unwrap_or_else(|error| panic!("{initialize:?} doesn't run: {error}"));
        // A script, with processes of its own.
        watcher.watch("KILL", &format!("-{}", process.id()));
        let status = process.wait();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{initialize:?} fails: {}",
            home.read("initialize.log")
        );
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut serve = (kind.serve)(&home, port);
            let mut process = home
                .spawn(&mut serve, "log")
                .unwrap_or_else(|error| panic!("{serve:?} doesn't run: {error}"));
            watcher.watch(kind.stop, &process.id().to_string());
            if listens(&home, kind.ready, &mut process) {
                return Self {
                    port,
                    process,
                    watcher,
                };
            }
            let log = home.read("log");
            assert!(log.contains("in use"), "{serve:?} doesn't start: {log}");
        }
        panic!("{ATTEMPTS} ports were in use")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not reaped before the watcher has ended it, its process id can't be reused.
        self.watcher.end();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Home {
    fn create(users: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Short, since the path of a Unix socket may have about 100 bytes.
        let folder =
            std::env::temp_dir().join(format!("cache-sql-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        let owner = std::fs::metadata(&folder).expect("it exists").uid();
        let user = (owner == 0).then(|| User::find(users));
        if let Some(user) = user {
            chown(&folder, Some(user.id), Some(user.group)).expect("root can give it away");
        }
        Self { folder, user }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Start a program as the server's user, with its output in this file.
    fn spawn(&self, command: &mut Command, log: &str) -> io::Result<Child> {
        let log = File::create(self.folder.join(log)).expect("the folder is writable");
        if let Some(user) = self.user {
            command.uid(user.id).gid(user.group);
        }
        command
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            // Ctrl-C must reach the test program alone; the watcher stops the server.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be cloned"))
            .stderr(log)
            .spawn()
    }

    fn read(&self, log: &str) -> String {
        std::fs::read_to_string(self.folder.join(log)).unwrap_or_default()
    }
}

impl User {
    fn find(names: &[&str]) -> Self {
        let number = |option: &str, name: &str| {
            let output = Command::new("id").args([option, name]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        names
            .iter()
            .find_map(|name| {
                let (id, group) = (number("-u", name)?, number("-g", name)?);
                Some(Self { id, group })
            })
            .unwrap_or_else(|| {
                panic!("the server refuses to run as root, and none of the users {names:?} exists")
            })
    }
}

/// A process that ends the server and removes its folder once the test program has closed a pipe,
/// as it does when it exits, panics or is killed. The server that a program's tests share is in a
/// static, which is never dropped.
#[derive(Debug)]
struct Watcher {
    process: Child,
}

impl Watcher {
    fn of(folder: &Path) -> Self {
        const SCRIPT: &str = r#"
            while read -r signal process; do last="$signal $process"; done
            if [ -n "$last" ]; then
                set -- "$1" $last
                kill -"$2" "$3" 2>/dev/null
                n=0
                while [ $n -lt 50 ] && kill -0 "$3" 2>/dev/null; do
                    case "$(ps -o stat= -p "${3#-}" 2>/dev/null)" in Z*) break ;; esac
                    n=$((n + 1)); sleep 0.1
                done
            fi
            rm -rf "$1""#;
        let process = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        Self { process }
    }

    /// Let it end this process, or group of processes, instead of the one before.
    fn watch(&mut self, signal: &str, process: &str) {
        let pipe = self.process.stdin.as_mut().expect("it is piped");
        writeln!(pipe, "{signal} {process}").expect("the watcher reads");
    }

    fn end(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.end();
    }
}

fn listens(home: &Home, ready: &str, process: &mut Child) -> bool {
    let deadline = Instant::now() + START;
    while Instant::now() < deadline {
        if home.read("log").contains(ready) {
            return true;
        }
        if let Ok(Some(_)) = process.try_wait() {
            return false;
        }
        // A poll of its own, because a server that exits has to end it.
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// Find a program on the `PATH`, or in folders that distributions keep off it.
pub(crate) fn program(name: &str, folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(folders)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Read the first line that a program prints.
pub(crate) fn printed(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<PathBuf> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}
