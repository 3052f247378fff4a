//! Call sites: what an attribute knows about its function, in a `static` that registers itself at link time.

mod declare;
mod identity;
pub(crate) mod registry;

use std::panic::Location;
use std::sync::OnceLock;
use std::time::Duration;

use crate::key::escape::is_structural;
use crate::key::writer::{Rendered, Rendering};
use crate::site::identity::IdentityMemo;
use crate::ttl::Ttl;
use registry::Place;

/// What `#[cacheable]` says of its function.
#[derive(Debug)]
pub(crate) struct ReadInfo {
    /// The function's name.
    pub(crate) function: &'static str,
    /// `_cache_key` and the like, in the companions; empty in the function itself.
    pub(crate) companion: &'static str,
    /// `module_path!()`.
    pub(crate) module: &'static str,
    /// Where its attribute stands.
    pub(crate) at: &'static Location<'static>,
    /// Line and column of the function's name, where no key is written. In a macro it isn't where the attribute stands.
    pub(crate) name_at: (u32, u32),
    /// The type name of an item inside the function.
    pub(crate) marker: fn() -> &'static str,
    /// The key as it is written; empty where there is none.
    pub(crate) template: &'static str,
    /// The key with each placeholder as the character U+0001.
    pub(crate) shape: &'static str,
    /// The lifetime.
    pub(crate) ttl: Ttl,
    /// Whether `None` is stored.
    pub(crate) cache_none: bool,
    /// Entries of other versions are misses.
    pub(crate) version: u32,
    /// Whether this function's events are shown at `info`.
    pub(crate) debug: bool,
    /// What few functions say.
    pub(crate) options: ReadOptions,
}

/// The options of `#[cacheable]` that few functions name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadOptions {
    /// Whether its entries may stand in the near cache.
    pub(crate) near: bool,
    /// How long past its lifetime an entry is served while one caller computes it anew.
    pub(crate) stale: Duration,
    /// How long past its lifetime an entry is served instead of an error.
    pub(crate) stale_if_error: Duration,
    /// Whether it may be computed anew before its lifetime ends.
    pub(crate) early: bool,
    /// By which part of itself, at most, a lifetime is shortened.
    pub(crate) jitter: f64,
}

impl ReadOptions {
    /// None is named.
    pub(crate) const DEFAULT: Self = Self {
        near: true,
        stale: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        early: false,
        jitter: 0.0,
    };
}

impl ReadInfo {
    pub(crate) fn place(&self) -> Place {
        Place {
            module: self.module,
            file: self.at.file(),
            line: self.at.line(),
            function: self.function,
        }
    }
}

/// The call site of a cached function.
#[derive(Debug)]
pub struct ReadSite {
    pub(crate) info: ReadInfo,
    /// Two placeholders of the template stand together without a separator that no value can hold.
    ambiguous: bool,
    identity: IdentityMemo,
    default_path: OnceLock<String>,
    number: OnceLock<usize>,
}

impl ReadSite {
    /// Renders the key of a call, or leaves in the rendering why it can't be.
    // Not inlined into what looks for the key: either has use for all registers.
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

    /// `crate:module:function`.
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

    /// Its place in every cache's counters.
    #[inline]
    pub(crate) fn number(&self) -> usize {
        *self
            .number
            .get_or_init(|| registry::number(self.info.place()))
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

/// What `#[invalidate]` says of its function.
#[derive(Debug)]
pub(crate) struct WriteInfo {
    /// The function's name.
    pub(crate) function: &'static str,
    /// `module_path!()`.
    pub(crate) module: &'static str,
    /// Where its attribute stands.
    pub(crate) at: &'static Location<'static>,
    /// The patterns as they are written.
    pub(crate) patterns: &'static [&'static str],
    /// The patterns with each placeholder as the character U+0001.
    pub(crate) shapes: &'static [&'static str],
    /// When it acts.
    pub(crate) when: When,
    /// Whether its events are shown at `info`.
    pub(crate) debug: bool,
}

impl WriteInfo {
    pub(crate) fn place(&self) -> Place {
        Place {
            module: self.module,
            file: self.at.file(),
            line: self.at.line(),
            function: self.function,
        }
    }
}

/// The call site of an invalidating function.
#[derive(Debug)]
pub struct WriteSite {
    pub(crate) info: WriteInfo,
    number: OnceLock<usize>,
}

impl WriteSite {
    /// Its place in every cache's counters.
    pub(crate) fn number(&self) -> usize {
        *self
            .number
            .get_or_init(|| registry::number(self.info.place()))
    }
}

/// Who calls, for counters and events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) function: &'static str,
    pub(crate) debug: bool,
    /// Its place in the counters.
    pub(crate) number: usize,
}

impl Origin {
    /// An explicit operation of the handle.
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

/// Whether two placeholders of a template can't be told apart in a path: between them is no character that is
/// escaped in values. `<<a>>-<<b>>` renders `x-y-z` in two ways; `<<a>>:<<b>>` has one reading.
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
    fn placeholders_need_a_separator_that_no_value_holds() {
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
