//! One range of bytes from a stored whole (RFC 9110, 14).

use std::ops::Range;

use http::header::{HeaderMap, HeaderValue, IF_RANGE, RANGE};
use http::{Method, StatusCode};

use super::freshness::StoredRules;
use super::{date, etag, list};

/// Answer to a request with `Range`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Selection {
    /// The whole response, as if there were no `Range`.
    Whole,
    /// 206 with these bytes of the body, at least one.
    Part(Range<usize>),
    /// 416: the body has none of the bytes.
    Unsatisfiable,
}

/// A stored whole response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) status: StatusCode,
    /// The field, byte for byte.
    pub(crate) etag: Option<&'a HeaderValue>,
    pub(crate) rules: &'a StoredRules,
    /// Length of the body in bytes.
    pub(crate) length: usize,
}

/// Select the bytes that a request asks for. Conditions come first: a 304 has no range (RFC 9110,
/// 13.2.2).
pub(crate) fn select(method: &Method, request: &HeaderMap, stored: Stored<'_>) -> Selection {
    let mut lines = request.get_all(RANGE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Selection::Whole;
    };
    // RFC 9110, 14.2: only for GET, and only where the answer would be 200.
    if method != Method::GET || stored.status != StatusCode::OK || !is_unchanged(request, stored) {
        return Selection::Whole;
    }
    match only_range(line.as_bytes()) {
        Some(range) => range.of(stored.length),
        None => Selection::Whole,
    }
}

/// Return the `Content-Range` of a part, or of a 416 (RFC 9110, 14.4).
pub(crate) fn content_range(part: Option<&Range<usize>>, length: usize) -> HeaderValue {
    let text = match part {
        Some(part) => format!(
            "bytes {}-{}/{length}",
            part.start,
            part.end.saturating_sub(1)
        ),
        None => format!("bytes */{length}"),
    };
    HeaderValue::try_from(text).expect("digits and ASCII")
}

/// Return whether the client's part is of the stored response (`If-Range`; RFC 9110, 13.1.5). A tag
/// must be strong; a date must be the same, and so old that the response can't have changed within
/// its second (8.8.2.2).
fn is_unchanged(request: &HeaderMap, stored: Stored<'_>) -> bool {
    let mut lines = request.get_all(IF_RANGE).iter();
    let condition = match (lines.next(), lines.next()) {
        (None, _) => return true,
        (Some(condition), None) => condition.as_bytes(),
        (Some(_), Some(_)) => return false,
    };
    let has_tag = |etag: &HeaderValue| etag::matches_strongly(etag.as_bytes(), condition);
    if stored.etag.is_some_and(has_tag) {
        return true;
    }
    let modified = stored.rules.last_modified;
    modified.is_some_and(|modified| {
        date::parse(condition) == Some(modified) && modified < stored.rules.date
    })
}

/// A range as it is written.
enum Asked {
    From { first: usize, last: usize },
    Last(usize),
}

impl Asked {
    /// Return what it selects of a body of `length` bytes (RFC 9110, 14.1.2).
    fn of(self, length: usize) -> Selection {
        match self {
            Asked::From { first, .. } if first >= length => Selection::Unsatisfiable,
            Asked::From { first, last } => {
                Selection::Part(first..last.saturating_add(1).min(length))
            }
            Asked::Last(0) => Selection::Unsatisfiable,
            // It is satisfiable, but no `Content-Range` can say so.
            Asked::Last(_) if length == 0 => Selection::Whole,
            Asked::Last(suffix) => Selection::Part(length.saturating_sub(suffix)..length),
        }
    }
}

/// Return the range if there is one only. A server may ignore any `Range`: it does so for several
/// ranges, other units, and ones that are invalid.
fn only_range(line: &[u8]) -> Option<Asked> {
    const UNIT: &[u8] = b"bytes=";
    let line = list::trim(line);
    // Units are in any case (RFC 9110, 14.1).
    let (unit, ranges) = line.split_at_checked(UNIT.len())?;
    if !unit.eq_ignore_ascii_case(UNIT) {
        return None;
    }
    let mut ranges = ranges.split(|byte| *byte == b',').map(list::trim);
    let mut ranges = ranges.by_ref().filter(|range| !range.is_empty());
    let (Some(range), None) = (ranges.next(), ranges.next()) else {
        return None;
    };
    let dash = range.iter().position(|byte| *byte == b'-')?;
    let (first, last) = (&range[..dash], &range[dash + 1..]);
    match (first, last) {
        ([], suffix) => Some(Asked::Last(position(suffix)?)),
        (first, []) => Some(Asked::From {
            first: position(first)?,
            last: usize::MAX,
        }),
        (first, last) => {
            let (first, last) = (position(first)?, position(last)?);
            (first <= last).then_some(Asked::From { first, last })
        }
    }
}

/// Return the position that the digits name. Saturates: no body is that long.
fn position(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0_usize, |position, digit| {
        position
            .saturating_mul(10)
            .saturating_add(usize::from(digit - b'0'))
    }))
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;
    use proptest::prelude::*;

    use super::*;

    const MODIFIED: u64 = 1_000_000;

    fn fields(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a valid field value");
            (HeaderName::from_static(name), value)
        });
        lines.collect()
    }

    fn selected(lines: &[(&'static str, &str)], etag: &'static str, length: usize) -> Selection {
        let rules = StoredRules {
            date: MODIFIED + 1,
            last_modified: Some(MODIFIED),
            ..Default::default()
        };
        let stored = Stored {
            status: StatusCode::OK,
            etag: Some(&HeaderValue::from_static(etag)),
            rules: &rules,
            length,
        };
        select(&Method::GET, &fields(lines), stored)
    }

    /// Select from ten bytes.
    fn of_ten(range: &str) -> Selection {
        selected(&[("range", range)], "\"a\"", 10)
    }

    #[test]
    fn one_range_is_a_part() {
        assert_eq!(of_ten("bytes=0-4"), Selection::Part(0..5));
        assert_eq!(of_ten("bytes=1-"), Selection::Part(1..10));
        assert_eq!(of_ten("bytes=-3"), Selection::Part(7..10));
        assert_eq!(of_ten("bytes=9-9"), Selection::Part(9..10));
        assert_eq!(of_ten("BYTES= 0-0 ,"), Selection::Part(0..1));
    }

    #[test]
    fn a_range_ends_with_the_body() {
        assert_eq!(of_ten("bytes=5-99"), Selection::Part(5..10));
        assert_eq!(of_ten("bytes=-99"), Selection::Part(0..10));
        let huge = "bytes=5-99999999999999999999999999";
        assert_eq!(of_ten(huge), Selection::Part(5..10));
    }

    #[test]
    fn a_range_without_bytes_is_unsatisfiable() {
        for range in [
            "bytes=10-",
            "bytes=10-20",
            "bytes=-0",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(of_ten(range), Selection::Unsatisfiable, "{range}");
        }
        let empty = |range| selected(&[("range", range)], "\"a\"", 0);
        assert_eq!(empty("bytes=0-"), Selection::Unsatisfiable);
        assert_eq!(empty("bytes=-1"), Selection::Whole);
    }

    #[test]
    fn several_ranges_and_what_is_not_one_get_the_whole() {
        for range in [
            "bytes=0-1,3-4",
            "bytes=4-1",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=0",
            "bytes",
            "lines=0-1",
            "0-1",
            "",
            "bytes=+1-2",
            "bytes=1--2",
            "bytes =0-1",
        ] {
            assert_eq!(of_ten(range), Selection::Whole, "{range}");
        }
        let lines = [("range", "bytes=0-1"), ("range", "bytes=2-3")];
        assert_eq!(selected(&lines, "\"a\"", 10), Selection::Whole);
        assert_eq!(selected(&[], "\"a\"", 10), Selection::Whole);
    }

    #[test]
    fn only_get_of_a_200_has_parts() {
        let rules = StoredRules::default();
        let stored = |status| Stored {
            status,
            etag: None,
            rules: &rules,
            length: 10,
        };
        let request = fields(&[("range", "bytes=0-1")]);
        let part = Selection::Part(0..2);
        assert_eq!(select(&Method::GET, &request, stored(StatusCode::OK)), part);
        let head = select(&Method::HEAD, &request, stored(StatusCode::OK));
        assert_eq!(head, Selection::Whole);
        let missing = select(&Method::GET, &request, stored(StatusCode::NOT_FOUND));
        assert_eq!(missing, Selection::Whole);
    }

    #[test]
    fn if_range_needs_the_same_strong_validator() {
        let of = |etag, condition: &str| {
            let lines = [("range", "bytes=0-1"), ("if-range", condition)];
            selected(&lines, etag, 10) == Selection::Part(0..2)
        };
        let modified = date::value(MODIFIED);
        let modified = modified.to_str().expect("a date is ASCII");
        assert!(of("\"a\"", "\"a\""));
        assert!(of("\"a\"", modified));
        for (etag, condition) in [
            ("\"a\"", "\"b\""),
            ("W/\"a\"", "W/\"a\""),
            ("W/\"a\"", "\"a\""),
            ("\"a\"", "W/\"a\""),
            ("\"a\"", "*"),
            ("\"a\"", "Fri, 31 Dec 1999 23:59:59 GMT"),
        ] {
            assert!(!of(etag, condition), "{etag} {condition}");
        }
        let twice = [
            ("range", "bytes=0-1"),
            ("if-range", "\"a\""),
            ("if-range", "\"a\""),
        ];
        assert_eq!(selected(&twice, "\"a\"", 10), Selection::Whole);
    }

    #[test]
    fn a_date_within_the_second_of_the_response_is_no_strong_validator() {
        let rules = StoredRules {
            date: MODIFIED,
            last_modified: Some(MODIFIED),
            ..Default::default()
        };
        let stored = Stored {
            status: StatusCode::OK,
            etag: None,
            rules: &rules,
            length: 10,
        };
        let mut request = fields(&[("range", "bytes=0-1")]);
        request.insert(IF_RANGE, date::value(MODIFIED));
        assert_eq!(select(&Method::GET, &request, stored), Selection::Whole);
    }

    #[test]
    fn content_range_names_the_first_and_the_last_byte() {
        assert_eq!(content_range(Some(&(0..5)), 10), "bytes 0-4/10");
        assert_eq!(content_range(None, 10), "bytes */10");
    }

    proptest! {
        #[test]
        fn a_part_is_within_the_body(range in "bytes=[0-9]{0,3}-[0-9]{0,3}", length in 0_usize..300) {
            if let Selection::Part(part) = selected(&[("range", &range)], "\"a\"", length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}
