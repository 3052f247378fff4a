//! Sets of response fields for browsers and other caches.

use std::time::{Duration, SystemTime};

use http::HeaderValue;
use http::header::{CACHE_CONTROL, EXPIRES, HeaderMap, VARY};

use crate::lifetime::{Lifetime, time};

/// The caches that may store a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Privacy {
    /// All caches, shared ones as well: the response is the same for everybody.
    Public,
    /// The user's browser only. A [`CacheLayer`](crate::CacheLayer) stores such a response only if
    /// its key has the user.
    #[default]
    Private,
}

/// Return the value of `Cache-Control` that lets caches keep a response for this long.
///
/// `ttl` is rounded down to whole seconds. A `ttl` of zero is `no-cache`: caches ask each time.
/// An invalidation doesn't reach browsers before the time has passed.
///
/// # Panics
///
/// If `ttl` is a text that isn't a time.
///
/// ```
/// use cache_http::{Privacy, cache_control};
///
/// assert_eq!(cache_control("1h", Privacy::Public), "public, max-age=3600");
/// assert_eq!(cache_control(300, Privacy::Private), "private, max-age=300");
/// assert_eq!(cache_control(0, Privacy::Private), "private, no-cache");
/// ```
#[track_caller]
pub fn cache_control(ttl: impl Lifetime, privacy: Privacy) -> HeaderValue {
    directives(time("cache_control", ttl), privacy)
}

/// Return the fields of a response that caches may keep for this long: `Cache-Control`, `Expires`
/// for caches that know nothing else, and `Vary` with the request fields that the response depends
/// on.
///
/// A handler of axum returns them as a part of its response. `Expires` is the time of the call plus
/// `ttl`, as `max-age` is. A `ttl` of zero sets none.
///
/// # Panics
///
/// If `ttl` is a text that isn't a time, or a name isn't one of a field.
///
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::response::IntoResponse;
/// use cache_http::{Privacy, headers_for};
///
/// async fn materials() -> impl IntoResponse {
///     (headers_for("1h", Privacy::Public, ["accept-language"]), "the list of materials")
/// }
///
/// let headers = headers_for("1h", Privacy::Public, ["accept", "accept-language"]);
/// assert_eq!(headers["cache-control"], "public, max-age=3600");
/// assert_eq!(headers["vary"], "accept, accept-language");
/// assert!(headers.contains_key("expires"));
/// ```
#[track_caller]
pub fn headers_for<'n>(
    ttl: impl Lifetime,
    privacy: Privacy,
    vary: impl IntoIterator<Item = &'n str>,
) -> HeaderMap {
    let ttl = time("headers_for", ttl);
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, directives(ttl, privacy));
    if let Some(expires) = expires(ttl) {
        headers.insert(EXPIRES, expires);
    }
    let names = vary.into_iter().collect::<Vec<_>>();
    for name in &names {
        let is_name = http::HeaderName::try_from(*name).is_ok();
        assert!(is_name, "`headers_for`: `{name}` isn't the name of a field");
    }
    if !names.is_empty() {
        let names = HeaderValue::try_from(names.join(", ")).expect("names are ASCII");
        headers.insert(VARY, names);
    }
    headers
}

fn directives(ttl: Duration, privacy: Privacy) -> HeaderValue {
    let scope = match privacy {
        Privacy::Public => "public",
        Privacy::Private => "private",
    };
    let text = match ttl.as_secs() {
        0 => format!("{scope}, no-cache"),
        seconds => format!("{scope}, max-age={seconds}"),
    };
    HeaderValue::try_from(text).expect("tokens and digits")
}

/// Return the date at which a response expires. Dates end with the year 9999.
fn expires(ttl: Duration) -> Option<HeaderValue> {
    const END: Duration = Duration::from_secs(253_402_300_799);
    let whole = Duration::from_secs(ttl.as_secs());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let at = now.ok()?.checked_add(whole).unwrap_or(END).min(END);
    (!whole.is_zero()).then(|| {
        let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + at);
        HeaderValue::try_from(date).expect("a date is ASCII")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_end_is_a_valid_date() {
        let headers = headers_for(u64::MAX, Privacy::Private, []);
        assert_eq!(headers[EXPIRES], "Fri, 31 Dec 9999 23:59:59 GMT");
        let expected = "private, max-age=18446744073709551615";
        assert_eq!(headers[CACHE_CONTROL], expected);
        assert!(!headers.contains_key(VARY));
    }

    #[test]
    fn without_a_time_caches_ask() {
        let headers = headers_for("500ms", Privacy::Public, ["accept"]);
        assert_eq!(headers[CACHE_CONTROL], "public, no-cache");
        assert!(!headers.contains_key(EXPIRES));
    }

    #[test]
    #[should_panic(expected = "`a b` isn't the name of a field")]
    fn a_name_of_no_field_panics() {
        headers_for(1, Privacy::Public, ["a b"]);
    }
}
