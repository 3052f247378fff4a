//! Entity tags (RFC 9110, 8.8.3): made, and compared.

use std::fmt::Write;

use http::HeaderValue;
use xxhash_rust::xxh3::xxh3_128;

/// Make the weak entity tag of a body.
///
/// The hash is XXH3, whose output is specified: all processes and releases make the same tag, so a
/// deployment doesn't void what browsers have. The tag is weak since a middleware outside the cache
/// may change the bytes, as compression does.
pub(crate) fn weak(body: &[u8]) -> HeaderValue {
    let mut tag = String::with_capacity(36);
    // Writing to a string doesn't fail.
    _ = write!(tag, "W/\"{:032x}\"", xxh3_128(body));
    HeaderValue::try_from(tag).expect("a tag is ASCII")
}

/// Make the weak entity tag of a version of a page's data.
///
/// The key is part of it. Otherwise a browser that has the page of one user, and then sends the
/// requests of another, would be told that the first one's page hasn't changed.
pub(crate) fn of_version(path: &str, variant: &[u8], layer_version: u32) -> HeaderValue {
    let mut text = Vec::with_capacity(path.len() + variant.len() + 12);
    text.extend((path.len() as u64).to_le_bytes());
    text.extend(path.as_bytes());
    text.extend(layer_version.to_le_bytes());
    text.extend(variant);
    weak(&text)
}

/// Return whether two tags are the same in the strong comparison (RFC 9110, 8.8.3.2): neither is
/// weak. For `If-Range`.
pub(crate) fn matches_strongly(one: &[u8], other: &[u8]) -> bool {
    one == other && one.first() == Some(&b'"')
}

/// Return whether two tags are the same in the weak comparison: whether they are weak doesn't
/// count. For `If-None-Match`.
///
/// A handler's tag that isn't one, such as text without quotes, is the same as its own bytes only.
pub(crate) fn matches_weakly(one: &[u8], other: &[u8]) -> bool {
    opaque(one) == opaque(other)
}

/// Return the tag without the mark of a weak one.
fn opaque(tag: &[u8]) -> &[u8] {
    match tag {
        // The mark is in upper case only.
        [b'W', b'/', opaque @ ..] if opaque.first() == Some(&b'"') => opaque,
        tag => tag,
    }
}

/// Iterate over the tags of a list such as `If-None-Match`, as they are written. Text without
/// quotes is returned up to the next comma.
///
/// Unlike a quoted string, a tag has no escapes: a backslash is one of its characters.
pub(crate) fn tags(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    std::iter::from_fn(move || {
        loop {
            rest = super::list::trim(rest);
            match rest {
                [] => return None,
                [b',', after @ ..] => rest = after,
                _ => break,
            }
        }
        let (tag, after) = rest.split_at(tag_length(rest));
        rest = after;
        Some(super::list::trim(tag))
    })
}

/// Return the length of the tag at the start.
fn tag_length(bytes: &[u8]) -> usize {
    let opening = bytes.len() - opaque(bytes).len();
    let comma = |from: usize| {
        let comma = bytes[from..].iter().position(|byte| *byte == b',');
        comma.map_or(bytes.len(), |at| from + at)
    };
    if bytes.get(opening) != Some(&b'"') {
        return comma(0);
    }
    let closing = bytes[opening + 1..].iter().position(|byte| *byte == b'"');
    match closing {
        // Anything between the tag and the next comma makes it another text, which matches nothing.
        Some(at) => comma(opening + 1 + at),
        None => comma(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> Vec<&str> {
        let tags = tags(line.as_bytes());
        tags.map(|tag| std::str::from_utf8(tag).expect("a part of a text at commas"))
            .collect()
    }

    #[test]
    fn the_tag_of_a_body_never_changes() {
        assert_eq!(weak(b""), "W/\"99aa06d3014798d86001c324468d497f\"");
        assert_eq!(weak(b"hello"), "W/\"b5e9c1ad071b3e7fc779cfaa5e523818\"");
        assert_ne!(weak(&[0; 1024]), weak(&[0; 1025]));
    }

    #[test]
    fn the_weak_comparison_ignores_weakness_and_the_strong_one_refuses_it() {
        // The table of RFC 9110, 8.8.3.2.
        for (one, other, strongly, weakly) in [
            ("W/\"1\"", "W/\"1\"", false, true),
            ("W/\"1\"", "W/\"2\"", false, false),
            ("W/\"1\"", "\"1\"", false, true),
            ("\"1\"", "\"1\"", true, true),
        ] {
            let (one, other) = (one.as_bytes(), other.as_bytes());
            assert_eq!(matches_strongly(one, other), strongly);
            assert_eq!(matches_weakly(one, other), weakly);
            assert_eq!(matches_weakly(other, one), weakly);
        }
    }

    #[test]
    fn what_is_not_a_tag_matches_its_own_bytes_only() {
        assert!(matches_weakly(b"abc", b"abc"));
        assert!(!matches_weakly(b"abc", b"\"abc\""));
        assert!(!matches_weakly(b"w/\"a\"", b"W/\"a\""));
        assert!(!matches_weakly(b"W/a", b"a"));
        assert!(!matches_strongly(b"abc", b"abc"));
    }

    #[test]
    fn a_list_of_tags_is_split_at_commas_outside_quotes() {
        assert_eq!(all(r#""a""#), [r#""a""#]);
        assert_eq!(
            all(r#" , "a" ,W/"b,c",, "d\" "#),
            [r#""a""#, r#"W/"b,c""#, r#""d\""#]
        );
        assert_eq!(all(r#""", W/"", "a""#), [r#""""#, r#"W/"""#, r#""a""#]);
        assert_eq!(all("*"), ["*"]);
        assert_eq!(all("abc , \"d\""), ["abc", "\"d\""]);
        assert!(all(" ,, ").is_empty());
    }

    #[test]
    fn a_broken_tag_hides_none_after_it() {
        assert_eq!(all(r#""a"b, "c""#), [r#""a"b"#, r#""c""#]);
        assert_eq!(all(r#"a"b, "c""#), [r#"a"b"#, r#""c""#]);
        assert_eq!(all(r#""a, b"#), [r#""a"#, "b"]);
    }
}
