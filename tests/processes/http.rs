//! Pages of two servers on one Redis, over real sockets.

use std::process::{Child, Command, Stdio};

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tests::{Database, RedisServer, soon, until};
use tokio::task::JoinHandle;

/// A server in a process of its own. Dropping it kills it.
struct Site {
    process: Child,
    port: u64,
    client: Client<HttpConnector, Body>,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn is_hit(&self) -> bool {
        self.field("cache-status")
            .unwrap()
            .starts_with("cache-http; hit")
    }
}

impl Site {
    async fn start(role: &str, cache: &RedisServer, database: &RedisServer) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_worker"))
            .args([role, &cache.url(), &database.url()])
            // It ends when its input does.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut site = Self {
            process,
            port: 0,
            client,
        };
        let rows = Database::open(&database.url()).await;
        let name = format!("port of {}", site.process.id());
        until("the server listens", || async {
            rows.counted(&name).await > 0
        })
        .await;
        site.port = rows.counted(&name).await;
        site
    }

    /// Send a request to this server, as one of the site's.
    fn send(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> JoinHandle<Answer> {
        let uri = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = Request::builder().method(method).uri(uri);
        request = request.header("host", "site.example");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let sent = self.client.request(request.body(Body::empty()).unwrap());
        tokio::spawn(async move {
            let (parts, body) = sent.await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            }
        })
    }

    async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    async fn get_with(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        soon(self.send("GET", path, fields)).await.unwrap()
    }

    async fn put(&self, path: &str) {
        let answer = soon(self.send("PUT", path, &[])).await.unwrap();
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }

    fn kill(&mut self) {
        // SIGKILL: the process can't give back a lease.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Two servers, and the database of both.
struct Sites {
    one: Site,
    other: Site,
    rows: Database,
    cache: RedisServer,
    database: RedisServer,
}

impl Sites {
    async fn start(role: &str) -> Self {
        let (cache, database) = (RedisServer::start(), RedisServer::start());
        Self {
            one: Site::start(role, &cache, &database).await,
            other: Site::start(role, &cache, &database).await,
            rows: Database::open(&database.url()).await,
            cache,
            database,
        }
    }

    async fn runs(&self, page: &str) -> u64 {
        self.rows.counted(page).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_two_servers_run_the_handler_of_a_page_once() {
    let sites = Sites::start("http").await;
    let callers: Vec<_> = (0..200)
        .map(|nth| [&sites.one, &sites.other][nth % 2].send("GET", "/posts/slow", &[]))
        .collect();
    sites.rows.until("slow", 1).await;
    sites.rows.count("slow: go on", 1).await;
    for caller in callers {
        assert_eq!(soon(caller).await.unwrap().body, "version 0, run 1");
    }
    assert_eq!(sites.runs("slow").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_one_server_is_served_and_validated_by_the_other() {
    let sites = Sites::start("http").await;
    let made = sites.one.get("/posts/a").await;
    let served = sites.other.get("/posts/a").await;
    assert!(served.is_hit());
    assert_eq!(served.body, made.body);
    assert!(served.headers.contains_key("age"));
    let known = [("if-none-match", made.field("etag").unwrap())];
    let validated = sites.other.get_with("/posts/a", &known).await;
    assert_eq!(
        (validated.status, &*validated.body),
        (StatusCode::NOT_MODIFIED, "")
    );
    let part = sites
        .other
        .get_with("/posts/a", &[("range", "bytes=0-6")])
        .await;
    assert_eq!(
        (part.status, &*part.body),
        (StatusCode::PARTIAL_CONTENT, "version")
    );
    assert_eq!(sites.runs("a").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_to_one_server_is_seen_by_the_next_read_of_the_other() {
    let sites = Sites::start("http").await;
    for version in 1..=20 {
        let (writer, reader) = match version % 2 {
            0 => (&sites.one, &sites.other),
            _ => (&sites.other, &sites.one),
        };
        reader.get("/posts/a").await;
        writer.put("/posts/a").await;
        let read = reader.get("/posts/a").await;
        assert!(
            read.body.starts_with(&format!("version {version},")),
            "{}",
            read.body
        );
    }
}

/// The near cache of the other process may lag by one message of Redis.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_to_one_server_reaches_the_near_cache_of_the_other() {
    let sites = Sites::start("http-near").await;
    for version in 1..=10 {
        for _ in 0..3 {
            sites.other.get("/posts/a").await;
        }
        sites.one.put("/posts/a").await;
        let expected = format!("version {version},");
        let own = sites.one.get("/posts/a").await;
        assert!(
            own.body.starts_with(&expected),
            "the server's own write: {}",
            own.body
        );
        until("the other server has the new page", || async {
            sites
                .other
                .get("/posts/a")
                .await
                .body
                .starts_with(&expected)
        })
        .await;
    }
}

/// The handler has read the old version when the write comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_of_one_server_stores_nothing_if_the_other_has_written_meanwhile() {
    let sites = Sites::start("http").await;
    let reading = sites.one.send("GET", "/posts/slow", &[]);
    sites.rows.until("slow", 1).await;
    sites.other.put("/posts/slow").await;
    sites.rows.count("slow: go on", 1).await;
    assert_eq!(soon(reading).await.unwrap().body, "version 0, run 1");
    for site in [&sites.one, &sites.other] {
        assert_eq!(site.get("/posts/slow").await.body, "version 1, run 2");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_hands_its_pages_over() {
    let mut sites = Sites::start("http").await;
    let lost = sites.one.send("GET", "/stuck/a", &[]);
    sites.rows.until("a", 1).await;
    let waiting: Vec<_> = (0..20)
        .map(|_| sites.other.send("GET", "/stuck/a", &[]))
        .collect();
    sites.one.kill();
    for caller in waiting {
        assert_eq!(soon(caller).await.unwrap().body, "run 2");
    }
    lost.await.expect_err("its server is gone");
    assert_eq!(sites.runs("a").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_hands_over_to_one_of_the_other_server() {
    let sites = Sites::start("http").await;
    let leaving = sites.one.send("GET", "/stuck/a", &[]);
    sites.rows.until("a", 1).await;
    let waiting = sites.other.send("GET", "/stuck/a", &[]);
    leaving.abort();
    assert_eq!(soon(waiting).await.unwrap().body, "run 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_servers_serve_a_stale_page_while_one_of_them_refreshes_it() {
    let sites = Sites::start("http").await;
    assert_eq!(sites.one.get("/old/a").await.body, "run 1");
    until("a refresh has begun", || async {
        let answer = sites.one.get("/old/a").await;
        assert!(answer.is_hit() && answer.body == "run 1", "{answer:?}");
        sites.runs("a").await == 2
    })
    .await;
    for _ in 0..20 {
        for site in [&sites.one, &sites.other] {
            let answer = site.get("/old/a").await;
            assert!(answer.is_hit() && answer.body == "run 1", "{answer:?}");
        }
    }
    assert_eq!(sites.runs("a").await, 2, "one refresh for both");
    sites.rows.count("a: go on", 1).await;
    for site in [&sites.one, &sites.other] {
        until("the new page is served", || async {
            let answer = site.get("/old/a").await;
            assert!(answer.is_hit());
            answer.body == "run 2"
        })
        .await;
    }
    assert_eq!(sites.runs("a").await, 2);
}

/// Two callers wait in each of the servers.
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_one_server_is_not_given_to_those_who_wait_in_the_other() {
    let sites = Sites::start("http").await;
    let mut callers = vec![sites.one.send("GET", "/cookie/a", &[])];
    sites.rows.until("a", 1).await;
    for site in [&sites.one, &sites.other, &sites.one, &sites.other] {
        callers.push(site.send("GET", "/cookie/a", &[]));
    }
    sites.rows.count("a: go on", 1).await;
    let mut cookies = Vec::new();
    for caller in callers {
        let answer = soon(caller).await.unwrap();
        cookies.push(answer.field("set-cookie").unwrap().to_owned());
    }
    cookies.sort();
    cookies.dedup();
    assert_eq!((cookies.len(), sites.runs("a").await), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_one_server_is_not_the_page_of_the_other() {
    let sites = Sites::start("http").await;
    assert_eq!(
        sites.one.get("/shaky/a").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(sites.other.get("/shaky/a").await.body, "run 2");
    assert_eq!(sites.one.get("/shaky/a").await.body, "run 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_has_one_page_on_both_servers() {
    let sites = Sites::start("http").await;
    let ask = async |site: &Site, user: Option<&str>| {
        let fields: Vec<_> = user.map(|user| ("x-user", user)).into_iter().collect();
        site.get_with("/me", &fields).await.body
    };
    let users = [Some("A"), Some("B"), None, Some("anon")];
    let mut first = Vec::new();
    for user in users {
        first.push(ask(&sites.one, user).await);
    }
    assert_eq!(
        first,
        ["A, run 1", "B, run 2", "anon, run 3", "=anon, run 4"]
    );
    for (user, page) in users.into_iter().zip(&first) {
        assert_eq!(&ask(&sites.other, user).await, page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn languages_that_one_server_has_learned_do_not_mix_in_the_other() {
    let sites = Sites::start("http").await;
    for _ in 0..3 {
        for site in [&sites.one, &sites.other] {
            for language in ["de", "en"] {
                let fields = [("accept-language", language)];
                let answer = site.get_with("/translated", &fields).await;
                assert!(answer.body.starts_with(language), "{}", answer.body);
            }
            assert!(site.get("/translated").await.body.starts_with("none"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_later_has_the_pages_of_those_before_it() {
    let mut sites = Sites::start("http").await;
    let made = sites.one.get("/posts/a").await;
    sites.one.kill();
    sites.other.kill();
    let later = Site::start("http", &sites.cache, &sites.database).await;
    let served = later.get("/posts/a").await;
    assert!(served.is_hit());
    assert_eq!(
        (&served.body, served.field("etag")),
        (&made.body, made.field("etag"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_without_their_redis_answer_by_their_handlers() {
    let sites = Sites::start("http").await;
    sites.one.get("/posts/a").await;
    drop(sites.cache);
    for (version, site) in [&sites.one, &sites.other].into_iter().enumerate() {
        for _ in 0..3 {
            let answer = site.get("/posts/a").await;
            assert_eq!(answer.status, StatusCode::OK);
            let expected = format!("version {version},");
            assert!(answer.body.starts_with(&expected), "{}", answer.body);
        }
        site.put("/posts/a").await;
    }
    assert!(
        sites
            .one
            .get("/posts/a")
            .await
            .body
            .starts_with("version 2,")
    );
}
