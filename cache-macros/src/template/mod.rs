//! Parsing `"posts:<<slug>>"` into literal and placeholder segments.
//!
//! A placeholder ends at the first closing mark that leaves a valid expression before it. A `>>`
//! inside a placeholder is therefore fine if the text before it isn't an expression, as in
//! `<<xs.iter().collect::<Vec<Vec<u8>>>().len()>>`. A shift needs parentheses: `<<(a >> 2)>>`.

mod balance;
use crate::diagnostics::errors::Errors;
use crate::item::free::captured;
use crate::item::free::{Mention, Place, mentions};
use balance::is_balanced;
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::{Expr, LitStr};

/// The name of the returned value in the placeholders of patterns.
pub(crate) const RESULT: &str = "result";

/// The character for a placeholder in a shape. A literal can't contain it: control characters are
/// refused.
const ANY_VALUE: char = '\u{1}';

/// The character for the owner in a shape.
const OWNER: char = '\u{2}';

/// Map a name to the span at which the signature binds it.
pub(crate) type Scope<'a> = dyn Fn(&str) -> Option<Span> + 'a;

/// A key or a pattern.
pub(crate) struct Template {
    pub(crate) literal: LitStr,
    pub(crate) segments: Vec<Segment>,
}

/// A part of a template.
pub(crate) enum Segment {
    Text(String),
    Placeholder(Placeholder),
}

/// `<<expression>>`, or `<<expression..>>`.
pub(crate) struct Placeholder {
    /// The expression as written, without the marks.
    pub(crate) source: String,
    /// Whether `..` follows the expression: it yields values, and there is one pattern for each.
    pub(crate) per_item: bool,
    pub(crate) expr: Expr,
    pub(crate) mentions: Vec<Mention>,
}

impl Placeholder {
    /// Whether the expression uses the outer name `name`.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.mentions.iter().any(|mention| mention.name == name)
    }

    /// Whether the expression uses the returned value. A call, `result(..)`, is a call of a
    /// function of that name.
    pub(crate) fn uses_result(&self) -> bool {
        let is_result =
            |mention: &Mention| mention.name == RESULT && mention.place != Place::Callee;
        self.mentions.iter().any(is_result)
    }
}

impl Template {
    /// Split `literal`. After a mistake, the rest is still read.
    #[cfg(test)]
    pub(crate) fn parse(literal: &LitStr, errors: &mut Errors) -> Self {
        Self::parse_in(&|_| None, literal, errors)
    }

    /// Split the literal of a function: a name in a placeholder resolves at the span that `scope`
    /// returns for it.
    pub(crate) fn parse_in(scope: &Scope<'_>, literal: &LitStr, errors: &mut Errors) -> Self {
        let text = literal.value();
        let mut rest = text.as_str();
        let mut segments = Vec::new();
        while !rest.is_empty() {
            let Some((at, marks)) = next_open(rest) else {
                push_text(&mut segments, rest, literal, errors);
                break;
            };
            push_text(&mut segments, &rest[..at], literal, errors);
            rest = &rest[at + marks.0.len()..];
            let (placeholder, length) = read_placeholder(scope, rest, marks, literal.span());
            rest = &rest[length..];
            segments.extend(errors.keep(placeholder).map(Segment::Placeholder));
        }
        Self {
            literal: literal.clone(),
            segments,
        }
    }

    /// The template with one character for every placeholder: the part of a key that is known
    /// before any call.
    pub(crate) fn shape(&self) -> String {
        self.shape_with(|_| false)
    }

    /// The shape with another character for the placeholders that are the owner.
    pub(crate) fn shape_with(&self, is_owner: impl Fn(&Placeholder) -> bool) -> String {
        let mut shape = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Text(text) => shape.push_str(text),
                Segment::Placeholder(one) if is_owner(one) => shape.push(OWNER),
                Segment::Placeholder(_) => shape.push(ANY_VALUE),
            }
        }
        shape
    }

    /// Return the template with a text for each placeholder, equal for equal expressions. Two
    /// templates of one function that match in this form match in every call. `known` are the
    /// expressions so far.
    pub(crate) fn shape_of_call<'a>(&'a self, known: &mut Vec<&'a str>) -> String {
        let mut shape = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Text(text) => shape.push_str(text),
                Segment::Placeholder(placeholder) => {
                    let source = placeholder.source.as_str();
                    let number = known.iter().position(|one| *one == source);
                    let number = number.unwrap_or_else(|| {
                        known.push(source);
                        known.len() - 1
                    });
                    // Templates contain no control characters.
                    shape.push_str(&format!("\u{2}{number}"));
                }
            }
        }
        shape
    }

    /// Whether a `:`, which is escaped in values, separates any two adjacent placeholders. The
    /// runtime knows which other characters may separate them.
    pub(crate) fn is_separated(&self) -> bool {
        let mut open = false;
        for segment in &self.segments {
            match segment {
                Segment::Text(text) => open &= !text.contains(':'),
                Segment::Placeholder(_) if open => return false,
                Segment::Placeholder(_) => open = true,
            }
        }
        true
    }

    /// The first placeholder with `..`.
    pub(crate) fn per_item(&self) -> Option<&Placeholder> {
        self.placeholders().find(|placeholder| placeholder.per_item)
    }

    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Placeholder(placeholder) => Some(placeholder),
            Segment::Text(_) => None,
        })
    }
}

type Marks = (&'static str, &'static str);

fn next_open(text: &str) -> Option<(usize, Marks)> {
    [("<<", ">>"), ("{{", "}}")]
        .into_iter()
        .filter_map(|marks: Marks| text.find(marks.0).map(|at| (at, marks)))
        .min_by_key(|(at, _)| *at)
}

fn push_text(segments: &mut Vec<Segment>, text: &str, literal: &LitStr, errors: &mut Errors) {
    for (open, close) in [("<<", ">>"), ("{{", "}}")] {
        if text.contains(close) {
            errors.at(
                literal.span(),
                format!(
                    "this `{close}` has no matching `{open}`: remove it; a `{close}` within a \
                     placeholder's expression needs parentheses: `{open}(a {close} b){close}`"
                ),
            );
        }
    }
    if !text.is_empty() {
        segments.push(Segment::Text(text.to_owned()));
    }
}

/// Read the placeholder at the beginning of `rest`, after its opening mark, and return its length.
fn read_placeholder(
    scope: &Scope<'_>,
    rest: &str,
    (open, close): Marks,
    span: Span,
) -> (syn::Result<Placeholder>, usize) {
    let fail = |message: String, length| (Err(syn::Error::new(span, message)), length);
    let ends: Vec<usize> = (0..rest.len())
        .filter(|&at| rest.as_bytes()[at..].starts_with(close.as_bytes()))
        .collect();
    let Some(&first) = ends.first() else {
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || "_.#".contains(*c))
            .collect();
        let name = if name.is_empty() { "name" } else { &name };
        let message = format!("unclosed `{open}` before `{rest}`: write `{open}{name}{close}`");
        return fail(message, rest.len());
    };
    if open == "{{" && rest.starts_with('{') {
        let braces = rest[first..].len() - rest[first..].trim_start_matches('}').len();
        let message = "`{{{` is ambiguous: for a placeholder between literal braces, write \
                       `{<<name>>}`";
        return fail(message.to_owned(), first + braces);
    }
    let source = rest[..first].trim();
    if source.is_empty() {
        let message =
            format!("this placeholder is empty: write an argument's name, `{open}name{close}`");
        return fail(message, first + close.len());
    }
    let mut reason = None;
    for at in ends {
        match expression(scope, rest[..at].trim(), span) {
            Ok(placeholder) => return (Ok(placeholder), at + close.len()),
            Err(error) => reason = reason.or(Some(error)),
        }
    }
    let reason = reason.unwrap_or_default();
    let missing = if source.contains(open) {
        format!("; is a `{close}` missing?")
    } else {
        String::new()
    };
    let message = format!("`{open}{source}{close}` isn't a Rust expression: {reason}{missing}");
    fail(message, first + close.len())
}

fn expression(scope: &Scope<'_>, source: &str, span: Span) -> Result<Placeholder, String> {
    if !is_balanced(source) {
        return Err("a bracket or a quote is unclosed".to_owned());
    }
    let (value, per_item) = match source.strip_suffix("..") {
        Some(value) => (value.trim_end(), true),
        None => (source, false),
    };
    if value.is_empty() {
        return Err(
            "`..` needs an expression before it that yields values, `<<ids..>>`".to_owned(),
        );
    }
    let tokens: TokenStream = value
        .parse()
        .map_err(|_| "it can't be split into tokens".to_owned())?;
    let tokens = respan(scope, tokens, span.resolved_at(Span::call_site()));
    let expr: Expr = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Ok(Placeholder {
        source: source.to_owned(),
        per_item,
        mentions: mentions(&expr),
        expr,
    })
}

/// Report errors at the literal, and resolve the names of arguments where they are bound: the
/// literal and the signature may come from different sides of a `macro_rules!`. A local name of the
/// placeholder that shadows an argument resolves like the argument, so it still shadows it.
pub(crate) fn respan(scope: &Scope<'_>, tokens: TokenStream, span: Span) -> TokenStream {
    let respanned = |token: TokenTree| {
        let bound = match &token {
            TokenTree::Ident(ident) => scope(&ident.unraw().to_string()),
            // `"{slug}"`: a format string resolves its names at its own span.
            TokenTree::Literal(literal) => captured(&literal.to_string())
                .iter()
                .find_map(|name| scope(name)),
            _ => None,
        };
        let mut token = match token {
            TokenTree::Group(group) => {
                let inside = respan(scope, group.stream(), span);
                TokenTree::Group(Group::new(group.delimiter(), inside))
            }
            other => other,
        };
        token.set_span(bound.map_or(span, |bound| bound.located_at(span)));
        token
    };
    tokens.into_iter().map(respanned).collect()
}

#[cfg(test)]
mod tests;
