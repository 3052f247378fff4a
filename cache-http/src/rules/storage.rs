//! Which responses are stored, and how long they are fresh (sections 3 and 4.2).

use std::time::Duration;

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, ETAG, EXPIRES, HeaderMap,
    HeaderName, IF_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED, SET_COOKIE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, StatusCode};

use super::cache_control::{RequestDirectives, ResponseDirectives, Scope};
use super::freshness::{self, Freshness, StoredRules};
use super::vary::Vary;
use super::{date, fields, list};

/// Options of a layer that the rules depend on.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// Freshness of responses that don't name one, if not the cache's default.
    pub(crate) ttl: Option<Duration>,
    /// `stale-while-revalidate` of responses that don't name one.
    pub(crate) stale: Duration,
    /// `stale-if-error` of responses that don't name one.
    pub(crate) stale_if_error: Duration,
    /// Statuses that `ttl` applies to, besides 200. All others need freshness of their own.
    pub(crate) statuses: Vec<StatusCode>,
    /// Requests with `Authorization` get the same answers as others, or the field is in the key.
    pub(crate) authorized_public: bool,
    /// Which requests with `Cookie` may use the cache.
    pub(crate) cookies: CookiePolicy,
    /// `Cache-Control` of requests is obeyed.
    pub(crate) obey_requests: bool,
}

/// Which requests with cookies may use the cache, in a layer that isn't keyed by user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CookiePolicy {
    /// Those whose cookies are all in the key. With an empty list, none.
    InKey(Vec<String>),
    /// All: no answer depends on a cookie, or the whole field is in the key.
    Ignored,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            ttl: None,
            stale: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            statuses: Vec::new(),
            authorized_public: false,
            cookies: CookiePolicy::InKey(Vec::new()),
            obey_requests: false,
        }
    }
}

/// A request, as far as the rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The key has the user, and the request has one, so what is personal may be stored. False for
    /// `anon`: all visitors without a name have one key, and a cookie or a credential that named
    /// nobody may still choose what they see.
    pub(crate) is_keyed_by_user: bool,
}

/// A response as the handler made it, hop-by-hop fields included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Response<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    /// When the handler was called, in milliseconds since the Unix epoch.
    pub(crate) requested_ms: u64,
    /// When it answered.
    pub(crate) received_ms: u64,
}

/// A response that may be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Storable {
    /// To be stored with it.
    pub(crate) rules: StoredRules,
    /// Fields that are not stored with it, nor given to those who waited for it.
    pub(crate) omitted: Vec<HeaderName>,
}

/// Why a request can't use the cache, or why its response isn't stored.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Refusal {
    /// The method isn't GET or HEAD.
    Method,
    /// GET with content, which may change the answer.
    RequestBody,
    /// The connection is to change its protocol, as for a WebSocket.
    Upgrade,
    /// `If-Match` or `If-Unmodified-Since`, which the handler decides.
    Precondition,
    /// The request has `Authorization`.
    Authorization,
    /// The request has a cookie that isn't in the key.
    Cookie,
    /// The request has `no-store`, and the layer obeys requests.
    RequestNoStore,
    /// The request has `only-if-cached`, the layer obeys requests, and nothing may be served.
    OnlyIfCached,
    /// 1xx, 206 or 304, or a status unknown here with `must-understand`.
    Status,
    /// The response has `no-store`.
    NoStore,
    /// The response has `private`.
    Private,
    /// The response has `Set-Cookie`.
    SetCookie,
    /// The response has `Vary: *`, or a `Vary` that can't be read.
    VaryStar,
    /// The response varies by a field that wasn't in the key yet.
    VaryUnknown,
    /// Trailers would follow the body.
    Trailers,
    /// The body is a stream of events without an end.
    EventStream,
    /// The response names no freshness, and the route's TTL isn't for its status.
    NoFreshness,
    /// The response could never be served from the cache, not even after validation.
    Expired,
}

impl Refusal {
    /// Return the reason as a token, for `Cache-Status` (its `detail`), metrics and logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Refusal::Method => "method",
            Refusal::RequestBody => "request-body",
            Refusal::Upgrade => "upgrade",
            Refusal::Precondition => "precondition",
            Refusal::Authorization => "authorization",
            Refusal::Cookie => "cookie",
            Refusal::RequestNoStore => "request-no-store",
            Refusal::OnlyIfCached => "only-if-cached",
            Refusal::Status => "status",
            Refusal::NoStore => "no-store",
            Refusal::Private => "private",
            Refusal::SetCookie => "set-cookie",
            Refusal::VaryStar => "vary-star",
            Refusal::VaryUnknown => "vary-unknown",
            Refusal::Trailers => "trailers",
            Refusal::EventStream => "event-stream",
            Refusal::NoFreshness => "no-freshness",
            Refusal::Expired => "expired",
        }
    }
}

/// Check whether the cache may be used for a request: to look up, to wait for another's response,
/// and to store.
///
/// A request that is refused isn't served from the cache either. RFC 9111 would permit it, but a
/// handler that looks at the cookie would have given this client another page.
///
/// # Errors
///
/// The reason why not. The layer must also bypass requests whose body isn't empty where no field
/// says so, as in HTTP/2.
pub(crate) fn admit(request: Request<'_>, policy: &Policy) -> Result<(), Refusal> {
    let headers = request.headers;
    if !matches!(*request.method, Method::GET | Method::HEAD) {
        return Err(Refusal::Method);
    }
    // Most requests have none of these fields. Going through their names once costs less than
    // looking up each of these.
    if !headers.keys().any(may_refuse) {
        return Ok(());
    }
    let has_content = headers
        .get(CONTENT_LENGTH)
        .is_some_and(|length| length != "0");
    if has_content || headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::RequestBody);
    }
    if wants_other_protocol(headers) {
        return Err(Refusal::Upgrade);
    }
    // RFC 9110, 13.1.1 and 13.1.4: they are about the origin's current state.
    if headers.contains_key(IF_MATCH) || headers.contains_key(IF_UNMODIFIED_SINCE) {
        return Err(Refusal::Precondition);
    }
    if !request.is_keyed_by_user {
        // Section 3.5.
        if !policy.authorized_public && headers.contains_key(AUTHORIZATION) {
            return Err(Refusal::Authorization);
        }
        if !are_cookies_admitted(headers, &policy.cookies) {
            return Err(Refusal::Cookie);
        }
    }
    // Section 5.2.1.5.
    if policy.obey_requests && RequestDirectives::of(headers).no_store {
        return Err(Refusal::RequestNoStore);
    }
    Ok(())
}

/// Return whether [`admit`] looks at a field.
fn may_refuse(name: &HeaderName) -> bool {
    matches!(
        *name,
        CONTENT_LENGTH
            | TRANSFER_ENCODING
            | UPGRADE
            | IF_MATCH
            | IF_UNMODIFIED_SINCE
            | AUTHORIZATION
            | COOKIE
            | CACHE_CONTROL
    )
}

/// Return whether the request asks for another protocol (RFC 9110, 7.8). HTTP/2 doesn't count:
/// some clients offer it with every request, and the response is the same.
fn wants_other_protocol(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(UPGRADE).iter();
    lines.any(|line| {
        let mut protocols = list::elements(line.as_bytes());
        protocols.any(|protocol| !protocol.eq_ignore_ascii_case(b"h2c"))
    })
}

/// Return whether each cookie of the request is in the key.
fn are_cookies_admitted(headers: &HeaderMap, policy: &CookiePolicy) -> bool {
    let CookiePolicy::InKey(known) = policy else {
        return true;
    };
    let lines = headers.get_all(COOKIE).iter();
    let cookies = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut names = Vec::new();
    for cookie in cookies.map(list::trim).filter(|cookie| !cookie.is_empty()) {
        let name = cookie.split(|byte| *byte == b'=').next();
        let name = list::trim(name.unwrap_or_default());
        // Of two cookies with one name, the key has one value and the handler may take the other.
        if names.contains(&name) || !known.iter().any(|known| known.as_bytes() == name) {
            return false;
        }
        names.push(name);
    }
    true
}

/// Decide whether a response is stored, and for how long it is fresh. `default_ttl`: that of the
/// cache.
///
/// # Errors
///
/// The reason why it isn't stored. It must not be given to those who waited for it either.
pub(crate) fn decide(
    request: Request<'_>,
    response: Response<'_>,
    policy: &Policy,
    default_ttl: Duration,
) -> Result<Storable, Refusal> {
    admit(request, policy)?;
    // The response to HEAD has no body that a GET could be answered with.
    if request.method != Method::GET {
        return Err(Refusal::Method);
    }
    let directives = ResponseDirectives::of(response.headers);
    check_response(request, response, &directives)?;

    let explicit = explicit_lifetime(response, &directives);
    let is_routes = response.status == StatusCode::OK || policy.statuses.contains(&response.status);
    let ttl = policy.ttl.unwrap_or(default_ttl);
    let route = is_routes.then(|| freshness::millis(ttl));
    let lifetime_ms = explicit.or(route).ok_or(Refusal::NoFreshness)?;
    let rules = stored_rules(response, &directives, policy, lifetime_ms);
    // Storing it would cost memory and serve nobody.
    if rules.freshness(response.received_ms) == Freshness::Expired && !rules.has_validator {
        return Err(Refusal::Expired);
    }
    Ok(Storable {
        rules,
        omitted: omitted(request, directives),
    })
}

/// Check for everything that forbids storing, whatever the freshness.
fn check_response(
    request: Request<'_>,
    response: Response<'_>,
    directives: &ResponseDirectives,
) -> Result<(), Refusal> {
    let headers = response.headers;
    // Section 5.2.2.5. `must-understand` would permit to ignore it (5.2.2.3); nothing does here.
    if directives.no_store {
        return Err(Refusal::NoStore);
    }
    if !is_storable_status(response.status)
        || directives.must_understand && !is_understood(response.status)
    {
        return Err(Refusal::Status);
    }
    // Section 5.2.2.7.
    if directives.private == Scope::Whole && !request.is_keyed_by_user {
        return Err(Refusal::Private);
    }
    // A cookie is for one client (section 7.3), even among the requests of one user.
    if headers.contains_key(SET_COOKIE) || headers.contains_key("set-cookie2") {
        return Err(Refusal::SetCookie);
    }
    // Section 4.1.
    if Vary::of(headers) == Vary::Any {
        return Err(Refusal::VaryStar);
    }
    if headers.contains_key(TRAILER) {
        return Err(Refusal::Trailers);
    }
    if is_event_stream(headers) {
        return Err(Refusal::EventStream);
    }
    Ok(())
}

/// Return whether a whole response can have the status: final, not a part, and not the answer to a
/// condition (section 3).
fn is_storable_status(status: StatusCode) -> bool {
    !status.is_informational()
        && status != StatusCode::PARTIAL_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

/// Return whether the caching requirements of the status are known (section 5.2.2.3): the statuses
/// of RFC 9110, of which only 206 and 304 have any.
fn is_understood(status: StatusCode) -> bool {
    matches!(status.as_u16(),
        200..=205 | 300..=303 | 305 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 500..=505)
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    const EVENTS: &[u8] = b"text/event-stream";
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let start = content_type.and_then(|value| value.get(..EVENTS.len()));
    start.is_some_and(|start| start.eq_ignore_ascii_case(EVENTS))
}

/// Return the freshness lifetime that the response names, in milliseconds (section 4.2.1).
fn explicit_lifetime(response: Response<'_>, directives: &ResponseDirectives) -> Option<u64> {
    let seconds = directives.s_maxage.or(directives.max_age);
    match seconds {
        Some(seconds) => Some(freshness::seconds_ms(seconds)),
        None => expires_lifetime(response),
    }
}

/// Return the lifetime from `Expires` (section 5.3). An invalid date, such as `0`, is in the past;
/// of several lines the earliest counts.
fn expires_lifetime(response: Response<'_>) -> Option<u64> {
    let lines = response.headers.get_all(EXPIRES).iter();
    let dates = lines.map(|line| date::parse(line.as_bytes()).unwrap_or(0));
    let expires = dates.min()?;
    let lifetime = expires.saturating_sub(sent(response));
    Some(lifetime.saturating_mul(1000))
}

/// Return the response's `Date`, or the time at which it was received (RFC 9110, 6.6.1), in seconds
/// since the Unix epoch.
fn sent(response: Response<'_>) -> u64 {
    date::of(response.headers, &http::header::DATE).unwrap_or(response.received_ms / 1000)
}

/// Return the age that the response had when it was received, in milliseconds (section 4.2.3).
fn initial_age_ms(response: Response<'_>) -> u64 {
    let apparent = (response.received_ms / 1000).saturating_sub(sent(response));
    // Only a response that has been in a cache was generated before the handler was asked. All
    // others are as new as the handler's answer, however long the handler took.
    let corrected_ms = match fields::age_of(response.headers) {
        Some(age) => {
            let delay_ms = response.received_ms.saturating_sub(response.requested_ms);
            freshness::seconds_ms(age).saturating_add(delay_ms)
        }
        None => 0,
    };
    corrected_ms.max(apparent.saturating_mul(1000))
}

fn stored_rules(
    response: Response<'_>,
    directives: &ResponseDirectives,
    policy: &Policy,
    lifetime_ms: u64,
) -> StoredRules {
    let always_validate = directives.no_cache == Scope::Whole;
    // Section 4.2.4. `s-maxage` includes `proxy-revalidate` (5.2.2.10).
    let never_stale = always_validate
        || directives.must_revalidate
        || directives.proxy_revalidate
        || directives.s_maxage.is_some();
    let window = |explicit: Option<u32>, route: Duration| match (never_stale, explicit) {
        (true, _) => 0,
        (false, Some(seconds)) => freshness::seconds_ms(seconds),
        (false, None) => freshness::millis(route),
    };
    let last_modified = date::of(response.headers, &LAST_MODIFIED);
    StoredRules {
        generated_ms: response
            .received_ms
            .saturating_sub(initial_age_ms(response)),
        lifetime_ms,
        stale_while_revalidate_ms: window(directives.stale_while_revalidate, policy.stale),
        stale_if_error_ms: window(directives.stale_if_error, policy.stale_if_error),
        date: sent(response),
        last_modified,
        always_validate,
        never_stale,
        has_validator: response.headers.contains_key(ETAG) || last_modified.is_some(),
        has_own_tag: false,
        has_own_control: false,
    }
}

/// Return the fields that `private` (section 5.2.2.7) and `no-cache` (5.2.2.4) keep from others.
fn omitted(request: Request<'_>, directives: ResponseDirectives) -> Vec<HeaderName> {
    let mut omitted = Vec::new();
    if let Scope::Fields(names) = directives.no_cache {
        omitted.extend(names);
    }
    if let (Scope::Fields(names), false) = (directives.private, request.is_keyed_by_user) {
        omitted.extend(names);
    }
    omitted
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// 2026-01-01, 00:00:00.
    const NOW: u64 = 1_767_225_600;

    fn fields(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a valid field value");
            (HeaderName::from_static(name), value)
        });
        lines.collect()
    }

    fn date(seconds: u64) -> String {
        let value = date::value(seconds);
        value.to_str().expect("a date is ASCII").to_owned()
    }

    /// A layer, and whether its entries are each one user's.
    struct Layer {
        policy: Policy,
        keyed_by_user: bool,
    }

    /// A layer with a TTL of a minute and other options.
    fn with(change: impl FnOnce(&mut Policy)) -> Layer {
        let mut policy = Policy {
            ttl: Some(Duration::from_secs(60)),
            ..Policy::default()
        };
        change(&mut policy);
        Layer {
            policy,
            keyed_by_user: false,
        }
    }

    fn route() -> Layer {
        with(|_| {})
    }

    fn by_user() -> Layer {
        Layer {
            keyed_by_user: true,
            ..route()
        }
    }

    /// Decide on the response to a plain GET.
    fn response(
        layer: &Layer,
        status: u16,
        lines: &[(&'static str, &str)],
    ) -> Result<Storable, Refusal> {
        let headers = fields(lines);
        let response = Response {
            status: StatusCode::from_u16(status).expect("a valid status"),
            headers: &headers,
            requested_ms: NOW * 1000,
            received_ms: NOW * 1000,
        };
        let request = Request {
            method: &Method::GET,
            headers: &HeaderMap::new(),
            is_keyed_by_user: layer.keyed_by_user,
        };
        decide(request, response, &layer.policy, Duration::ZERO)
    }

    fn rules(layer: &Layer, lines: &[(&'static str, &str)]) -> StoredRules {
        response(layer, 200, lines)
            .expect("a storable response")
            .rules
    }

    /// Return the remaining seconds of freshness.
    fn fresh(lines: &[(&'static str, &str)]) -> Option<i64> {
        let storable = response(&route(), 200, lines);
        storable.ok().map(|storable| storable.rules.ttl(NOW * 1000))
    }

    fn request(layer: &Layer, method: Method, lines: &[(&'static str, &str)]) -> Option<Refusal> {
        let headers = fields(lines);
        let request = Request {
            method: &method,
            headers: &headers,
            is_keyed_by_user: layer.keyed_by_user,
        };
        admit(request, &layer.policy).err()
    }

    #[test]
    fn a_plain_200_is_fresh_for_the_ttl_of_the_route() {
        let storable = response(&route(), 200, &[]).expect("a storable response");
        assert_eq!(storable.rules.lifetime_ms, 60_000);
        assert_eq!(storable.rules.generated_ms, NOW * 1000);
        assert_eq!(storable.rules.date, NOW);
        assert!(storable.omitted.is_empty());
    }

    #[test]
    fn there_is_no_heuristic_freshness() {
        let lines = [
            ("last-modified", &*date(NOW - 1_000_000)),
            ("etag", "\"a\""),
        ];
        // The cache's default TTL is zero here.
        let stored = response(&with(|policy| policy.ttl = None), 200, &lines);
        assert_eq!(stored.expect("it can be validated").rules.lifetime_ms, 0);
        let refused = response(&with(|policy| policy.ttl = None), 200, &[]);
        assert_eq!(refused, Err(Refusal::Expired));
    }

    #[test]
    fn other_statuses_need_freshness_of_their_own() {
        let max_age = [("cache-control", "max-age=5")];
        for status in [201, 203, 204, 301, 302, 404, 410, 418, 500, 503, 599] {
            let refused = response(&route(), status, &[]);
            assert_eq!(refused, Err(Refusal::NoFreshness), "{status}");
            let stored = response(&route(), status, &max_age);
            assert_eq!(stored.expect("explicit freshness").rules.lifetime_ms, 5_000);
        }
        let layer = with(|policy| {
            policy.statuses = vec![StatusCode::NOT_FOUND, StatusCode::PARTIAL_CONTENT];
        });
        assert!(response(&layer, 404, &[]).is_ok());
        assert!(response(&layer, 200, &[]).is_ok());
    }

    #[test]
    fn parts_and_304_and_interim_responses_are_never_stored() {
        let layer = with(|policy| {
            policy.statuses = vec![StatusCode::PARTIAL_CONTENT, StatusCode::NOT_MODIFIED];
        });
        for status in [100, 101, 103, 206, 304] {
            for lines in [&[][..], &[("cache-control", "public, max-age=60")]] {
                assert_eq!(
                    response(&layer, status, lines),
                    Err(Refusal::Status),
                    "{status}"
                );
            }
        }
    }

    #[test]
    fn must_understand_refuses_unknown_statuses_and_does_not_void_no_store() {
        let lines = [("cache-control", "max-age=60, must-understand")];
        assert!(response(&route(), 200, &lines).is_ok());
        assert!(response(&route(), 404, &lines).is_ok());
        assert_eq!(response(&route(), 599, &lines), Err(Refusal::Status));
        let lines = [("cache-control", "max-age=60, must-understand, no-store")];
        assert_eq!(response(&route(), 200, &lines), Err(Refusal::NoStore));
    }

    #[test]
    fn what_is_for_one_client_is_never_stored() {
        let refused = |line| response(&route(), 200, &[line]).err();
        let cookie = ("set-cookie", "session=1");
        assert_eq!(refused(cookie), Some(Refusal::SetCookie));
        assert_eq!(
            refused(("cache-control", "no-store")),
            Some(Refusal::NoStore)
        );
        assert_eq!(
            refused(("cache-control", "private")),
            Some(Refusal::Private)
        );
        assert_eq!(refused(("vary", "accept, *")), Some(Refusal::VaryStar));
        assert_eq!(refused(("trailer", "x")), Some(Refusal::Trailers));
        let events = ("content-type", "Text/Event-Stream;charset=utf-8");
        assert_eq!(refused(events), Some(Refusal::EventStream));
        // Nothing in the response makes up for it.
        let lines = [cookie, ("cache-control", "public, s-maxage=60")];
        assert_eq!(response(&by_user(), 200, &lines), Err(Refusal::SetCookie));
        let lines = [
            cookie,
            ("cache-control", "no-cache=\"set-cookie\", max-age=60"),
        ];
        assert_eq!(response(&route(), 200, &lines), Err(Refusal::SetCookie));
        // A field that `connection` names is still there when the response is judged.
        let lines = [cookie, ("connection", "set-cookie")];
        assert_eq!(response(&route(), 200, &lines), Err(Refusal::SetCookie));
    }

    #[test]
    fn private_is_stored_only_in_a_key_with_the_user() {
        let lines = [("cache-control", "private, max-age=5")];
        assert_eq!(response(&route(), 200, &lines), Err(Refusal::Private));
        assert_eq!(rules(&by_user(), &lines).lifetime_ms, 5_000);
    }

    #[test]
    fn private_fields_are_omitted_unless_the_key_has_the_user() {
        let lines = [("cache-control", "private=\"x-user\", no-cache=\"x-once\"")];
        let names = |layer: &Layer| {
            let storable = response(layer, 200, &lines).expect("a storable response");
            assert!(!storable.rules.always_validate);
            storable
                .omitted
                .iter()
                .map(|name| name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&route()), ["x-once", "x-user"]);
        assert_eq!(names(&by_user()), ["x-once"]);
    }

    #[test]
    fn s_maxage_precedes_max_age_precedes_expires_precedes_the_route() {
        let expires = ("expires", &*date(NOW + 7));
        let all = ("cache-control", "max-age=9, s-maxage=8");
        assert_eq!(fresh(&[all, expires]), Some(8));
        assert_eq!(fresh(&[("cache-control", "max-age=9"), expires]), Some(9));
        assert_eq!(fresh(&[expires]), Some(7));
        assert_eq!(fresh(&[]), Some(60));
        assert_eq!(
            fresh(&[("cache-control", "max-age=9"), ("expires", "0")]),
            Some(9)
        );
        assert_eq!(fresh(&[("cache-control", "max-age=0"), expires]), None);
    }

    #[test]
    fn expires_is_relative_to_date_and_invalid_means_expired() {
        let (sent, expires) = (date(NOW - 10), date(NOW + 20));
        let lines = [("date", &*sent), ("expires", &*expires)];
        assert_eq!(rules(&route(), &lines).lifetime_ms, 30_000);
        assert_eq!(fresh(&lines), Some(20));
        for invalid in ["0", "-1", "never", &date(NOW), &date(NOW - 1)] {
            assert_eq!(fresh(&[("expires", invalid)]), None, "{invalid}");
        }
        let two = [("expires", &*date(NOW + 9)), ("expires", &*date(NOW + 5))];
        assert_eq!(fresh(&two), Some(5));
        let two = [("expires", &*date(NOW + 9)), ("expires", "0")];
        assert_eq!(fresh(&two), None);
    }

    #[test]
    fn invalid_freshness_is_no_freshness() {
        assert_eq!(fresh(&[("cache-control", "max-age=x")]), None);
        assert_eq!(fresh(&[("cache-control", "max-age=60, s-maxage=-1")]), None);
    }

    #[test]
    fn the_age_that_a_response_brings_counts() {
        let aged = ("age", "20");
        assert_eq!(fresh(&[aged]), Some(40));
        assert_eq!(fresh(&[("cache-control", "max-age=30"), aged]), Some(10));
        assert_eq!(fresh(&[("cache-control", "max-age=20"), aged]), None);
        assert_eq!(fresh(&[("date", &date(NOW - 15))]), Some(45));
        // The greater of both.
        assert_eq!(fresh(&[("date", &date(NOW - 15)), aged]), Some(40));
        assert_eq!(fresh(&[("date", &date(NOW - 25)), aged]), Some(35));
        // A clock that is ahead doesn't make it younger than new.
        assert_eq!(fresh(&[("date", &date(NOW + 100))]), Some(60));
        assert_eq!(fresh(&[("age", "99999999999")]), None);
        assert_eq!(fresh(&[("age", "abc")]), Some(60));
    }

    #[test]
    fn the_time_that_a_handler_takes_counts_only_for_a_response_from_a_cache() {
        let decide = |lines: &[(&'static str, &str)]| {
            let headers = fields(lines);
            let response = Response {
                status: StatusCode::OK,
                headers: &headers,
                requested_ms: (NOW - 5) * 1000,
                received_ms: NOW * 1000,
            };
            let request = Request {
                method: &Method::GET,
                headers: &HeaderMap::new(),
                is_keyed_by_user: false,
            };
            let storable = decide(request, response, &route().policy, Duration::ZERO)
                .expect("a storable response");
            storable.rules.age(NOW * 1000)
        };
        assert_eq!(decide(&[]), 0);
        assert_eq!(decide(&[("age", "20")]), 25);
    }

    #[test]
    fn windows_come_from_the_response_before_the_route() {
        let layer = with(|policy| {
            policy.stale = Duration::from_secs(10);
            policy.stale_if_error = Duration::from_secs(100);
        });
        let windows = |line| {
            let rules = rules(&layer, &[("cache-control", line)]);
            (rules.stale_while_revalidate_ms, rules.stale_if_error_ms)
        };
        assert_eq!(windows("public"), (10_000, 100_000));
        assert_eq!(windows("max-age=5"), (10_000, 100_000));
        let explicit = "stale-while-revalidate=1, stale-if-error=2";
        assert_eq!(windows(explicit), (1_000, 2_000));
        assert_eq!(windows("stale-while-revalidate=x"), (0, 100_000));
    }

    #[test]
    fn must_revalidate_and_kin_are_never_stale() {
        let layer = with(|policy| {
            policy.stale = Duration::from_secs(10);
            policy.stale_if_error = Duration::from_secs(100);
        });
        for line in [
            "must-revalidate",
            "proxy-revalidate",
            "s-maxage=60",
            "must-revalidate, stale-while-revalidate=60, stale-if-error=60",
        ] {
            let rules = rules(&layer, &[("cache-control", line)]);
            assert!(rules.never_stale, "{line}");
            let at_the_end = rules.freshness((NOW + 60) * 1000);
            assert_eq!(at_the_end, Freshness::Expired, "{line}");
        }
        assert!(!rules(&layer, &[]).never_stale);
    }

    #[test]
    fn no_cache_is_stored_if_the_handler_can_validate_it() {
        let no_cache = ("cache-control", "no-cache, max-age=60, stale-if-error=60");
        for validator in [("etag", "W/\"1\""), ("last-modified", &*date(NOW - 9))] {
            let rules = rules(&route(), &[no_cache, validator]);
            assert!(rules.always_validate && rules.never_stale && rules.has_validator);
            assert_eq!(rules.stale_if_error_ms, 0);
        }
        assert_eq!(response(&route(), 200, &[no_cache]), Err(Refusal::Expired));
    }

    #[test]
    fn an_expired_response_is_stored_only_if_it_can_be_used() {
        let stored = |line| response(&route(), 200, &[("cache-control", line)]).is_ok();
        assert!(!stored("max-age=0"));
        assert!(stored("max-age=0, stale-while-revalidate=5"));
        assert!(stored("max-age=0, stale-if-error=5"));
        let lines = [("cache-control", "max-age=0"), ("etag", "\"1\"")];
        assert!(response(&route(), 200, &lines).is_ok());
    }

    #[test]
    fn an_invalid_last_modified_is_no_validator() {
        let lines = [("last-modified", "yesterday")];
        let rules = rules(&route(), &lines);
        assert_eq!((rules.last_modified, rules.has_validator), (None, false));
    }

    #[test]
    fn only_get_and_head_use_the_cache_and_only_get_stores() {
        assert_eq!(request(&route(), Method::GET, &[]), None);
        assert_eq!(request(&route(), Method::HEAD, &[]), None);
        for method in [Method::POST, Method::PUT, Method::OPTIONS, Method::DELETE] {
            assert_eq!(request(&route(), method, &[]), Some(Refusal::Method));
        }
        let headers = HeaderMap::new();
        let response = Response {
            status: StatusCode::OK,
            headers: &headers,
            requested_ms: 0,
            received_ms: 0,
        };
        let head = Request {
            method: &Method::HEAD,
            headers: &headers,
            is_keyed_by_user: false,
        };
        assert_eq!(
            decide(head, response, &route().policy, Duration::ZERO),
            Err(Refusal::Method)
        );
    }

    #[test]
    fn requests_that_another_answer_may_be_for_do_not_use_the_cache() {
        let refused = |line| request(&by_user(), Method::GET, &[line]);
        assert_eq!(refused(("content-length", "3")), Some(Refusal::RequestBody));
        assert_eq!(
            refused(("transfer-encoding", "chunked")),
            Some(Refusal::RequestBody)
        );
        assert_eq!(refused(("content-length", "0")), None);
        assert_eq!(refused(("upgrade", "websocket")), Some(Refusal::Upgrade));
        assert_eq!(refused(("upgrade", "h2c")), None);
        assert_eq!(
            refused(("upgrade", "h2c, websocket")),
            Some(Refusal::Upgrade)
        );
        assert_eq!(refused(("if-match", "*")), Some(Refusal::Precondition));
        let unmodified = ("if-unmodified-since", &*date(NOW));
        assert_eq!(refused(unmodified), Some(Refusal::Precondition));
        assert_eq!(refused(("if-none-match", "*")), None);
        assert_eq!(refused(("range", "bytes=0-1")), None);
    }

    #[test]
    fn authorized_requests_need_the_user_in_the_key_or_a_public_route() {
        let authorized = [("authorization", "Basic dTpw")];
        let refused = |layer: &Layer| request(layer, Method::GET, &authorized);
        assert_eq!(refused(&route()), Some(Refusal::Authorization));
        assert_eq!(refused(&by_user()), None);
        let public = with(|policy| {
            policy.authorized_public = true;
        });
        assert_eq!(refused(&public), None);
        // What the response permits (section 3.5) can't be known before the handler has run.
        let headers = fields(&authorized);
        let response_headers = fields(&[("cache-control", "public, max-age=60")]);
        let response = Response {
            status: StatusCode::OK,
            headers: &response_headers,
            requested_ms: 0,
            received_ms: 0,
        };
        let request = Request {
            method: &Method::GET,
            headers: &headers,
            is_keyed_by_user: false,
        };
        let refused = decide(request, response, &route().policy, Duration::ZERO);
        assert_eq!(refused, Err(Refusal::Authorization));
    }

    #[test]
    fn every_cookie_must_be_in_the_key_unless_cookies_are_ignored() {
        let refused = |layer: &Layer, line: &str| {
            let refused = request(layer, Method::GET, &[("cookie", line)]);
            assert!(matches!(refused, None | Some(Refusal::Cookie)));
            refused.is_some()
        };
        assert!(refused(&route(), "session=1"));
        assert!(refused(&route(), "x"));
        assert!(!refused(&route(), ""));
        assert!(!refused(&by_user(), "session=1"));
        let ignored = with(|policy| {
            policy.cookies = CookiePolicy::Ignored;
        });
        assert!(!refused(&ignored, "session=1"));
        let named = with(|policy| {
            policy.cookies = CookiePolicy::InKey(vec!["theme".to_owned(), "lang".to_owned()]);
        });
        assert!(!refused(&named, "theme=dark"));
        assert!(!refused(&named, "theme=dark; lang=en;"));
        assert!(refused(&named, "theme=dark; session=1"));
        assert!(refused(&named, "theme=dark; theme=light"));
        assert!(refused(&named, "Theme=dark"));
        let lines = [("cookie", "theme=dark"), ("cookie", "session=1")];
        assert_eq!(request(&named, Method::GET, &lines), Some(Refusal::Cookie));
    }

    #[test]
    fn no_store_of_a_request_counts_only_in_layers_that_obey() {
        let lines = [("cache-control", "no-store")];
        assert_eq!(request(&route(), Method::GET, &lines), None);
        let obedient = with(|policy| {
            policy.obey_requests = true;
        });
        assert_eq!(
            request(&obedient, Method::GET, &lines),
            Some(Refusal::RequestNoStore)
        );
    }

    #[test]
    fn reasons_are_tokens() {
        for reason in [
            Refusal::Method,
            Refusal::RequestNoStore,
            Refusal::EventStream,
        ] {
            assert!(reason.as_str().bytes().all(list::is_token_byte));
        }
    }
}
