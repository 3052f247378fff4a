//! Which fields of a response are stored, and `Age` (sections 3.1, 3.2 and 5.1).

use http::header::{
    self, AGE, CONNECTION, CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue,
};

use super::{date, list};

/// Return whether a field is of the connection and not of the response (RFC 9110, 7.6.1), or of a
/// proxy that the client authenticates with (section 3.1).
fn is_hop_by_hop(name: &HeaderName) -> bool {
    match *name {
        CONNECTION
        | header::PROXY_AUTHENTICATE
        | header::PROXY_AUTHORIZATION
        | header::TE
        | header::TRAILER
        | header::TRANSFER_ENCODING
        | header::UPGRADE => true,
        ref name => matches!(
            name.as_str(),
            "keep-alive" | "proxy-authentication-info" | "proxy-connection"
        ),
    }
}

/// Iterate over the fields of a response that may be stored, in order and byte for byte: all but
/// hop-by-hop fields, those that `Connection` names, and those in `omitted`.
///
/// Fields must not be removed from the map instead: that changes the order of the others.
pub(crate) fn end_to_end<'a>(
    headers: &'a HeaderMap,
    omitted: &'a [HeaderName],
) -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> {
    let named = named_by_connection(headers);
    headers.iter().filter(move |(name, _)| {
        !is_hop_by_hop(name) && !omitted.contains(name) && !named.contains(name)
    })
}

/// Return the fields that `Connection` names. Names that no field can have are ignored.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(CONNECTION).iter();
    let names = lines.flat_map(|line| list::tokens(line.as_bytes()));
    names
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .collect()
}

/// Return the fields that are stored of a response: the [end-to-end](end_to_end) ones without
/// `Age`, which each answer says anew, and with a `Date`.
///
/// `sent` is [`StoredRules::date`](super::freshness::StoredRules::date). It replaces a date that is
/// absent or can't be read (RFC 9110, 6.6.1); any other is kept byte for byte.
pub(crate) fn stored(headers: &HeaderMap, omitted: &[HeaderName], sent: u64) -> HeaderMap {
    let has_date = date::of(headers, &DATE).is_some();
    let mut kept = HeaderMap::with_capacity(headers.keys_len() + 2);
    for (name, value) in end_to_end(headers, omitted) {
        if *name != AGE && (has_date || *name != DATE) {
            kept.append(name, copied(value));
        }
    }
    // `private="date"` could have omitted it.
    if !kept.contains_key(DATE) {
        kept.insert(DATE, date::value(sent));
    }
    kept
}

/// Copy a value, which may be a part of a connection's buffer, and would keep all of that in memory.
fn copied(value: &HeaderValue) -> HeaderValue {
    let copied = HeaderValue::from_bytes(value.as_bytes());
    copied.unwrap_or_else(|_| value.clone())
}

/// Return the fields of a stored response that the handler has validated with a 304 (sections 3.2
/// and 4.3.4): those of the 304 replace stored ones of the same name.
///
/// The result is what [`storage::decide`](super::storage::decide) judges next, with the stored
/// status: a 304 with `Set-Cookie` or `no-store` is for its client alone.
pub(crate) fn freshened(stored: &HeaderMap, validated: &HeaderMap) -> HeaderMap {
    let mut new = HeaderMap::with_capacity(validated.keys_len());
    for (name, value) in end_to_end(validated, &[]) {
        // The body is the stored one.
        if *name != CONTENT_LENGTH {
            new.append(name, value.clone());
        }
    }
    let mut merged = HeaderMap::with_capacity(stored.keys_len() + new.keys_len());
    for (name, value) in stored {
        // Without a date of its own, a 304 was sent when it was received.
        if !new.contains_key(name) && *name != DATE {
            merged.append(name, value.clone());
        }
    }
    for (name, value) in &new {
        merged.append(name, value.clone());
    }
    merged
}

/// Return the `Age` of a response in seconds, or `None` if it has none or an invalid one. Of a list
/// the first element counts (section 5.1).
pub(crate) fn age_of(headers: &HeaderMap) -> Option<u32> {
    let line = headers.get(AGE)?.as_bytes();
    let first = line.split(|byte| *byte == b',').next()?;
    list::number(list::trim(first))
}

/// The numbers from 00 to 99, two digits each.
const TWO_DIGITS: &str = "\
    00010203040506070809101112131415161718192021222324\
    25262728293031323334353637383940414243444546474849\
    50515253545556575859606162636465666768697071727374\
    75767778798081828384858687888990919293949596979899";

/// Write an `Age`. One below 100 allocates nothing.
pub(crate) fn age_value(seconds: u64) -> HeaderValue {
    let digits = match seconds {
        0..10 => 2 * seconds + 1..2 * seconds + 2,
        10..100 => 2 * seconds..2 * seconds + 2,
        _ => return HeaderValue::from(seconds),
    };
    HeaderValue::from_static(&TWO_DIGITS[digits.start as usize..digits.end as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: u64 = 784_111_777;
    const SENT_TEXT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn fields(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a valid field value");
            (HeaderName::from_static(name), value)
        });
        lines.collect()
    }

    fn lines(headers: &HeaderMap) -> Vec<(&str, &str)> {
        let lines = headers.iter().map(|(name, value)| {
            let value = std::str::from_utf8(value.as_bytes()).expect("made from text");
            (name.as_str(), value)
        });
        lines.collect()
    }

    fn kept<'a>(of: &[(&'static str, &'a str)]) -> Vec<(&'static str, &'a str)> {
        let headers = fields(of);
        let kept = end_to_end(&headers, &[]).map(|(name, value)| (name.as_str(), value.as_bytes()));
        let kept = kept.collect::<Vec<_>>();
        let is_kept = |line: &&(&str, &str)| kept.contains(&(line.0, line.1.as_bytes()));
        of.iter().filter(is_kept).copied().collect()
    }

    #[test]
    fn fields_of_the_connection_are_not_stored() {
        for name in [
            "connection",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authentication-info",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ] {
            assert!(kept(&[(name, "x")]).is_empty(), "{name}");
        }
    }

    #[test]
    fn fields_that_connection_names_are_not_stored() {
        let lines = [
            ("connection", "A, close"),
            ("connection", "b;c,,\"d\""),
            ("a", "1"),
            ("b", "2"),
            ("c", "3"),
            ("d", "4"),
            ("e", "5"),
        ];
        assert_eq!(kept(&lines), [("e", "5")]);
    }

    #[test]
    fn all_others_are_stored_in_order_and_byte_for_byte() {
        let all = [
            ("x-z", " é  ÿ"),
            ("keep-alive", "timeout=5"),
            ("link", "<a>"),
            ("link", "<b>"),
            ("content-length", "007"),
            ("date", SENT_TEXT),
            ("etag", "w/abc"),
            ("cache-control", "MAX-age=60,  foo"),
            ("x-a", ""),
        ];
        let stored = stored(&fields(&all), &[], SENT);
        let expected = all.iter().filter(|line| line.0 != "keep-alive");
        let expected = expected.map(|(name, value)| (*name, value.trim_start()));
        let stored = lines(&stored)
            .into_iter()
            .map(|(name, value)| (name, value.trim_start()));
        assert_eq!(stored.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn omitted_fields_and_age_are_not_stored() {
        let headers = fields(&[
            ("age", "5"),
            ("x-user", "7"),
            ("x-a", "1"),
            ("date", SENT_TEXT),
        ]);
        let stored = stored(&headers, &[HeaderName::from_static("x-user")], SENT);
        assert_eq!(lines(&stored), [("x-a", "1"), ("date", SENT_TEXT)]);
    }

    #[test]
    fn a_date_is_added_where_there_is_none_that_can_be_read() {
        for lines in [
            &[][..],
            &[("date", "now")],
            &[("date", SENT_TEXT), ("date", SENT_TEXT)],
        ] {
            let stored = stored(&fields(lines), &[], SENT);
            assert_eq!(date::of(&stored, &DATE), Some(SENT), "{lines:?}");
        }
        let other_form = "Sunday, 06-Nov-94 08:49:37 GMT";
        let stored = stored(&fields(&[("date", other_form)]), &[], SENT + 1);
        assert_eq!(lines(&stored), [("date", other_form)]);
    }

    #[test]
    fn a_304_replaces_the_fields_that_it_has() {
        let stored = fields(&[
            ("date", SENT_TEXT),
            ("content-length", "10"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("x-b", "3"),
        ]);
        let validated = fields(&[
            ("content-length", "0"),
            ("x-a", "4"),
            ("connection", "x-c"),
            ("x-c", "5"),
            ("age", "6"),
        ]);
        let merged = freshened(&stored, &validated);
        let expected = [
            ("content-length", "10"),
            ("x-b", "3"),
            ("x-a", "4"),
            ("age", "6"),
        ];
        assert_eq!(lines(&merged), expected);
        let dated = freshened(&stored, &fields(&[("date", "later")]));
        assert_eq!(dated.get(DATE), Some(&HeaderValue::from_static("later")));
    }

    #[test]
    fn the_first_age_counts_if_it_is_a_number() {
        let age = |lines: &[&str]| {
            let lines = lines.iter().map(|line| ("age", *line)).collect::<Vec<_>>();
            age_of(&fields(&lines))
        };
        assert_eq!(age(&["7200"]), Some(7200));
        assert_eq!(age(&["7200, 0"]), Some(7200));
        assert_eq!(age(&["0, 7200"]), Some(0));
        assert_eq!(age(&["0", "7200"]), Some(0));
        assert_eq!(age(&["99999999999"]), Some(u32::MAX));
        for invalid in [
            &[][..],
            &["abc"],
            &["-1"],
            &["7200.0"],
            &["7200;a=b"],
            &[""],
            &[", 1"],
        ] {
            assert_eq!(age(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn every_age_is_written_in_decimal() {
        for seconds in (0..1_000).chain([u64::MAX]) {
            assert_eq!(age_value(seconds), seconds.to_string());
        }
    }
}
