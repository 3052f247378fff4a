//! A browser with a new profile.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::page::Page;
use crate::protocol::Connection;

/// Dropping it ends the browser.
pub struct Browser {
    connection: Connection,
    _process: Child,
    profile: PathBuf,
}

fn program() -> PathBuf {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let on_path = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .collect::<Vec<_>>();
    let of_macos = ["Chromium", "Google Chrome"]
        .map(|name| PathBuf::from(format!("/Applications/{name}.app/Contents/MacOS/{name}")));
    let mut programs = named.into_iter().chain(on_path).chain(of_macos);
    programs.find(|program| program.exists()).expect(
        "a browser is installed: `tests/run.sh` installs chromium, and `CHROMIUM` names one",
    )
}

impl Browser {
    pub async fn open() -> Self {
        let profile = std::env::temp_dir().join(format!("browser-{}", uuid::Uuid::new_v4()));
        let mut process = Command::new(program())
            .arg(format!("--user-data-dir={}", profile.display()))
            .args([
                "--headless",
                "--remote-debugging-port=0",
                // Root has no sandbox, and all that it loads is this test's.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--no-proxy-server",
                "about:blank",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the browser starts");
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await.expect("it is text") {
                if let Some((_, url)) = line.split_once("DevTools listening on ") {
                    return url.to_owned();
                }
            }
            panic!("the browser ended before it listened");
        };
        let url = timeout(Duration::from_secs(60), listening).await;
        let url = url.expect("the browser listens within a minute");
        // Its messages are of no interest, but a full pipe would stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            connection: Connection::open(&url).await,
            _process: process,
            profile,
        }
    }

    /// Open an empty page.
    pub async fn page(&self) -> Page {
        let blank = json!({"url": "about:blank"});
        let target = self
            .connection
            .send(None, "Target.createTarget", blank)
            .await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self
            .connection
            .send(None, "Target.attachToTarget", attach)
            .await;
        let session = session["sessionId"].as_str().expect("it has a session");
        Page::new(self.connection.clone(), session.to_owned()).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its processes end when the first one is killed.
        let _ = self._process.start_kill();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
