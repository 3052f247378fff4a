//! Random requests to a program with the layer. Each answer is one that the bare handler would have
//! given to that request, at a moment between its beginning and its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use cache_http::{CacheLayer, ContextLayer, page};
use cache_runtime::Cache;
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tests::RedisServer;

use crate::support::{Answer, request, send};

const POSTS: usize = 2;

/// How the handler answers for a post.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Silent,
    MaxAge,
    Languages,
    Themes,
    NoCache,
    NoStore,
    Private,
    Cookie,
    VaryStar,
    Missing,
    Broken,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Silent,
        Self::MaxAge,
        Self::Languages,
        Self::Themes,
        Self::NoCache,
        Self::NoStore,
        Self::Private,
        Self::Cookie,
        Self::VaryStar,
        Self::Missing,
        Self::Broken,
    ];

    /// Whether the response is for one request only.
    fn is_for_one(self, is_by_user: bool) -> bool {
        match self {
            Self::Private => !is_by_user,
            Self::NoStore | Self::Cookie | Self::VaryStar | Self::Missing | Self::Broken => true,
            _ => false,
        }
    }
}

/// The state of a post after a write.
#[derive(Clone, Copy, Debug)]
struct State {
    version: u64,
    kind: Kind,
}

/// All states that each post has had.
type History = Arc<Mutex<[Vec<State>; POSTS]>>;

/// A layer, and what the handlers below it depend on.
#[derive(Clone, Copy, Debug)]
enum Site {
    ByUrl,
    ByTemplate,
    Stale,
    ByUser,
}

#[derive(Clone, Debug)]
enum Sent {
    Read(Read),
    Write {
        post: usize,
        kind: Kind,
        fails: bool,
    },
}

#[derive(Clone, Debug)]
struct Read {
    post: usize,
    is_head: bool,
    host: usize,
    user: usize,
    session: usize,
    has_credentials: bool,
    language: usize,
    theme: usize,
    query: usize,
    range: Option<(usize, usize)>,
    /// Which of the tags seen before the request names.
    tag: Option<prop::sample::Index>,
}

const HOSTS: [&str; 2] = ["one.example", "other.example"];
const USERS: [&str; 3] = ["", "A", "B"];
const LANGUAGES: [&str; 3] = ["", "de", "en"];
const THEMES: [&str; 2] = ["", "dark"];
const QUERIES: [&str; 6] = ["", "?", "?a=1&b=2", "?b=2&a=1", "?a=1", "?a=1&a=2"];

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.to_str().unwrap());
    value.unwrap_or_default().to_owned()
}

/// The response of the handler to these fields, at a state.
fn respond(site: Site, post: usize, state: State, query: &str, fields: &HeaderMap) -> Response {
    let kind = state.kind;
    let is_by_user = matches!(site, Site::ByUser) && fields.contains_key("x-user");
    let mut body = format!("{post} v{} {} {query}", state.version, text(fields, "host"));
    if matches!(site, Site::ByUser) {
        body += &format!(" user {}", text(fields, "x-user"));
    }
    // The layer knows that these choose what a visitor sees.
    if !is_by_user {
        body += &text(fields, "cookie");
        body += &text(fields, "authorization");
    }
    if matches!(kind, Kind::Languages | Kind::Themes) {
        body += &text(fields, "accept-language");
    }
    if matches!(kind, Kind::Themes) {
        body += &text(fields, "x-theme");
    }
    if kind.is_for_one(is_by_user) {
        body += &format!(" for {}", text(fields, "x-id"));
    }
    let response = match kind {
        Kind::Silent => Response::builder(),
        Kind::MaxAge => Response::builder().header("cache-control", "max-age=60"),
        Kind::Languages => Response::builder().header("vary", "Accept-Language"),
        Kind::Themes => Response::builder()
            .header("vary", "accept-language")
            .header("vary", "x-theme"),
        Kind::NoCache => Response::builder().header("cache-control", "no-cache"),
        Kind::NoStore => Response::builder().header("cache-control", "max-age=60, no-store"),
        Kind::Private => Response::builder().header("cache-control", "private, max-age=60"),
        Kind::Cookie => Response::builder().header("set-cookie", text(fields, "x-id")),
        Kind::VaryStar => Response::builder().header("vary", "*"),
        Kind::Missing => Response::builder().status(StatusCode::NOT_FOUND),
        Kind::Broken => Response::builder().status(StatusCode::BAD_GATEWAY),
    };
    response.body(Body::from(body)).unwrap()
}

/// The pairs of a query in the order that doesn't matter to forms.
fn form(query: Option<&str>) -> String {
    let mut pairs: Vec<_> = query.unwrap_or_default().split('&').collect();
    pairs.retain(|pair| !pair.is_empty());
    // Those of one name stay in order.
    pairs.sort_by_key(|pair| pair.split('=').next().map(str::to_owned));
    pairs.join("&")
}

async fn pause(headers: &HeaderMap) {
    for _ in 0..text(headers, "x-id").len() {
        tokio::task::yield_now().await;
    }
}

fn app(site: Site, cache: &Cache, history: &History) -> Router {
    let shown = Arc::clone(history);
    let show = move |Path(post): Path<usize>, request: Request| async move {
        let state = *shown.lock().unwrap()[post].last().unwrap();
        // A write may come between the query and the answer.
        pause(request.headers()).await;
        let query = form(request.uri().query());
        respond(site, post, state, &query, request.headers())
    };
    let changed = Arc::clone(history);
    let update = move |Path(post): Path<usize>,
                       Query(to): Query<HashMap<String, usize>>,
                       headers: HeaderMap| async move {
        if to.contains_key("fails") {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        pause(&headers).await;
        {
            let states = &mut changed.lock().unwrap()[post];
            states.push(State {
                version: states.len() as u64,
                kind: Kind::ALL[to["kind"]],
            });
        }
        pause(&headers).await;
        StatusCode::NO_CONTENT
    };
    let layer = match site {
        Site::ByUrl => CacheLayer::by_url().ttl(60),
        Site::ByTemplate => CacheLayer::new(page!("random:<<post>>")).ttl(60),
        Site::Stale => CacheLayer::new(page!("random:<<post>>"))
            .ttl("1ms")
            .stale("1m"),
        Site::ByUser => CacheLayer::new(page!("random:<<post>>:<<user>>")).ttl(60),
    };
    let handlers = get(show).put(update).layer(layer.cache(cache));
    let user = |parts: &Parts| Some(parts.headers.get("x-user")?.to_str().ok()?.to_owned());
    Router::new()
        .route("/posts/{post}", handlers)
        .layer(ContextLayer::new(user))
}

fn sent() -> impl Strategy<Value = Sent> {
    let post = 0..POSTS;
    let range = prop::option::weighted(0.2, (0_usize..4, 0_usize..30));
    let tag = prop::option::weighted(0.3, any::<prop::sample::Index>());
    let who = (0..HOSTS.len(), 0..USERS.len(), rarely(2), rarely(2));
    let form = (0..LANGUAGES.len(), 0..THEMES.len(), 0..QUERIES.len());
    let read = (post.clone(), rarely(2), who, form, range, tag).prop_map(
        |(
            post,
            is_head,
            (host, user, session, credentials),
            (language, theme, query),
            range,
            tag,
        )| {
            Sent::Read(Read {
                post,
                is_head: is_head > 0,
                host,
                user,
                session,
                has_credentials: credentials > 0,
                language,
                theme,
                query,
                range,
                tag,
            })
        },
    );
    let write = (post, 0..Kind::ALL.len(), rarely(2)).prop_map(|(post, kind, fails)| Sent::Write {
        post,
        kind: Kind::ALL[kind],
        fails: fails > 0,
    });
    prop_oneof![8 => read, 1 => write]
}

/// A number below `end`, most often 0.
fn rarely(end: usize) -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(0), 1 => 0..end]
}

/// The texts of the answers that had a tag.
type Tags = Vec<(String, String)>;

/// A read on its way.
struct Asked {
    read: Read,
    uri: String,
    fields: HeaderMap,
    tag: Option<(String, String)>,
}

impl Asked {
    fn of(read: Read, id: usize, tags: &Tags) -> Self {
        let mut fields = HeaderMap::new();
        let mut add = |name: &'static str, value: String| {
            if !value.is_empty() {
                fields.insert(name, value.parse().unwrap());
            }
        };
        add("host", HOSTS[read.host].to_owned());
        // The length makes the handler's pauses differ.
        add("x-id", format!("{id}{}", "-".repeat(id * 7 % 5)));
        add("x-user", USERS[read.user].to_owned());
        add("accept-language", LANGUAGES[read.language].to_owned());
        add("x-theme", THEMES[read.theme].to_owned());
        if read.session > 0 {
            add("cookie", "session=1".to_owned());
        }
        if read.has_credentials {
            add("authorization", "Bearer 1".to_owned());
        }
        if let Some((first, last)) = read.range {
            add("range", format!("bytes={first}-{last}"));
        }
        let tag = read.tag.filter(|_| !tags.is_empty());
        let tag = tag.map(|tag| tag.get(tags).clone());
        if let Some((tag, _)) = &tag {
            add("if-none-match", tag.clone());
        }
        let uri = format!("/posts/{}{}", read.post, QUERIES[read.query]);
        Self {
            read,
            uri,
            fields,
            tag,
        }
    }

    /// Return whether the handler would have given this answer at the state, in one of the forms
    /// that a request may ask for.
    async fn is_answer(&self, site: Site, state: State, answer: &Answer) -> bool {
        let query = form(self.uri.split_once('?').map(|(_, query)| query));
        let (expected, body) =
            respond(site, self.read.post, state, &query, &self.fields).into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let cookie = expected.headers.get("set-cookie");
        if answer.headers.get("set-cookie") != cookie {
            return false;
        }
        match answer.status {
            StatusCode::NOT_MODIFIED => {
                let known = self.tag.as_ref().is_some_and(|(_, known)| *known == body);
                known && expected.status == StatusCode::OK
            }
            StatusCode::PARTIAL_CONTENT => {
                let (first, last) = self.read.range.unwrap();
                let end = (last + 1).min(body.len());
                expected.status == StatusCode::OK && body.get(first..end) == Some(&*answer.body)
            }
            // It may be longer than the body.
            StatusCode::RANGE_NOT_SATISFIABLE => self
                .read
                .range
                .is_some_and(|(first, _)| first >= body.len()),
            status if self.read.is_head => status == expected.status && answer.body.is_empty(),
            status => status == expected.status && answer.body == body,
        }
    }
}

/// Send requests, those of one batch at the same time.
async fn check(site: Site, cache: &Cache, batches: Vec<Vec<Sent>>) -> Result<(), TestCaseError> {
    cache.clear().await.unwrap();
    let first = State {
        version: 0,
        kind: Kind::Silent,
    };
    let history: History = Arc::new(Mutex::new(std::array::from_fn(|_| vec![first])));
    let app = app(site, cache, &history);
    let (mut tags, mut id) = (Tags::new(), 0);
    for batch in batches {
        let floors: Vec<_> = history.lock().unwrap().iter().map(Vec::len).collect();
        let answers = batch.into_iter().map(|sent| {
            id += 1;
            let asked = match sent {
                Sent::Read(read) => Ok(Asked::of(read, id, &tags)),
                Sent::Write { post, kind, fails } => {
                    let fails = if fails { "&fails=1" } else { "" };
                    Err(format!("/posts/{post}?kind={}{fails}", kind as usize))
                }
            };
            let app = &app;
            async move {
                match asked {
                    Ok(asked) => {
                        let method = if asked.read.is_head { "HEAD" } else { "GET" };
                        let mut request = request(method, &asked.uri, &[]);
                        *request.headers_mut() = asked.fields.clone();
                        let answer = send(app, request).await;
                        Some((asked, answer))
                    }
                    Err(uri) => {
                        send(app, request("PUT", &uri, &[("x-id", "--")])).await;
                        None
                    }
                }
            }
        });
        for (asked, answer) in join_all(answers).await.into_iter().flatten() {
            let post = asked.read.post;
            let states = history.lock().unwrap()[post][floors[post] - 1..].to_vec();
            let mut is_right = false;
            for state in &states {
                is_right |= asked.is_answer(site, *state, &answer).await;
            }
            prop_assert!(
                is_right,
                "{} {:?}\n{answer:?}\n{states:?}",
                asked.uri,
                asked.fields
            );
            if answer.status == StatusCode::OK && !asked.read.is_head {
                let tag = answer.field("etag").map(str::to_owned);
                tags.extend(tag.map(|tag| (tag, answer.body)));
            }
        }
    }
    Ok(())
}

fn check_all(cache: &Cache, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let sites = prop_oneof![
        Just(Site::ByUrl),
        Just(Site::ByTemplate),
        Just(Site::Stale),
        Just(Site::ByUser)
    ];
    let batches = prop::collection::vec(prop::collection::vec(sent(), 1..8), 1..12);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&(sites, batches), |(site, batches)| {
            runtime.block_on(check(site, cache, batches))
        })
        .unwrap();
}

#[test]
fn random_requests_get_what_the_handler_would_say_on_memory() {
    check_all(&Cache::builder().build().unwrap(), 400);
}

#[test]
fn random_requests_get_what_the_handler_would_say_on_redis() {
    let server = RedisServer::start();
    let cache = Cache::builder().prefix("random").redis(server.url());
    let cache = cache.response_timeout(tests::PATIENCE).build().unwrap();
    check_all(&cache, 60);
}
