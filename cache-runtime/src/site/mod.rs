//! Call sites: the facts an attribute knows about its function, in a `static` that registers itself
//! at link time.

mod declare;
mod identity;
mod identity_memo;
mod namesakes;
pub(crate) mod registry;

use std::panic::Location;
use std::sync::OnceLock;
use std::time::Duration;

use crate::default_origin::FirstCall;
use crate::key::escape::is_structural;
use crate::key::writer::{Rendered, Rendering};
use crate::site::identity_memo::IdentityMemo;
use crate::ttl::Ttl;
use registry::SourcePosition;

/// Declaration of a `#[cacheable]` function.
#[derive(Debug)]
pub(crate) struct ReadInfo {
    /// The function's name.
    pub(crate) function: &'static str,
    /// Suffix of a companion, such as `_cache_key`; empty in the function itself.
    pub(crate) companion: &'static str,
    /// `module_path!()`.
    pub(crate) module: &'static str,
    /// Source position of the attribute.
    pub(crate) at: &'static Location<'static>,
    /// Line and column of the function's name if no key is written. In a macro it differs from the
    /// attribute's position.
    pub(crate) name_at: (u32, u32),
    /// The type name of an item inside the function.
    pub(crate) marker: fn() -> &'static str,
    /// The key as written; empty if none is.
    pub(crate) template: &'static str,
    /// The key with each placeholder as the character U+0001.
    pub(crate) shape: &'static str,
    /// The lifetime.
    pub(crate) ttl: Ttl,
    /// Whether one path has several entries, by arguments and values of the context that are hashed,
    /// and by type parameters of the function.
    pub(crate) varies: bool,
    /// Whether `None` is stored.
    pub(crate) cache_none: bool,
    /// Version of the stored values. Entries of other versions are misses.
    pub(crate) version: u32,
    /// Whether this function's events are logged at `info`.
    pub(crate) debug: bool,
    /// The key with each placeholder as the character U+0001, and with the owner as U+0002; `None`
    /// without `owner`.
    pub(crate) owner: Option<&'static str>,
    /// The part of its hits that are audited.
    pub(crate) audit: AuditRate,
    /// Options that few functions set.
    pub(crate) options: ReadOptions,
}

/// The part of a function's hits that are audited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AuditRate {
    /// None.
    Never,
    /// That of [`CacheBuilder::audit`](crate::CacheBuilder::audit).
    OfCache,
    /// This part, from 0 to 1.
    Own(f64),
}

/// The options of `#[cacheable]` that few functions set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadOptions {
    /// Whether entries may be kept in the near cache.
    pub(crate) near: bool,
    /// How long past its TTL an entry is served while one caller recomputes it
    /// (stale-while-revalidate).
    pub(crate) stale: Duration,
    /// How long past its TTL an entry is served instead of an error (stale-if-error).
    pub(crate) stale_if_error: Duration,
    /// Whether an entry may be recomputed before its TTL ends (early refresh).
    pub(crate) early: bool,
    /// Largest fraction by which a TTL is randomly shortened.
    pub(crate) jitter: f64,
}

impl ReadOptions {
    /// The options of a function that sets none.
    pub(crate) const DEFAULT: Self = Self {
        near: true,
        stale: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        early: false,
        jitter: 0.0,
    };
}

impl ReadInfo {
    /// Describe a call of the function.
    pub(crate) fn first_call(&self) -> FirstCall {
        FirstCall {
            function: self.function,
            at: self.at,
        }
    }

    pub(crate) fn position(&self) -> SourcePosition {
        SourcePosition {
            module: self.module,
            file: self.at.file(),
            line: self.at.line(),
            function: self.function,
        }
    }
}

/// Call site of a cached function.
#[derive(Debug)]
pub struct ReadSite {
    pub(crate) info: ReadInfo,
    /// Whether two placeholders of the template are adjacent without a separator that values
    /// escape.
    ambiguous: bool,
    identity: IdentityMemo,
    default_path: OnceLock<String>,
    number: OnceLock<usize>,
}

impl ReadSite {
    /// Render the key of a call, or record in the rendering why that isn't possible.
    // Kept out of line: inlined into the lookup, the two would compete for registers.
    #[inline(never)]
    pub(crate) fn render(&self, rendering: &mut Rendering, rendered: &Rendered<'_>) {
        if self.info.template.is_empty() {
            rendering.text.push_str(self.default_path());
        }
        let variant = &mut rendering.variant;
        self.identity.enter(rendered.type_name, &self.info, variant);
        if self.ambiguous {
            rendering.hash_lengths();
        }
        rendered.render(&mut rendering.writer());
        rendering.finish_key();
    }

    /// Render the key of a write-through: the template alone. Neither the instance of the function
    /// nor an argument that the template doesn't mention is part of it, as they would be those of
    /// the writing function. Where that isn't possible, the text is a pattern that matches the key.
    pub(crate) fn render_template(&self, rendering: &mut Rendering, rendered: &Rendered<'_>) {
        if self.ambiguous {
            rendering.hash_lengths();
        }
        rendered.render(&mut rendering.writer());
        if !rendering.failed() {
            rendering.finish_key();
        }
    }

    /// Return the number of bytes at the beginning of the variant that identify the instance of
    /// the function.
    pub(crate) fn identity_bytes(&self, rendered: &Rendered<'_>) -> usize {
        let mut bytes = Vec::new();
        self.identity
            .enter(rendered.type_name, &self.info, &mut bytes);
        bytes.len()
    }

    /// Return the default path, `crate:module:function`.
    #[inline(never)]
    pub(crate) fn default_path(&self) -> &str {
        let path = || {
            format!(
                "{}:{}",
                self.info.module.replace("::", ":"),
                self.info.function
            )
        };
        self.default_path.get_or_init(path)
    }

    /// Return the pattern of the entries that belong to the owner. Where the owner isn't a part of
    /// the path, it covers those of others.
    pub(crate) fn owner_pattern(&self, owner: &str) -> String {
        match self.info.owner.unwrap_or_default() {
            "" => self.default_path().to_owned(),
            shape => shape.replace('\u{1}', "*").replace('\u{2}', owner),
        }
    }

    /// Whether all entries of one owner are on one node of a cluster: the owner is the hash tag.
    #[cfg(feature = "redis")]
    pub(crate) fn is_tagged_by_owner(&self) -> bool {
        let shape = self.info.owner.unwrap_or_default();
        let tag = shape.split_once('{').map(|(_, rest)| rest);
        tag.is_some_and(|rest| rest.starts_with("\u{2}}"))
    }

    /// Return the index of this call site in every cache's counters.
    #[inline]
    pub(crate) fn number(&self) -> usize {
        *self
            .number
            .get_or_init(|| registry::number(self.info.position()))
    }
}

/// When `#[invalidate]` acts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    /// After the body, unless it returned `Err`.
    Ok,
    /// After the body.
    Always,
    /// Before the body.
    Before,
}

/// Declaration of an `#[invalidate]` function.
#[derive(Debug)]
pub(crate) struct WriteInfo {
    /// The function's name.
    pub(crate) function: &'static str,
    /// `module_path!()`.
    pub(crate) module: &'static str,
    /// Source position of the attribute.
    pub(crate) at: &'static Location<'static>,
    /// The patterns as written.
    pub(crate) patterns: &'static [&'static str],
    /// The patterns with each placeholder as the character U+0001.
    pub(crate) shapes: &'static [&'static str],
    /// When the invalidation runs.
    pub(crate) when: When,
    /// Whether its events are logged at `info`.
    pub(crate) debug: bool,
}

impl WriteInfo {
    /// Describe a call of the function.
    pub(crate) fn first_call(&self) -> FirstCall {
        FirstCall {
            function: self.function,
            at: self.at,
        }
    }

    pub(crate) fn position(&self) -> SourcePosition {
        SourcePosition {
            module: self.module,
            file: self.at.file(),
            line: self.at.line(),
            function: self.function,
        }
    }
}

/// Call site of an invalidating function.
#[derive(Debug)]
pub struct WriteSite {
    pub(crate) info: WriteInfo,
    number: OnceLock<usize>,
}

impl WriteSite {
    /// Return the index of this call site in every cache's counters.
    pub(crate) fn number(&self) -> usize {
        *self
            .number
            .get_or_init(|| registry::number(self.info.position()))
    }
}

/// Origin of an operation, for counters and events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) function: &'static str,
    pub(crate) debug: bool,
    /// Index in the counters.
    pub(crate) number: usize,
}

impl Origin {
    /// Describe an explicit operation of the handle.
    pub(crate) fn explicit(function: &'static str) -> Self {
        Self {
            function,
            debug: false,
            number: registry::EXPLICIT,
        }
    }
}

impl From<&ReadSite> for Origin {
    fn from(site: &ReadSite) -> Self {
        Self {
            function: site.info.function,
            debug: site.info.debug,
            number: site.number(),
        }
    }
}

impl From<&WriteSite> for Origin {
    fn from(site: &WriteSite) -> Self {
        Self {
            function: site.info.function,
            debug: site.info.debug,
            number: site.number(),
        }
    }
}

/// Return whether two placeholders of a template can run together in a path: no character between
/// them is escaped in values. `<<a>>-<<b>>` renders `x-y-z` in two ways; `<<a>>:<<b>>` has one
/// reading.
pub(crate) const fn is_ambiguous(shape: &[u8]) -> bool {
    let mut open = false;
    let mut at = 0;
    while at < shape.len() {
        match shape[at] {
            1 if open => return true,
            1 => open = true,
            b'%' => {}
            other => open = open && !is_structural(other),
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_ambiguous;

    #[test]
    fn adjacent_placeholders_without_an_escaped_separator_are_detected() {
        for ambiguous in ["\u{1}\u{1}", "a:\u{1}-\u{1}", "\u{1}%\u{1}"] {
            assert!(is_ambiguous(ambiguous.as_bytes()), "{ambiguous:?}");
        }
        for clear in [
            "",
            "a",
            "a-\u{1}-b",
            "\u{1}:\u{1}",
            "{\u{1}}\u{1}",
            "\u{1}-a:b-\u{1}",
        ] {
            assert!(!is_ambiguous(clear.as_bytes()), "{clear:?}");
        }
    }
}
