//! A real browser, with a cache of its own, in front of the layer.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use cache_http::{CacheLayer, page};
use tests::{on_both_stores, until};

use crate::sockets::Server;
use crate::support::Count;

/// Load the post twice by navigation and twice by `fetch`, which have caches of their own; change it;
/// and load it as before. Report every text that was seen.
const SCRIPT: &str = "<!doctype html><title>driver</title><script>
const navigate = () => new Promise(done => {
    const frame = document.createElement('iframe');
    frame.onload = () => done(frame.contentDocument.body.textContent);
    frame.src = '/posts/a';
    document.documentElement.append(frame);
});
const load = async () => (await fetch('/posts/a')).text();
(async () => {
    const seen = [await navigate(), await navigate(), await load(), await load()];
    await fetch('/posts/a', { method: 'PUT' });
    seen.push(await navigate(), await load(), await navigate(), await load());
    await fetch('/report', { method: 'POST', body: seen.join('|') });
})();
</script>";

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

/// A browser with a new profile. Dropping it kills it.
struct Browser {
    process: Child,
    profile: PathBuf,
}

impl Browser {
    fn open(uri: &str) -> Self {
        let profile = std::env::temp_dir().join(format!("browser-{}", uuid::Uuid::new_v4()));
        let process = Command::new(program())
            .arg(format!("--user-data-dir={}", profile.display()))
            .args([
                "--headless",
                // Root has no sandbox, and all that it loads is this test's.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--no-proxy-server",
                uri,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its other processes end with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_validates_its_copy_and_sees_a_write_at_once() {
    on_both_stores(|cache| async move {
        let runs = Count::default();
        let show = {
            let runs = runs.clone();
            move || async move { Html(format!("run {}", runs.next())) }
        };
        let layer = CacheLayer::new(page!("browser:<<slug>>"))
            .ttl(600)
            .cache(&cache);
        let handlers = get(show).put(|| async { StatusCode::NO_CONTENT });

        let statuses = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&statuses);
        let note = move |request: Request, next: Next| {
            let noted = Arc::clone(&noted);
            async move {
                let is_read = request.method() == Method::GET;
                let response: Response = next.run(request).await;
                if is_read {
                    noted.lock().unwrap().push(response.status().as_u16());
                }
                response
            }
        };
        let report = Arc::new(Mutex::new(None));
        let reported = Arc::clone(&report);
        let take_report = move |seen: String| async move {
            *reported.lock().unwrap() = Some(seen);
        };
        let app = Router::new()
            .route("/posts/{slug}", handlers.layer(layer).layer(from_fn(note)))
            .route("/report", post(take_report))
            .route("/", get(|| async { Html(SCRIPT) }));

        let server = Server::start(app).await;
        let browser = Browser::open(&server.uri("/"));
        until("the browser reports", || async {
            report.lock().unwrap().is_some()
        })
        .await;
        drop(browser);
        let seen = report.lock().unwrap().take().unwrap();
        let (first, second) = (["run 1"; 4], ["run 2"; 4]);
        assert_eq!(seen, [first, second].concat().join("|"));
        assert_eq!(
            *statuses.lock().unwrap(),
            [200, 304, 200, 304, 200, 200, 304, 304]
        );
        assert_eq!(runs.get(), 2);
    })
    .await;
}
