//! Lists in field values (RFC 9110, 5.6): elements, tokens and quoted strings.

use std::borrow::Cow;

/// Return whether a token may contain the byte (RFC 9110, 5.6.2).
pub(super) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
        | b'|' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}

/// Return the bytes without the spaces and tabs around them (`OWS`, RFC 9110, 5.6.3).
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Iterate over the maximal runs of token bytes.
pub(super) fn tokens(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let runs = bytes.split(|byte| !is_token_byte(*byte));
    runs.filter(|run| !run.is_empty())
}

/// Iterate over the elements of one field line, trimmed, without empty ones. A comma in a quoted
/// string doesn't separate.
///
/// A quote that is never closed quotes nothing: otherwise it would hide all elements after it.
pub(super) fn elements(line: &[u8]) -> Elements<'_> {
    Elements {
        rest: line,
        quotes: true,
    }
}

/// The iterator of [`elements`].
pub(super) struct Elements<'a> {
    rest: &'a [u8],
    /// False after a quote that isn't closed. Looking for the end of each later quote again would
    /// take quadratic time.
    quotes: bool,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = self.end_of_element();
            let element = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

impl Elements<'_> {
    /// Return the position of the next comma that separates, or the length of the rest.
    fn end_of_element(&mut self) -> usize {
        let mut at = 0;
        while let Some(byte) = self.rest.get(at) {
            match byte {
                b',' => break,
                b'"' if self.quotes => match quoted_length(&self.rest[at..]) {
                    Some(length) => at += length,
                    None => self.quotes = false,
                },
                _ => at += 1,
            }
        }
        at
    }
}

/// Return the length of the quoted string at the start, with its quotes, or `None` if it isn't
/// closed.
fn quoted_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Return the text of a quoted string, or `None` if the bytes aren't exactly one.
pub(super) fn unquoted(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if bytes.first() != Some(&b'"') || quoted_length(bytes) != Some(bytes.len()) {
        return None;
    }
    let inner = &bytes[1..bytes.len() - 1];
    if !inner.contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => text.extend(bytes.next()),
            _ => text.push(*byte),
        }
    }
    Some(Cow::Owned(text))
}

/// Return the number that the digits name, at most `u32::MAX` (section 1.2.2: a number too large to
/// represent counts as the largest one), or `None` if there is anything but digits.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(bytes.iter().fold(0_u32, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> Vec<&str> {
        let elements = elements(line.as_bytes());
        elements
            .map(|element| std::str::from_utf8(element).expect("a part of a text at commas"))
            .collect()
    }

    #[test]
    fn elements_are_separated_by_commas_outside_quotes() {
        assert_eq!(all("a,b"), ["a", "b"]);
        assert_eq!(all(" a\t, ,, b ,"), ["a", "b"]);
        assert_eq!(all(r#"a="1,2", b"#), [r#"a="1,2""#, "b"]);
        assert_eq!(all(r#"a="1\",2", b"#), [r#"a="1\",2""#, "b"]);
        assert!(all(" , ").is_empty());
    }

    #[test]
    fn a_quote_that_is_never_closed_hides_nothing() {
        assert_eq!(all(r#"a="1, b"#), [r#"a="1"#, "b"]);
        assert_eq!(all(r#"a="1\", b"#), [r#"a="1\""#, "b"]);
        assert_eq!(all(r#"a="1\"#), [r#"a="1\"#]);
    }

    #[test]
    fn a_quoted_string_loses_its_quotes_and_escapes() {
        assert_eq!(unquoted(br#""a, b""#).as_deref(), Some(&b"a, b"[..]));
        assert_eq!(unquoted(br#""a\"\\""#).as_deref(), Some(&br#"a"\"#[..]));
        for other in [&b""[..], b"\"", b"a", b"\"a\"b", b"\"a\\\"", b"x\"a\""] {
            assert_eq!(unquoted(other), None);
        }
    }

    #[test]
    fn numbers_saturate_and_are_digits_only() {
        assert_eq!(number(b"0060"), Some(60));
        assert_eq!(number(b"99999999999999999999"), Some(u32::MAX));
        for other in [&b""[..], b"-1", b"+1", b"1.0", b"1 ", b"'1'", b"1a"] {
            assert_eq!(number(other), None);
        }
    }
}
