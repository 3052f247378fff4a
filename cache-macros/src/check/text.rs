//! Checks of the literal text of keys and patterns.

use crate::diagnostics::errors::Errors;
use crate::template::{Segment, Template};

/// Check a key, which names one entry: it has no wildcards, and nothing that needs quoting in a
/// shell.
pub(crate) fn key(template: &Template, names: &[&str], errors: &mut Errors) {
    let span = template.literal.span();
    if template.literal.value().is_empty() {
        errors.at(
            span,
            "the key is empty: write a path, `key = \"posts:<<slug>>\"`, or remove `key` to use \
             the function's own path",
        );
    }
    for text in texts(template) {
        if let Some(wildcard) = text.chars().find(|c| "*?[]\\".contains(*c)) {
            errors.at(
                span,
                format!(
                    "a key can't contain the wildcard `{wildcard}`, since it names one entry: \
                     remove it (wildcards are for patterns)"
                ),
            );
        }
    }
    common(template, "key", names, errors);
}

/// Check a pattern. Its wildcards come from the literal only.
pub(crate) fn pattern(template: &Template, names: &[&str], errors: &mut Errors) {
    let span = template.literal.span();
    if template.literal.value().is_empty() {
        errors.at(
            span,
            "an empty pattern matches nothing: write a path, such as `\"posts:<<slug>>:*\"`",
        );
    }
    let mut glob = Glob::Plain;
    for segment in &template.segments {
        match segment {
            Segment::Text(text) => glob = text.chars().fold(glob, Glob::next),
            Segment::Placeholder(placeholder) => {
                let place = match glob {
                    Glob::Plain => continue,
                    Glob::Escape | Glob::EscapeInClass => "after a `\\`",
                    Glob::Class => "inside `[..]`",
                };
                errors.at(
                    span,
                    format!(
                        "`<<{}>>` is {place}, where its value would become part of the wildcard: \
                         move it out of there",
                        placeholder.source
                    ),
                );
                glob = Glob::Plain;
            }
        }
    }
    common(template, "pattern", names, errors);
}

/// The state of the scan through a glob.
#[derive(Clone, Copy)]
enum Glob {
    Plain,
    Escape,
    Class,
    EscapeInClass,
}

impl Glob {
    fn next(self, c: char) -> Self {
        match (self, c) {
            (Self::Plain, '\\') => Self::Escape,
            (Self::Class, '\\') => Self::EscapeInClass,
            (Self::Plain, '[') | (Self::EscapeInClass, _) => Self::Class,
            (Self::Class, ']') | (Self::Plain | Self::Escape, _) => Self::Plain,
            (Self::Class, _) => Self::Class,
        }
    }
}

fn common(template: &Template, what: &str, names: &[&str], errors: &mut Errors) {
    let span = template.literal.span();
    for text in texts(template) {
        if let Some(name) = names.iter().find(|name| text.contains(&format!("#{name}"))) {
            errors.at(
                span,
                format!("`#{name}` is plain text: write `<<{name}>>` for the argument's value"),
            );
        } else if text.contains('#') {
            errors.at(
                span,
                format!(
                    "a {what} can't contain `#`, which separates the path from the hash of the \
                     other arguments: remove it (a pattern matches all hashes of its paths)"
                ),
            );
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            errors.at(
                span,
                format!("a {what} can't contain white space or control characters: remove them"),
            );
        }
        for name in names {
            if let Some(inside) = in_braces(text, name) {
                errors.at(
                    span,
                    format!(
                        "`{{{inside}}}` in single braces is plain text: write `<<{inside}>>` for \
                         the argument's value"
                    ),
                );
            }
        }
        if text.contains("{}") {
            errors.at(
                span,
                format!("`{{}}` in a {what} is plain text: write a placeholder, `<<name>>`"),
            );
        }
    }
}

/// Find `user.id` in `{user.id}`: the inside of braces that begins with this argument.
fn in_braces<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.match_indices('{').find_map(|(at, _)| {
        let inside = text[at + 1..].split('}').next()?;
        let after = inside.strip_prefix(name)?;
        let closes = text.len() > at + 1 + inside.len();
        (closes && (after.is_empty() || after.starts_with('.'))).then_some(inside)
    })
}

fn texts(template: &Template) -> impl Iterator<Item = &str> {
    template
        .segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Text(text) => Some(text.as_str()),
            Segment::Placeholder(_) => None,
        })
}
