//! Conditional requests (RFC 9110, 13; section 4.3).
//!
//! `If-Match` and `If-Unmodified-Since` are the handler's: [`super::storage::admit`] refuses them.

use http::StatusCode;
use http::header::{
    self, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, RANGE,
};

use super::freshness::StoredRules;
use super::{date, etag, list};

/// Return whether a request is answered with 304 from a stored response.
///
/// `etag` is the stored field, byte for byte.
pub(crate) fn is_not_modified(
    request: &HeaderMap,
    status: StatusCode,
    etag: Option<&HeaderValue>,
    rules: &StoredRules,
) -> bool {
    // RFC 9110, 13.2.1: conditions count only where the answer would be a success otherwise.
    if !status.is_success() {
        return false;
    }
    // RFC 9110, 13.1.3 and 13.2.2: the tag precedes the date, whether it matches or not.
    if request.contains_key(IF_NONE_MATCH) {
        return matches_any(request, etag);
    }
    let Some(since) = date::of(request, &IF_MODIFIED_SINCE) else {
        return false;
    };
    // Section 4.3.2: without `Last-Modified`, `Date` says since when the response is this one.
    rules.last_modified.unwrap_or(rules.date) <= since
}

/// Return whether `If-None-Match` names the tag (RFC 9110, 13.1.2), or any (`*`).
fn matches_any(request: &HeaderMap, etag: Option<&HeaderValue>) -> bool {
    let mut lines = request.get_all(IF_NONE_MATCH).iter();
    etag.is_some_and(|etag| names_tag(request, etag))
        || lines.any(|line| list::trim(line.as_bytes()) == b"*")
}

/// Return whether `If-None-Match` names this tag. A `*` doesn't: it asks for a representation that
/// exists.
pub(crate) fn names_tag(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let etag = etag.as_bytes();
    let mut lines = request.get_all(IF_NONE_MATCH).iter();
    lines.any(|line| {
        let line = line.as_bytes();
        // Most requests name the one tag that they got.
        line == etag || etag::tags(line).any(|tag| etag::matches_weakly(tag, etag))
    })
}

/// Return whether a 304 carries a field of the stored response (RFC 9110, 15.4.5).
///
/// `Last-Modified` is carried where no tag is. The fields of CORS are, too: a browser checks them
/// on this answer, and hides it from the page otherwise.
pub(crate) fn is_in_304(name: &HeaderName, has_etag: bool) -> bool {
    match *name {
        header::CACHE_CONTROL
        | header::CONTENT_LOCATION
        | header::DATE
        | ETAG
        | header::EXPIRES
        | header::VARY => true,
        LAST_MODIFIED => !has_etag,
        ref name => name.as_str().starts_with("access-control-"),
    }
}

/// Remove the conditions and the range of a request, so that the handler answers with a whole
/// response that can be stored. The client's own copy of the fields decides on what it gets.
pub(crate) fn ask_for_whole(request: &mut HeaderMap) {
    for name in [IF_NONE_MATCH, IF_MODIFIED_SINCE, RANGE, IF_RANGE] {
        request.remove(name);
    }
}

/// Ask the handler whether the stored response is still valid (section 4.3.1): 304 if it is.
///
/// Only for a response with [`StoredRules::has_validator`]. A tag that the cache has made isn't
/// sent: the handler doesn't know it, and would ignore `If-Modified-Since` beside it.
pub(crate) fn ask_for_changes(request: &mut HeaderMap, stored: &HeaderMap, rules: &StoredRules) {
    ask_for_whole(request);
    if let Some(tag) = stored.get(ETAG).filter(|_| !rules.has_own_tag) {
        request.insert(IF_NONE_MATCH, tag.clone());
    }
    if let Some(modified) = stored.get(LAST_MODIFIED) {
        request.insert(IF_MODIFIED_SINCE, modified.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: u64 = 1_000_000;
    const SENT: u64 = 2_000_000;

    fn fields(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a valid field value");
            (HeaderName::from_static(name), value)
        });
        lines.collect()
    }

    fn date(seconds: u64) -> String {
        let value = date::value(seconds);
        value.to_str().expect("a date is ASCII").to_owned()
    }

    fn rules(last_modified: Option<u64>) -> StoredRules {
        StoredRules {
            date: SENT,
            last_modified,
            ..Default::default()
        }
    }

    fn tag_matches(tag: &str, condition: &[&str]) -> bool {
        let lines = condition.iter().map(|line| ("if-none-match", *line));
        let request = fields(&lines.collect::<Vec<_>>());
        let etag = HeaderValue::from_bytes(tag.as_bytes()).expect("a valid field value");
        is_not_modified(&request, StatusCode::OK, Some(&etag), &rules(None))
    }

    fn date_matches(last_modified: Option<u64>, since: &str) -> bool {
        let request = fields(&[("if-modified-since", since)]);
        is_not_modified(&request, StatusCode::OK, None, &rules(last_modified))
    }

    #[test]
    fn a_request_without_conditions_gets_the_response() {
        let etag = HeaderValue::from_static("\"a\"");
        let rules = rules(Some(MODIFIED));
        assert!(!is_not_modified(
            &HeaderMap::new(),
            StatusCode::OK,
            Some(&etag),
            &rules
        ));
    }

    #[test]
    fn if_none_match_takes_all_its_forms() {
        for condition in [
            &["\"a\""][..],
            &["W/\"a\""],
            &["\"b\", \"a\""],
            &["\"a\",\"b\""],
            &["\"b\", W/\"a\", \"c\""],
            &["\"b\"", "\"a\""],
            &["*"],
            &[" * "],
        ] {
            assert!(tag_matches("\"a\"", condition), "{condition:?}");
            assert!(tag_matches("W/\"a\"", condition), "{condition:?}");
        }
        for condition in [
            &["\"b\""][..],
            &["a"],
            &["\"A\""],
            &[""],
            &["\"b,\"a\"\""],
            &["*a"],
        ] {
            assert!(!tag_matches("\"a\"", condition), "{condition:?}");
        }
        assert!(tag_matches("\"é\"", &["\"é\""]));
        assert!(tag_matches("\"a,b\"", &["\"a,b\""]));
        assert!(tag_matches("unquoted", &["unquoted"]));
    }

    #[test]
    fn a_star_matches_a_response_without_a_tag_and_a_tag_does_not() {
        let matches = |condition| {
            let request = fields(&[("if-none-match", condition)]);
            is_not_modified(&request, StatusCode::OK, None, &rules(None))
        };
        assert!(matches("*"));
        assert!(!matches("\"a\""));
        assert!(!matches("\"*\""));
    }

    #[test]
    fn a_date_matches_if_the_response_is_not_newer() {
        assert!(date_matches(Some(MODIFIED), &date(MODIFIED)));
        assert!(date_matches(Some(MODIFIED), &date(MODIFIED + 1)));
        assert!(!date_matches(Some(MODIFIED), &date(MODIFIED - 1)));
        assert!(date_matches(
            Some(784_111_777),
            "Sunday, 06-Nov-94 08:49:37 GMT"
        ));
    }

    #[test]
    fn without_last_modified_the_date_of_the_response_is_compared() {
        assert!(date_matches(None, &date(SENT)));
        assert!(!date_matches(None, &date(SENT - 1)));
    }

    #[test]
    fn an_invalid_date_is_ignored() {
        assert!(!date_matches(Some(MODIFIED), "tomorrow"));
        let twice = [
            ("if-modified-since", &*date(SENT)),
            ("if-modified-since", &*date(SENT)),
        ];
        let request = fields(&twice);
        assert!(!is_not_modified(
            &request,
            StatusCode::OK,
            None,
            &rules(Some(MODIFIED))
        ));
    }

    #[test]
    fn the_tag_precedes_the_date() {
        let etag = HeaderValue::from_static("\"a\"");
        let matches = |tag, since| {
            let since = date(since);
            let request = fields(&[("if-none-match", tag), ("if-modified-since", &since)]);
            is_not_modified(
                &request,
                StatusCode::OK,
                Some(&etag),
                &rules(Some(MODIFIED)),
            )
        };
        assert!(!matches("\"b\"", MODIFIED));
        assert!(matches("\"a\"", MODIFIED - 1));
    }

    #[test]
    fn conditions_count_only_for_successes() {
        let request = fields(&[("if-none-match", "*")]);
        let matches = |status| is_not_modified(&request, status, None, &rules(None));
        assert!(matches(StatusCode::OK));
        for status in [
            StatusCode::NOT_FOUND,
            StatusCode::FOUND,
            StatusCode::BAD_GATEWAY,
        ] {
            assert!(!matches(status), "{status}");
        }
    }

    #[test]
    fn a_304_carries_what_caches_need() {
        let names = [
            "etag",
            "vary",
            "cache-control",
            "date",
            "expires",
            "content-location",
            "access-control-allow-origin",
        ];
        for name in names {
            assert!(is_in_304(&HeaderName::from_static(name), true), "{name}");
        }
        for name in [
            "content-type",
            "content-length",
            "content-encoding",
            "x-a",
            "set-cookie",
        ] {
            assert!(!is_in_304(&HeaderName::from_static(name), true), "{name}");
        }
        assert!(is_in_304(&LAST_MODIFIED, false));
        assert!(!is_in_304(&LAST_MODIFIED, true));
    }

    #[test]
    fn the_handler_is_asked_for_the_whole_response() {
        let mut request = fields(&[
            ("if-none-match", "\"a\""),
            ("if-none-match", "\"b\""),
            ("if-modified-since", "x"),
            ("range", "bytes=0-1"),
            ("if-range", "\"a\""),
            ("accept", "*/*"),
        ]);
        ask_for_whole(&mut request);
        assert_eq!(request, fields(&[("accept", "*/*")]));
    }

    #[test]
    fn the_handler_is_asked_about_the_stored_response_and_not_about_the_clients() {
        let mut request = fields(&[("if-none-match", "\"client\""), ("range", "bytes=0-1")]);
        let stored = fields(&[("etag", "W/\"a\""), ("last-modified", "then")]);
        ask_for_changes(&mut request, &stored, &rules(None));
        let expected = [("if-none-match", "W/\"a\""), ("if-modified-since", "then")];
        assert_eq!(request, fields(&expected));
        let own = StoredRules {
            has_own_tag: true,
            ..rules(None)
        };
        ask_for_changes(&mut request, &stored, &own);
        assert_eq!(request, fields(&[("if-modified-since", "then")]));
    }
}
