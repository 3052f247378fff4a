//! The admin API of a service, over HTTP.

use std::fmt;
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Body};

use crate::failure::Failure;
use crate::target::TargetError;

/// The variable that holds the token.
const TOKEN: &str = "CACHE_ADMIN_TOKEN";
/// Largest answer: a page of entries with long keys, or one value.
const MAX_ANSWER: u64 = 64 << 20;
/// How long the checks of `doctor` may take.
const CHECKS: Duration = Duration::from_secs(60);
/// How long a warmer may run.
const WARMING: Duration = Duration::from_secs(24 * 3_600);

/// The admin API of a service: `cache_http::admin`, mounted anywhere. Created by
/// [`Target::app`](crate::Target::app).
pub struct App {
    agent: Agent,
    /// The URL of the mount, without a `/` at its end.
    base: String,
    /// `Bearer ..`
    authorization: Option<String>,
    timeout: Duration,
}

impl fmt::Debug for App {
    /// Show the URL, which holds no credentials, and not the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("url", &self.base)
            .finish_non_exhaustive()
    }
}

impl App {
    /// `ca`: certificates in PEM to trust instead of the system's.
    pub(crate) fn new(
        url: &str,
        token: Option<String>,
        ca: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<Self, TargetError> {
        let base = url.trim().trim_end_matches('/').to_owned();
        let (scheme, rest) = base.split_once("://").unwrap_or(("", &base));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            let text = format!(
                "`--app` has credentials; give the token by {TOKEN}, or in a file by `--token-file`"
            );
            return Err(TargetError::new(text));
        }
        if !matches!(scheme, "http" | "https") || host.is_empty() || base.contains(['?', '#']) {
            let text = "`--app` is the URL at which the service mounts the admin API, such as https://blog.example/admin/cache";
            return Err(TargetError::new(text));
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(timeout))
            .user_agent(concat!("cachectl/", env!("CARGO_PKG_VERSION")));
        if scheme == "https" {
            config = config.tls_config(tls(ca)?);
        }
        let authorization = token.map(|token| format!("Bearer {token}"));
        Ok(Self {
            agent: config.build().new_agent(),
            base,
            authorization,
            timeout,
        })
    }

    /// Return the URL.
    pub(crate) fn shown(&self) -> &str {
        &self.base
    }

    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        route: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        // Checks take a while, on a slow server.
        let timeout = match route {
            "doctor" => self.timeout.max(CHECKS),
            _ => self.timeout,
        };
        let answer = self.ask(route, query, Some(timeout))?;
        read(answer?)
    }

    /// Ask, where nothing at all is an answer, too: `None` for a 404 of the API itself.
    pub(crate) fn find<T: DeserializeOwned>(
        &self,
        route: &str,
        query: &[(&str, &str)],
    ) -> Result<Result<T, Refused>, Failure> {
        match self.ask(route, query, Some(self.timeout))? {
            Ok(answer) => read(answer).map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Return an answer that isn't JSON.
    pub(crate) fn bytes(&self, route: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, Failure> {
        body(self.ask(route, query, Some(self.timeout))??)
    }

    fn ask(
        &self,
        route: &str,
        query: &[(&str, &str)],
        timeout: Option<Duration>,
    ) -> Result<Result<Response<Body>, Refused>, Failure> {
        let mut request = self.agent.get(self.url(route, query));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let request = request
            .config()
            .timeout_recv_response(timeout.or(Some(self.timeout)))
            .timeout_recv_body(timeout)
            .build();
        let answer = request.call().map_err(|error| self.unreachable(&error))?;
        self.checked(answer)
    }

    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        route: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::Failed(error.to_string()))?;
        let mut request = self.agent.post(self.url(route, &[]));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        // A change that was begun is waited for: its answer says what was changed.
        let patience = match route {
            "warm" => WARMING,
            _ => self.timeout.max(Duration::from_secs(60)),
        };
        let request = request
            .content_type("application/json")
            .config()
            .timeout_recv_response(Some(patience))
            .build();
        let answer = request
            .send(&body[..])
            .map_err(|error| self.unreachable(&error))?;
        read(self.checked(answer)??)
    }

    /// Return a stream of events, to be read line by line.
    pub(crate) fn events(
        &self,
        route: &str,
        query: &[(&str, &str)],
    ) -> Result<BufReader<impl Read + Send + 'static>, Failure> {
        let answer = self.ask(route, query, None)??;
        // One line at a time: a full buffer would hold lines back.
        Ok(BufReader::new(answer.into_body().into_reader()))
    }

    fn url(&self, route: &str, query: &[(&str, &str)]) -> String {
        let mut url = format!("{}/{route}", self.base);
        for (at, (name, value)) in query.iter().enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.push_str(&encoded(value));
        }
        url
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let fix = match error {
            ureq::Error::Timeout(_) => "raise `--timeout`, if the service is slow",
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) => {
                "`--tls-ca` names the authority of the service's certificate"
            }
            _ => "check host and port, and that the service runs",
        };
        Failure::Failed(format!("{} can't be reached: {error}; {fix}", self.base))
    }

    /// Return the answer of a success, or why the service refuses.
    fn checked(&self, answer: Response<Body>) -> Result<Result<Response<Body>, Refused>, Failure> {
        let status = answer.status();
        if status.is_success() {
            return Ok(Ok(answer));
        }
        if status.is_redirection() {
            let to = answer.headers().get("location");
            let to = to.and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            return Err(Failure::Failed(format!(
                "{} leads to {to}; give the URL of the API itself to `--app`",
                self.base
            )));
        }
        let error = error_of(answer);
        Ok(Err(Refused {
            status,
            is_of_api: error.is_some(),
            text: self.refusal(status, error),
        }))
    }

    fn refusal(&self, status: StatusCode, error: Option<String>) -> String {
        match (status.as_u16(), &self.authorization, error) {
            (401, None, _) => {
                format!("the service asks for a token; set {TOKEN}, or name a file that holds it by `--token-file`")
            }
            (401, Some(_), _) => {
                format!("the service refuses the token; correct {TOKEN} (or the file of `--token-file`): it is the one that the service was started with")
            }
            (403, None, Some(error)) => format!("{error}; set {TOKEN}"),
            (403, Some(_), Some(error)) => format!("{error}; use a token that gives that right"),
            (429, _, _) => {
                "the service has denied too many requests lately, and answers none for a while; try again later".to_owned()
            }
            (_, _, Some(error)) => error,
            (404, _, None) => format!(
                "there is no admin API at {}; give the URL at which the service mounts it, such as https://host/admin/cache",
                self.base
            ),
            (code, _, None) => format!(
                "{} answers {code} without saying why; is it the URL of the admin API?",
                self.base
            ),
        }
    }
}

/// Why the service doesn't answer a request.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    /// Whether the API itself has answered, and not another part of the service.
    pub(crate) is_of_api: bool,
    text: String,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Failed(refused.text)
    }
}

/// Return the error that the API tells.
fn error_of(answer: Response<Body>) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Told {
        error: String,
    }
    let told: Told = serde_json::from_slice(&body(answer).ok()?).ok()?;
    Some(told.error)
}

fn body(mut answer: Response<Body>) -> Result<Vec<u8>, Failure> {
    let body = answer.body_mut().with_config().limit(MAX_ANSWER);
    let body = body.read_to_vec();
    body.map_err(|error| Failure::Failed(format!("the answer can't be read: {error}")))
}

fn read<T: DeserializeOwned>(answer: Response<Body>) -> Result<T, Failure> {
    serde_json::from_slice(&body(answer)?).map_err(|error| {
        let text = format!("the answer isn't one of the admin API ({error}); is `--app` its URL, and is it of this release?");
        Failure::Failed(text)
    })
}

/// Return a text for a query, with everything escaped that isn't a letter, a digit or `-._~`.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The TLS of the connections to Redis: ring, and these certificates or the system's.
fn tls(ca: Option<&[u8]>) -> Result<TlsConfig, TargetError> {
    let roots: Vec<Certificate<'static>> = match ca {
        Some(pem) => {
            let items = parse_pem(pem).collect::<Result<Vec<_>, _>>();
            let items = items.map_err(|error| TargetError::new(format!("`--tls-ca`: {error}")))?;
            let certificates = items.into_iter().filter_map(|item| match item {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            });
            certificates.collect()
        }
        None => {
            let found = rustls_native_certs::load_native_certs().certs;
            let found = found.iter();
            found
                .map(|der| Certificate::from_der(der).to_owned())
                .collect()
        }
    };
    if roots.is_empty() {
        let text = "no authority is known that could have signed the service's certificate; name its file by `--tls-ca`";
        return Err(TargetError::new(text));
    }
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        let app = App::new(url, None, None, Duration::from_secs(1));
        app.expect_err("it is refused").to_string()
    }

    #[test]
    fn a_url_that_is_no_mount_is_refused_and_a_password_is_not_shown() {
        for url in [
            "",
            "blog.example",
            "redis://host",
            "http:///a",
            "http://h/a?b",
        ] {
            assert!(refusal(url).contains("`--app` is the URL"), "{url}");
        }
        let text = refusal("https://me:sesame@host/admin");
        assert!(text.contains(TOKEN) && !text.contains("sesame"), "{text}");
    }

    #[test]
    fn a_query_escapes_what_is_special() {
        let app = App::new("http://h:1/x/", None, None, Duration::from_secs(1));
        let app = app.expect("it is a URL");
        let url = app.url("keys", &[("pattern", "a:*&b=\u{e9}"), ("limit", "5")]);
        assert_eq!(
            url,
            "http://h:1/x/keys?pattern=a%3A%2A%26b%3D%C3%A9&limit=5"
        );
    }
}
