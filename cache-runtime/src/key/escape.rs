//! Escaping: a value in a path can contain neither a separator nor a wildcard.

use std::fmt;

use super::text::Text;

/// Return whether a byte in a value would be read as structure: of a path (`:` `#`), of a pattern
/// (`*` `?` `[` `]` `\`), of a hash tag or a template (`{` `}`), of an escape (`%`), or of a log
/// line.
pub(crate) const fn is_structural(byte: u8) -> bool {
    matches!(
        byte,
        b':' | b'#' | b'*' | b'?' | b'[' | b']' | b'\\' | b'{' | b'}' | b'%' | 0..=b' ' | 0x7f
    )
}

/// Escape a text as placeholders do, for a key or a pattern that is built by hand.
///
/// Each byte of a character that has a meaning in a path or a pattern (`:` `#` `*` `?` `[` `]` `\`
/// `{` `}` `%`, white space, control characters) becomes `%` and two hexadecimal digits. Different
/// texts stay different. [`key!`](crate::key) and [`pattern!`](crate::pattern) escape by
/// themselves.
///
/// ```
/// use cache_runtime::escape;
///
/// assert_eq!(escape("my-post"), "my-post");
/// assert_eq!(escape("a:b*"), "a%3Ab%2A");
/// ```
pub fn escape(text: &str) -> String {
    let mut out = Text::default();
    push_escaped(&mut out, text);
    out.to_str().into_owned()
}

/// Writer of text as part of a segment. Structural characters become `%` and two hexadecimal digits
/// for each of their bytes (RFC 3986's percent-encoding on a set of our own), so that the result
/// has only one reading.
pub(crate) struct Escape<'a>(pub(crate) &'a mut Text);

/// For each byte, whether it is written unchanged: non-structural ASCII.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        plain[byte as usize] = !is_structural(byte);
        byte += 1;
    }
    plain
};

impl fmt::Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        push_escaped(self.0, text);
        Ok(())
    }
}

/// Append text as part of a segment. Not inlined: otherwise every placeholder of a program would
/// contain a copy.
#[inline(never)]
pub(crate) fn push_escaped(out: &mut Text, text: &str) {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) else {
        return push_short(out, text);
    };
    let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    match are_common(first, last) {
        true if text.len() <= 16 => out.push_two(text, first, last),
        _ => push_long(out, text),
    }
}

/// Append fewer than eight bytes.
#[inline(never)]
fn push_short(out: &mut Text, text: &str) {
    match is_plain(text.as_bytes()) {
        true => out.push_str(text),
        false => push_with_escapes(out, text),
    }
}

/// Append more than sixteen bytes, or text that contains uncommon ones.
#[inline(never)]
fn push_long(out: &mut Text, text: &str) {
    let (sixteens, rest) = text.as_bytes().as_chunks::<16>();
    let is_common = |sixteen: &[u8; 16]| {
        let both = u128::from_le_bytes(*sixteen);
        are_common(both as u64, (both >> 64) as u64)
    };
    // Some uncommon bytes are plain all the same, such as `_`.
    let mut sixteens = sixteens.iter();
    match sixteens.all(|sixteen| is_common(sixteen) || is_plain(sixteen)) && is_plain(rest) {
        true => out.push_str(text),
        false => push_with_escapes(out, text),
    }
}

/// Return whether all bytes are written unchanged, checking them one by one.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| PLAIN[usize::from(*byte)])
}

/// Return whether all bytes of both words are among `+,-./0..9`, `@A..Z` and `` `a..z ``, none of
/// which is structural. The check covers all eight bytes of a word at once and without a branch: it
/// adds a constant to each byte so that the byte's highest bit, which is clear in ASCII, becomes
/// set from a given byte value on.
#[inline(always)]
fn are_common(one: u64, two: u64) -> bool {
    const ALL: u64 = 0x0101_0101_0101_0101;
    let strange = |word: u64| {
        let from = |first: u8, word: u64| word.wrapping_add(ALL * u64::from(0x80 - first));
        let between = from(b':', word) & !from(b'@', word);
        // One bit distinguishes a letter's case, and also the characters that follow `z` and `Z`.
        let after = from(b'{', word | (ALL * 0x20));
        !from(b'+', word) | between | after | word
    };
    (strange(one) | strange(two)) & (ALL * 0x80) == 0
}

#[cold]
fn push_with_escapes(out: &mut Text, text: &str) {
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let structural = match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => is_structural(byte),
            _ => character.is_whitespace() || character.is_control(),
        };
        if structural {
            out.push_str(&text[plain..at]);
            let end = at + character.len_utf8();
            for byte in &text.as_bytes()[at..end] {
                push_hex(out, *byte);
            }
            plain = end;
        }
    }
    out.push_str(&text[plain..]);
}

fn push_hex(out: &mut Text, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Text::default();
        Escape(&mut out).write_str(text).expect("a text takes all");
        out.to_str().into_owned()
    }

    /// Escape character by character.
    fn slowly_escaped(text: &str) -> String {
        let mut out = Text::default();
        push_with_escapes(&mut out, text);
        out.to_str().into_owned()
    }

    #[test]
    fn structure_is_found_at_any_position() {
        let others = ['é', '\u{a0}', '\u{2028}', '\u{7f}'];
        for character in (0..128).map(char::from).chain(others) {
            for length in 0..=40 {
                for at in 0..=length {
                    let text = format!(
                        "{}{character}{}",
                        "a-post_of.2026/07@b`c^d[e"[..at.min(20)].repeat(1 + at / 20),
                        "Zz".repeat(length - at)
                    );
                    assert_eq!(escaped(&text), slowly_escaped(&text), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn it_is_written_at_any_place() {
        for before in 0..80 {
            for length in 0..40 {
                let (before, text) = ("b".repeat(before), "t".repeat(length));
                let mut out = Text::default();
                out.push_str(&before);
                push_escaped(&mut out, &text);
                push_escaped(&mut out, "::");
                assert_eq!(out.to_str(), format!("{before}{text}%3A%3A"));
            }
        }
    }

    #[test]
    fn structure_is_escaped_and_text_is_not() {
        assert_eq!(escaped("my-post_1.é"), "my-post_1.é");
        assert_eq!(escaped("a:b#c"), "a%3Ab%23c");
        assert_eq!(escaped("*?[]\\{}%"), "%2A%3F%5B%5D%5C%7B%7D%25");
        assert_eq!(escaped("a b\n\u{a0}"), "a%20b%0A%C2%A0");
    }
}
