use std::fmt;

/// Whether a value's character would be read as structure: of a path (`:` `#`), of a pattern
/// (`*` `?` `[` `]` `\`), of a hash tag or a template (`{` `}`), of an escape (`%`), or of a line of a log.
pub(crate) const fn is_structural(byte: u8) -> bool {
    matches!(
        byte,
        b':' | b'#' | b'*' | b'?' | b'[' | b']' | b'\\' | b'{' | b'}' | b'%' | 0..=b' ' | 0x7f
    )
}

/// Writes text as part of a segment: structural characters become `%` and two hexadecimal digits for each of
/// their bytes (RFC 3986's percent-encoding on a set of our own), so that the result has one reading only.
pub(crate) struct Escape<'a>(pub(crate) &'a mut String);

/// For each byte, whether a text of such bytes is written as it is: ASCII without structure.
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

/// Appends text as part of a segment. Not inlined: it would be at each placeholder of a program.
#[inline(never)]
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    if is_plain(text.as_bytes()) {
        out.push_str(text);
    } else {
        push_with_escapes(out, text);
    }
}

/// Whether a text is written as it is, for most texts that are: what isn't quite sure is looked at byte by byte. Sixteen bytes at a
/// time, or eight; the last ones are looked at together too, though some of them have been before.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<16>() {
        let (chunks, _) = text[..text.len() - 1].as_chunks::<16>();
        return chunks.iter().all(are_common) && are_common(last);
    }
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => are_common(first) && are_common(last),
        _ => text.iter().all(|byte| PLAIN[usize::from(*byte)]),
    }
}

/// Whether the bytes are all among `-./0..9`, `@A..Z` and ``^_`a..z``: none of these is structural. Written so that the compiler looks at all
/// of them at once: without a branch, and with numbers in place of truths.
#[inline]
fn are_common<const N: usize>(bytes: &[u8; N]) -> bool {
    let mut others = 0;
    for byte in bytes {
        let low = byte.wrapping_sub(b'-') > b'9' - b'-';
        let upper = byte.wrapping_sub(b'@') > b'Z' - b'@';
        let lower = byte.wrapping_sub(b'^') > b'z' - b'^';
        others |= u8::from(low & upper & lower);
    }
    others == 0
}

#[cold]
fn push_with_escapes(out: &mut String, text: &str) {
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

fn push_hex(out: &mut String, byte: u8) {
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
        let mut out = String::new();
        Escape(&mut out)
            .write_str(text)
            .expect("a string takes all");
        out
    }

    #[test]
    fn no_text_is_written_as_it_is_that_holds_structure_wherever_it_stands() {
        for byte in 0..=255 {
            for length in 1..=17 {
                for at in 0..length {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    let structural = is_structural(byte) || !byte.is_ascii();
                    assert!(
                        !(structural && is_plain(&text)),
                        "{byte} at {at} of {length}"
                    );
                    let common = byte.is_ascii_alphanumeric() || b"-._@/".contains(&byte);
                    assert!(!common || is_plain(&text), "{byte} at {at} of {length}");
                }
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
