//! `Cache-Status` (RFC 9211): the cache's decision, for debugging.

use std::fmt::Write;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::storage::Refusal;

/// Outcome of a request, for the field `Cache-Status`. The field never has the key, which may name a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CacheStatus {
    /// Answered from the cache.
    Hit {
        /// Remaining freshness in seconds, negative for a stale response.
        ttl: i64,
    },
    /// Answered with 304, as the version of the data is the client's.
    Unchanged,
    /// Answered by the handler.
    Forwarded {
        forward: Forward,
        /// The response was stored.
        stored: bool,
        /// The handler ran for another request, and this one waited for it.
        collapsed: bool,
        /// Why the cache wasn't used, or the response not stored.
        detail: Option<Refusal>,
    },
}

/// Why a request went to the handler (RFC 9211, 2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Forward {
    /// The layer doesn't cache this request.
    Bypass,
    /// The method isn't cached.
    Method,
    /// Nothing was stored for the URI.
    UriMiss,
    /// Only other variants were stored.
    VaryMiss,
    /// The stored response was fresh, and the request's directives didn't accept it.
    Request,
    /// The stored response was stale.
    Stale,
}

impl Forward {
    const fn as_str(self) -> &'static str {
        match self {
            Forward::Bypass => "bypass",
            Forward::Method => "method",
            Forward::UriMiss => "uri-miss",
            Forward::VaryMiss => "vary-miss",
            Forward::Request => "request",
            Forward::Stale => "stale",
        }
    }
}

/// Largest number of a structured field (RFC 9651, 3.3.1): fifteen digits.
const LARGEST: i64 = 999_999_999_999_999;

impl CacheStatus {
    /// Return the status of a request that the cache wasn't used for.
    pub(crate) fn refused(reason: Refusal) -> Self {
        let forward = match reason {
            Refusal::Method => Forward::Method,
            Refusal::RequestNoStore | Refusal::OnlyIfCached => Forward::Request,
            _ => Forward::Bypass,
        };
        CacheStatus::Forwarded {
            forward,
            stored: false,
            collapsed: false,
            detail: Some(reason),
        }
    }

    /// Return this cache's element of the field.
    pub(crate) fn value(self) -> HeaderValue {
        if let CacheStatus::Forwarded {
            forward,
            stored,
            collapsed: false,
            detail: None,
        } = self
        {
            // The two most common ones allocate nothing.
            match (forward, stored) {
                (Forward::Bypass, false) => {
                    return HeaderValue::from_static("cache-http; fwd=bypass");
                }
                (Forward::UriMiss, true) => {
                    return HeaderValue::from_static("cache-http; fwd=uri-miss; stored");
                }
                _ => {}
            }
        }
        let mut text = String::with_capacity(64);
        text.push_str("cache-http; ");
        match self {
            CacheStatus::Hit { ttl } => {
                // Writing to a string doesn't fail.
                _ = write!(text, "hit; ttl={}", ttl.clamp(-LARGEST, LARGEST));
            }
            CacheStatus::Unchanged => text.push_str("hit; detail=etag-by"),
            CacheStatus::Forwarded {
                forward,
                stored,
                collapsed,
                detail,
            } => {
                text.push_str("fwd=");
                text.push_str(forward.as_str());
                text.push_str(if stored { "; stored" } else { "" });
                text.push_str(if collapsed { "; collapsed" } else { "" });
                if let Some(detail) = detail {
                    text.push_str("; detail=");
                    text.push_str(detail.as_str());
                }
            }
        }
        HeaderValue::try_from(text).expect("tokens and digits")
    }

    /// Append the element to the field, after those of caches nearer to the origin (RFC 9211, 2).
    pub(crate) fn append(self, headers: &mut HeaderMap, name: HeaderName) {
        headers.append(name, self.value());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(forward: Forward) -> CacheStatus {
        CacheStatus::Forwarded {
            forward,
            stored: false,
            collapsed: false,
            detail: None,
        }
    }

    #[test]
    fn a_hit_says_how_long_the_response_is_fresh() {
        let value = |ttl| CacheStatus::Hit { ttl }.value();
        assert_eq!(value(59), "cache-http; hit; ttl=59");
        assert_eq!(value(-3), "cache-http; hit; ttl=-3");
        assert_eq!(value(i64::MAX), "cache-http; hit; ttl=999999999999999");
        assert_eq!(value(i64::MIN), "cache-http; hit; ttl=-999999999999999");
    }

    #[test]
    fn a_miss_says_why() {
        for (forward, token) in [
            (Forward::Bypass, "bypass"),
            (Forward::Method, "method"),
            (Forward::UriMiss, "uri-miss"),
            (Forward::VaryMiss, "vary-miss"),
            (Forward::Request, "request"),
            (Forward::Stale, "stale"),
        ] {
            let expected = format!("cache-http; fwd={token}");
            assert_eq!(forwarded(forward).value(), expected);
        }
    }

    #[test]
    fn a_miss_says_what_became_of_the_response() {
        let status = CacheStatus::Forwarded {
            forward: Forward::UriMiss,
            stored: true,
            collapsed: false,
            detail: None,
        };
        assert_eq!(status.value(), "cache-http; fwd=uri-miss; stored");
        let status = CacheStatus::Forwarded {
            forward: Forward::UriMiss,
            stored: true,
            collapsed: true,
            detail: None,
        };
        assert_eq!(
            status.value(),
            "cache-http; fwd=uri-miss; stored; collapsed"
        );
        let status = CacheStatus::Forwarded {
            forward: Forward::UriMiss,
            stored: false,
            collapsed: false,
            detail: Some(Refusal::SetCookie),
        };
        assert_eq!(
            status.value(),
            "cache-http; fwd=uri-miss; detail=set-cookie"
        );
    }

    #[test]
    fn a_request_that_is_refused_says_by_which_rule() {
        let value = |reason| CacheStatus::refused(reason).value();
        let expected = "cache-http; fwd=bypass; detail=authorization";
        assert_eq!(value(Refusal::Authorization), expected);
        assert_eq!(
            value(Refusal::Method),
            "cache-http; fwd=method; detail=method"
        );
        let expected = "cache-http; fwd=request; detail=request-no-store";
        assert_eq!(value(Refusal::RequestNoStore), expected);
    }

    #[test]
    fn elements_of_caches_nearer_to_the_origin_stay_first() {
        let name = HeaderName::from_static("cache-status");
        let mut headers = HeaderMap::new();
        headers.append(&name, HeaderValue::from_static("origin; hit"));
        CacheStatus::Hit { ttl: 1 }.append(&mut headers, name.clone());
        let lines = headers.get_all(&name).iter().collect::<Vec<_>>();
        assert_eq!(lines, ["origin; hit", "cache-http; hit; ttl=1"]);
    }
}
