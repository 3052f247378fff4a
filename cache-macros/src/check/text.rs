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
            "an empty key: write a path, `key = \"posts:<<slug>>\"`, or leave `key` out for the \
             function's own path",
        );
    }
    for text in texts(template) {
        if let Some(wildcard) = text.chars().find(|c| "*?[]\\".contains(*c)) {
            errors.at(
                span,
                format!(
                    "`{wildcard}` in a key: it is a wildcard of patterns, and a key names one \
                     entry; take it out"
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
            "an empty pattern matches nothing: write a path, `\"posts:<<slug>>:*\"`",
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
                        "`<<{}>>` stands {place}, where its value would become part of the \
                         wildcard: move it out",
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
                    "`#` in a {what}: it separates the path from the hash of the other arguments; \
                     take it out (a pattern reaches every hash of a path by itself)"
                ),
            );
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            errors.at(
                span,
                format!("white space or a control character in a {what}: take it out"),
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
                format!("`{{}}` in a {what} is plain text: write the value there, `<<name>>`"),
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
