//! Credentials out of messages.

/// Replace what may be a credential in a URL: all before the last `@` of an address, and the
/// parameter `pass`.
///
/// For messages that repeat what a user has typed, such as those of an argument parser.
///
/// ```
/// use cache_cli::redact;
///
/// assert_eq!(redact("can't use redis://me:secret@db:6379/1"), "can't use redis://***@db:6379/1");
/// assert_eq!(redact("unix:///run/redis?user=me&pass=secret"), "unix:///run/redis?user=me&pass=***");
/// ```
pub fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        shown.push_str(&redact_word(word));
    }
    shown
}

fn redact_word(word: &str) -> String {
    let mut shown = match (word.find("://"), word.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}***{}", &word[..scheme + 3], &word[at..])
        }
        _ => word.to_owned(),
    };
    if let Some(start) = shown.find("pass=").map(|at| at + "pass=".len()) {
        let ends = |c: char| matches!(c, '&' | '\'' | '"') || c.is_whitespace();
        let end = shown[start..].find(ends);
        let end = end.map_or(shown.len(), |end| start + end);
        shown.replace_range(start..end, "***");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn no_part_of_a_password_is_left() {
        for url in [
            "redis://:se@cret@host",
            "'rediss://user:secret@host:1/2'",
            "redis://a:secret@h1,redis://b:secret@h2",
            "unix:///s?pass=secret'",
        ] {
            let shown = redact(&format!("error: '{url}' found\n"));
            assert!(
                !shown.contains("secret") && !shown.contains("cret@"),
                "{shown}"
            );
            assert!(shown.ends_with("found\n"));
        }
        assert_eq!(redact("mail a@b to c"), "mail a@b to c");
    }
}
