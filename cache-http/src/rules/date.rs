//! HTTP dates (RFC 9110, 5.6.7), as seconds since the Unix epoch.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use http::header::{HeaderMap, HeaderName};

/// The last second of the year 9999, the last one that the format has.
const LAST: u64 = 253_402_300_799;

/// Parse a date in any of the three formats, or return `None` if it is invalid. A date before 1970
/// is, too.
///
/// Names are read in any case, as section 4.2 asks of caches.
pub(crate) fn parse(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let date = httpdate::parse_http_date(text).ok();
    let date = date.or_else(|| parse_unusual(&in_usual_case(text)));
    let since = date?.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

/// The names of the days in the formats with short names, and in the one with long names.
const DAYS: [[&str; 7]; 2] = [
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ],
];

/// Parse a date whose name of the day may be wrong. The name says nothing that the rest doesn't.
fn parse_unusual(text: &str) -> Option<SystemTime> {
    let end = text.find([',', ' '])?;
    let (named, rest) = text.split_at(end);
    let days = DAYS.iter().find(|days| days.contains(&named))?;
    let mut dates = days.iter().map(|day| format!("{day}{rest}"));
    dates.find_map(|date| httpdate::parse_http_date(&date).ok())
}

/// Return the date in a field, or `None` if the field is absent, invalid, or has several lines.
pub(crate) fn of(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => parse(line.as_bytes()),
        _ => None,
    }
}

/// Write a date.
pub(crate) fn value(seconds: u64) -> HeaderValue {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds.min(LAST)));
    let date = httpdate::fmt_http_date(time.unwrap_or(SystemTime::UNIX_EPOCH));
    HeaderValue::try_from(date).expect("a date is ASCII")
}

/// Write each word as the format does: `GMT`, and all others with one capital.
fn in_usual_case(text: &str) -> String {
    let mut first = true;
    let capitalized = text.chars().map(|character| {
        let cased = match first {
            true => character.to_ascii_uppercase(),
            false => character.to_ascii_lowercase(),
        };
        first = !character.is_ascii_alphabetic();
        cased
    });
    let capitalized = capitalized.collect::<String>();
    match capitalized.strip_suffix(" Gmt") {
        Some(rest) => format!("{rest} GMT"),
        None => capitalized,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: u64 = 784_111_777;

    #[test]
    fn the_three_formats_name_the_same_moment() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(SECONDS), "{text}");
        }
    }

    #[test]
    fn names_are_read_in_any_case() {
        for text in [
            "SUN, 06 NOV 1994 08:49:37 gMt",
            "sunday, 06-nov-94 08:49:37 gmt",
            "sun nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(SECONDS), "{text}");
        }
    }

    #[test]
    fn the_name_of_the_day_does_not_count() {
        for text in [
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Saturday, 06-Nov-94 08:49:37 GMT",
            "thu Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(SECONDS), "{text}");
        }
        assert_eq!(parse(b"Day, 06 Nov 1994 08:49:37 GMT"), None);
        assert_eq!(parse(b"Sunday, 06 Nov 1994 08:49:37 GMT"), None);
    }

    #[test]
    fn everything_else_is_invalid() {
        for text in [
            "0",
            "",
            "-1",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT",
            "Sun, 06  Nov  1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(b"Sun, 06 Nov 1994 08:49:37 GM\xff"), None);
    }

    #[test]
    fn a_field_with_two_lines_has_no_date() {
        let line = value(SECONDS);
        let mut headers = HeaderMap::new();
        headers.append("date", line.clone());
        assert_eq!(of(&headers, &http::header::DATE), Some(SECONDS));
        headers.append("date", line);
        assert_eq!(of(&headers, &http::header::DATE), None);
    }

    #[test]
    fn any_number_of_seconds_can_be_written() {
        assert_eq!(value(SECONDS), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(value(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(value(u64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
