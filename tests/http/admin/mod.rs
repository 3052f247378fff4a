//! The admin API over real sockets.

mod access;
mod clear;
mod documentation;
mod events;
mod every_store;
mod fleet;
mod keys;
mod limits;
mod log;
mod outage;
mod page;
mod reads;
mod warm;

use std::future::{Ready, ready};

use axum::Router;
use axum::body::Body;
use axum::http::Version;
use axum::http::request::Parts;
use cache_http::{Access, AdminService, admin};
use cache_runtime::Cache;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tests::soon;

use crate::sockets::{HttpClient, Server, client};
use crate::support::{Answer, request_with};

/// Fields of a request with every right, sent by a page of this origin.
const ADMIN: &[(&str, &str)] = &[("x-access", "admin"), ("sec-fetch-site", "same-origin")];
const READ: &[(&str, &str)] = &[("x-access", "read"), ("sec-fetch-site", "same-origin")];
const NONE: &[(&str, &str)] = &[("sec-fetch-site", "same-origin")];

/// Rights by a header.
fn by_header(parts: Parts) -> Ready<Access> {
    let access = parts.headers.get("x-access").map(|value| value.as_bytes());
    ready(match access {
        Some(b"admin") => Access::Admin,
        Some(b"read") => Access::Read,
        _ => Access::Denied,
    })
}

/// A served admin API, and a client of it.
struct Api {
    server: Server,
    client: HttpClient,
}

impl Api {
    /// Serve that of a cache. Rights are in the field `x-access`.
    async fn of(cache: &Cache) -> Self {
        Self::serve(admin(cache).access(by_header)).await
    }

    async fn serve(service: AdminService) -> Self {
        Self::start(Router::new().nest_service("/deep/admin/cache", service)).await
    }

    async fn start(app: Router) -> Self {
        Self {
            server: Server::start(app).await,
            client: client(Version::HTTP_11),
        }
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let uri = self.server.uri(&format!("/deep/admin/cache{path}"));
        let request = request_with(method, &uri, fields, body);
        let response = soon(self.client.request(request)).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = soon(body.collect()).await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Send a `GET` with the right to read. It must succeed.
    async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, READ, "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        json(&answer)
    }

    /// Send a `POST` with every right.
    async fn post(&self, path: &str, body: &'static str) -> Answer {
        self.ask("POST", path, ADMIN, body).await
    }
}

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.field("content-type"), Some("application/json"));
    serde_json::from_str(&answer.body).unwrap()
}

/// Return the text of an error, which has the shape of all errors.
fn error(answer: &Answer) -> String {
    let body = json(answer);
    assert_eq!(body["status"], "error");
    body["error"].as_str().unwrap().to_owned()
}
