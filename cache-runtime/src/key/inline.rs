//! `key!` and `pattern!`: what the attributes' templates become, outside of an attribute.

use super::writer::{Rendered, with_rendering};
use crate::core::prefix::unambiguous_to_all;
use crate::events;
use crate::site::is_ambiguous;

/// The path that `key!` renders, and the variant that a function with this template would have. In `shape` each placeholder is
/// the character U+0001.
pub fn key_text(template: &'static str, shape: &'static str, render: Rendered<'_>) -> String {
    let ambiguous = is_ambiguous(shape.as_bytes());
    let path = text("key!", template, ambiguous, render);
    let first = shape.split(':').next().unwrap_or_default();
    // A value could be the prefix of a cache. What the literal begins with is its author's choice.
    match first.contains('\u{1}') {
        true => unambiguous_to_all(path),
        false => path,
    }
}

/// The pattern that `pattern!` renders.
pub fn pattern_text(template: &'static str, render: Rendered<'_>) -> String {
    text("pattern!", template, false, render)
}

fn text(
    name: &'static str,
    template: &'static str,
    ambiguous: bool,
    render: Rendered<'_>,
) -> String {
    with_rendering(|rendering| {
        if ambiguous {
            rendering.hash_lengths();
        }
        render.render(&mut rendering.writer());
        // What couldn't be written is a `*`, as in a pattern of `#[invalidate]`: it must not match less than was meant.
        if let Some(reason) = rendering.failure.take() {
            events::error(name, template, &reason);
        }
        rendering.finish_key();
        rendering.text.to_str().into_owned()
    })
}
