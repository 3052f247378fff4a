//! The process of a database server, and its folder.

use std::ffi::OsStr;
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
    watcher: Child,
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
        let mut initialize = (kind.initialize)(&home);
        let output = home
            .of_user(&mut initialize)
            .output()
            .unwrap_or_else(|error| panic!("{initialize:?} doesn't run: {error}"));
        assert!(
            output.status.success(),
            "{initialize:?} fails: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let log = home.folder.join("log");
            let stderr = std::fs::File::create(&log).expect("the folder is writable");
            let mut serve = (kind.serve)(&home, port);
            let mut process = home
                .of_user(&mut serve)
                // Ctrl-C must reach the test program alone; the watcher stops the server.
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(stderr)
                .spawn()
                .unwrap_or_else(|error| panic!("{serve:?} doesn't run: {error}"));
            let watcher = watch(process.id(), kind.stop, &home.folder);
            if listens(&log, kind.ready, &mut process) {
                return Self {
                    port,
                    process,
                    watcher,
                };
            }
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            let taken = log.contains("in use");
            let mut failed = Self {
                port,
                process,
                watcher,
            };
            if !taken {
                drop(failed);
                panic!("{serve:?} doesn't start: {log}");
            }
            // The next attempt needs the folder, which the watcher would remove.
            let _ = failed.watcher.kill();
        }
        panic!("{ATTEMPTS} ports were in use")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The watcher stops the server. Not reaped before that, its process id can't be reused.
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
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

    fn of_user<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(user) = self.user {
            command.uid(user.id).gid(user.group);
        }
        command.current_dir(&self.folder).env("HOME", &self.folder)
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

/// Stop the server and remove its folder once this program has closed the pipe, as it does when it
/// exits, panics or is killed. A server shared by a program's tests is in a static, which is never
/// dropped.
fn watch(server: u32, signal: &str, folder: &Path) -> Child {
    const SCRIPT: &str = r#"cat >/dev/null
        kill -"$2" "$1" 2>/dev/null
        n=0; while kill -0 "$1" 2>/dev/null && [ $n -lt 50 ]; do
            case "$(ps -o stat= -p "$1" 2>/dev/null)" in Z*) break ;; esac
            n=$((n+1)); sleep 0.1
        done
        rm -rf "$3""#;
    Command::new("sh")
        .args(["-c", SCRIPT, "sh", &server.to_string(), signal])
        .arg(folder)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh runs")
}

fn listens(log: &Path, ready: &str, process: &mut Child) -> bool {
    let deadline = Instant::now() + START;
    while Instant::now() < deadline {
        if std::fs::read_to_string(log).is_ok_and(|log| log.contains(ready)) {
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
