//! `key!`, `pattern!` and `CacheModel`: rendering of attribute templates outside of an attribute.

use std::mem;

use crate::core::prefix::unambiguous_to_all;
use crate::events;
use crate::key::segment::{Failed, in_place_of_failed};
use crate::key::writer::{Rendered, with_rendering};
use crate::site::is_ambiguous;

/// Return the path that `key!` renders, with the variant that a function with this template would
/// have. In `shape` each placeholder is the character U+0001.
pub fn key_text(template: &'static str, shape: &'static str, render: Rendered<'_>) -> String {
    let ambiguous = is_ambiguous(shape.as_bytes());
    let path = text("key!", template, ambiguous, Failed::Unique, render);
    let first = shape.split(':').next().unwrap_or_default();
    // A value could equal the prefix of a cache. Literal text at the start is the author's choice.
    match first.contains('\u{1}') {
        true => unambiguous_to_all(path),
        false => path,
    }
}

/// Return the pattern that `pattern!` renders.
pub fn pattern_text(template: &'static str, render: Rendered<'_>) -> String {
    text("pattern!", template, false, Failed::Wildcard, render)
}

/// Return the patterns of a model's row.
pub fn model_patterns(name: &'static str, render: Rendered<'_>) -> Vec<String> {
    with_rendering(|rendering| {
        render.render(&mut rendering.writer());
        // As in `text`.
        if let Some(reason) = rendering.failure.take() {
            events::error(name, "cache_patterns", &reason);
        }
        mem::take(&mut rendering.patterns)
    })
}

fn text(
    name: &'static str,
    template: &'static str,
    ambiguous: bool,
    failed: Failed,
    render: Rendered<'_>,
) -> String {
    with_rendering(|rendering| {
        if ambiguous {
            rendering.hash_lengths();
        }
        render.render(&mut rendering.writer());
        // A part that couldn't be written becomes `*`, as in a pattern of `#[invalidate]`: the
        // pattern must not match less than intended.
        let reason = rendering.failure.take();
        rendering.finish_key();
        let text = rendering.text.to_str();
        let Some(reason) = reason else {
            return text.into_owned();
        };
        events::error(name, template, &reason);
        match failed {
            Failed::Wildcard => text.into_owned(),
            // No other `*` is in a key.
            Failed::Unique => text.replace('*', &in_place_of_failed()),
        }
    })
}
