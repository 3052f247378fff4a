//! The form of patterns in a row.

/// The longest text of a row, in bytes. Servers limit the size of a statement.
const MAX_BYTES: usize = 1024 * 1024;

/// A pattern that matches every entry of a cache.
const EVERYTHING: &str = "*";

/// Join patterns, one per line.
///
/// A row is needed only after a crash. So one that would be too long matches everything instead: the
/// invalidation costs more then, and the row is bounded always.
pub(crate) fn join(patterns: &[String]) -> String {
    let bytes: usize = patterns.iter().map(|pattern| pattern.len() + 1).sum();
    if bytes > MAX_BYTES {
        return EVERYTHING.to_owned();
    }
    let mut joined = String::with_capacity(bytes);
    for pattern in patterns {
        if !joined.is_empty() {
            joined.push('\n');
        }
        push(&mut joined, pattern);
    }
    joined
}

/// Split patterns that [`join`] or a trigger has joined.
pub(crate) fn split(joined: &str) -> impl Iterator<Item = &str> {
    joined.split('\n').filter(|pattern| !pattern.is_empty())
}

/// Append a pattern. Placeholders contain no control characters, since these are escaped. The text
/// of a pattern can have one nevertheless: it would end the line, or be refused by Postgres (NUL).
/// Such a pattern is shortened to a prefix of it, which matches more.
fn push(joined: &mut String, pattern: &str) {
    let Some(control) = pattern.find(char::is_control) else {
        joined.push_str(pattern);
        return;
    };
    let literal = &pattern[..control];
    let end = literal.find(['\\', '[']).unwrap_or(control);
    joined.push_str(&literal[..end]);
    joined.push_str(EVERYTHING);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| pattern.to_string()).collect();
        split(&join(&patterns)).map(str::to_owned).collect()
    }

    #[test]
    fn patterns_come_back_as_they_were() {
        let patterns = ["posts:a:*", r#"posts:\*[a-z]?:ä'""#, "*"];
        assert_eq!(there_and_back(&patterns), patterns);
    }

    #[test]
    fn a_pattern_with_a_control_character_is_widened() {
        let patterns = ["posts:a\nb", "a\0", "x:[\n]", "y\\\n", "b"];
        assert_eq!(
            there_and_back(&patterns),
            ["posts:a*", "a*", "x:*", "y*", "b"]
        );
    }

    #[test]
    fn a_row_that_would_be_too_long_matches_everything() {
        let patterns = vec!["posts:0123456789".to_owned(); MAX_BYTES / 17 + 1];
        assert_eq!(join(&patterns), EVERYTHING);
        assert_ne!(join(&patterns[2..]), EVERYTHING);
    }
}
