//! Patterns: globs over paths.

mod glob;
pub(crate) mod reach;

use crate::key::{VARIANT_MARK, path_of};
use glob::Glob;

/// A pattern, ready to match keys.
///
/// It is matched against a key's path, so it matches every variant of a matching path. A pattern
/// that ends in `:*` also matches the node itself: `posts:42:*` matches `posts:42`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: String,
    glob: Glob,
    /// The glob before a final `:*`.
    node: Option<Glob>,
}

/// A part of the ordered key space. A pattern's spans cover all of its matches.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Span {
    /// This key alone.
    Exact(Vec<u8>),
    /// The keys that begin with this prefix.
    Prefix(Vec<u8>),
}

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let glob = Glob::parse(text.as_bytes());
        let node = glob.before_final_children();
        Self { text, glob, node }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Return whether the pattern matches the key `path` or `path#variant`.
    pub(crate) fn matches(&self, key: &[u8]) -> bool {
        let path = path_of(key);
        self.glob.matches(path) || self.node.as_ref().is_some_and(|node| node.matches(path))
    }

    /// Return the spans that cover all matches, as narrow as the literal text before the first
    /// wildcard allows.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let (prefix, literal) = self.glob.literal_prefix();
        if literal {
            return Self::node_spans(prefix);
        }
        match self.node.as_ref().map(Glob::literal_prefix) {
            // `posts:42:*`: the node, its variants, its children, and not the sibling `posts:420`.
            Some((node, true)) => {
                let mut spans = Self::node_spans(node);
                spans.push(Span::Prefix(prefix));
                spans
            }
            Some((shorter, false)) => vec![Span::Prefix(shorter)],
            None => vec![Span::Prefix(prefix)],
        }
    }

    /// Return the spans of one path: its key without a variant, and its variants.
    fn node_spans(path: Vec<u8>) -> Vec<Span> {
        let mut variants = path.clone();
        variants.push(VARIANT_MARK);
        vec![Span::Exact(path), Span::Prefix(variants)]
    }

    /// Return the pattern that matches this key's path, and so the key.
    pub(crate) fn of_path(key: &str) -> Self {
        let path = String::from_utf8_lossy(path_of(key.as_bytes()));
        let mut text = String::with_capacity(path.len());
        for character in path.chars() {
            if matches!(character, '*' | '?' | '[' | ']' | '\\' | '^') {
                text.push('\\');
            }
            text.push(character);
        }
        Self::new(text)
    }

    /// Return a broader pattern that can replace many such as this one: all of its first segment,
    /// or everything.
    #[cfg(feature = "redis")]
    pub(crate) fn whole_segment(&self) -> String {
        let (prefix, literal) = self.glob.literal_prefix();
        let end = prefix.iter().position(|byte| *byte == b':');
        let segment = match end {
            Some(end) => &prefix[..end],
            None if literal => &prefix,
            None => return "*".to_owned(),
        };
        match std::str::from_utf8(segment) {
            Ok(segment) => format!("{}:*", Self::of_path(segment).text),
            Err(_) => "*".to_owned(),
        }
    }

    /// Return the text that all matches begin with.
    #[cfg(feature = "redis")]
    pub(crate) fn shared_prefix(&self) -> Vec<u8> {
        match &self.node {
            Some(node) => node.literal_prefix().0,
            None => self.glob.literal_prefix().0,
        }
    }

    /// Return a glob for Redis's `SCAN .. MATCH` that matches at least the keys that this pattern
    /// matches.
    #[cfg(feature = "redis")]
    pub(crate) fn scan_glob(&self, prefix: &str) -> Vec<u8> {
        let mut literal = self.shared_prefix();
        let mut glob = Vec::with_capacity(prefix.len() + literal.len() + 2);
        glob.extend_from_slice(prefix.as_bytes());
        glob.push(b':');
        for byte in literal.drain(..) {
            if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'^') {
                glob.push(b'\\');
            }
            glob.push(byte);
        }
        glob.push(b'*');
        glob
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        Pattern::new(pattern).matches(key.as_bytes())
    }

    #[test]
    fn a_pattern_with_children_matches_the_node_and_its_variants() {
        for key in [
            "posts:my-slug",
            "posts:my-slug#k3v9",
            "posts:my-slug:comments",
            "posts:my-slug:comments#x",
        ] {
            assert!(matches("posts:my-slug:*", key), "{key}");
        }
        assert!(!matches("posts:my-slug:*", "posts:my-slug-2"));
        assert!(!matches("posts:my-slug:*", "posts"));
        assert!(matches("posts:*:*", "posts:my-slug"));
    }

    #[test]
    fn a_path_matches_only_itself_and_its_variants() {
        assert!(matches("profiles:42", "profiles:42"));
        assert!(matches("profiles:42", "profiles:42#v"));
        assert!(!matches("profiles:42", "profiles:420"));
        assert!(!matches("profiles:4", "profiles:42#v"));
    }

    #[test]
    fn an_escaped_separator_or_a_class_does_not_match_children() {
        assert!(matches("a\\:*", "a"), "an escaped colon is a colon");
        assert!(!matches("a[:*", "a"), "here it belongs to a class");
        assert!(!matches("a:\\*", "a"), "and here the star is a star");
    }

    #[test]
    fn spans_contain_every_match_and_no_sibling() {
        let spans = |pattern: &str| Pattern::new(pattern).spans();
        let prefix = |text: &str| Span::Prefix(text.into());
        assert_eq!(
            spans("posts:1:*"),
            [
                Span::Exact("posts:1".into()),
                prefix("posts:1#"),
                prefix("posts:1:")
            ]
        );
        assert_eq!(
            spans("posts:1"),
            [Span::Exact("posts:1".into()), prefix("posts:1#")]
        );
        assert_eq!(
            spans("posts:*"),
            [
                Span::Exact("posts".into()),
                prefix("posts#"),
                prefix("posts:")
            ]
        );
        assert_eq!(spans("posts:?:*"), [prefix("posts:")]);
        assert_eq!(spans("posts:4*"), [prefix("posts:4")]);
        assert_eq!(spans("*"), [prefix("")]);
    }
}
