//! Call sites: what an attribute knows about its function, in a `static` that registers itself at link time.

pub(crate) mod registry;

use std::sync::OnceLock;
use std::time::Duration;

use crate::key::escape::is_structural;
use crate::key::identity::{IdentityMemo, identity};
use crate::key::writer::{Rendering, Writer};
use crate::ttl::Ttl;
use registry::Place;

/// What `#[cacheable]` says of its function.
#[derive(Debug)]
pub struct ReadInfo {
    /// The function's name.
    pub function: &'static str,
    /// `_cache_key` and the like, in the companions; empty in the function itself.
    pub companion: &'static str,
    /// `module_path!()`.
    pub module: &'static str,
    /// `file!()`.
    pub file: &'static str,
    /// `line!()`.
    pub line: u32,
    /// The key as it is written; empty where there is none.
    pub template: &'static str,
    /// The key with each placeholder as the character U+0001.
    pub shape: &'static str,
    /// The lifetime.
    pub ttl: Ttl,
    /// Whether `None` is stored.
    pub cache_none: bool,
    /// Entries of other versions are misses.
    pub version: u32,
    /// Whether this function's events are shown at `info`.
    pub debug: bool,
    /// What few functions say.
    pub options: ReadOptions,
}

/// The options of `#[cacheable]` that few functions name.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    /// Whether its entries may stand in the near store.
    pub near: bool,
    /// How long past its lifetime an entry is served while one caller computes it anew.
    pub stale: Duration,
    /// How long past its lifetime an entry is served instead of an error.
    pub stale_if_error: Duration,
    /// Whether it may be computed anew before its lifetime ends.
    pub early: bool,
    /// By which part of itself, at most, a lifetime is shortened.
    pub jitter: f64,
}

impl ReadOptions {
    /// None is named.
    pub const DEFAULT: Self = Self {
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
            file: self.file,
            line: self.line,
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
    /// The call site that an attribute makes.
    pub const fn new(info: ReadInfo) -> Self {
        Self {
            ambiguous: is_ambiguous(info.shape.as_bytes()),
            info,
            identity: IdentityMemo::new(),
            default_path: OnceLock::new(),
            number: OnceLock::new(),
        }
    }

    /// Renders the key of a call, or leaves in the rendering why it can't be. The type name of the attribute's closure names the
    /// instance.
    #[inline(always)]
    pub(crate) fn render(
        &self,
        rendering: &mut Rendering,
        instance: &'static str,
        write: &dyn Fn(&mut Writer<'_>),
    ) {
        if self.info.template.is_empty() {
            rendering.text.push_str(self.default_path());
        }
        if self.identity.enters(instance, &self.info) {
            let identity = identity(instance, self.info.companion, self.info.function);
            rendering.vary_by("", &identity);
        }
        write(&mut rendering.with_lengths_hashed(self.ambiguous).writer());
        rendering.finish_key();
    }

    /// `crate:module:function`.
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
pub enum When {
    /// After the body, unless it returned `Err`.
    Ok,
    /// After the body.
    Always,
    /// Before the body.
    Before,
}

/// What `#[invalidate]` says of its function.
#[derive(Debug)]
pub struct WriteInfo {
    /// The function's name.
    pub function: &'static str,
    /// `module_path!()`.
    pub module: &'static str,
    /// `file!()`.
    pub file: &'static str,
    /// `line!()`.
    pub line: u32,
    /// The patterns as they are written.
    pub patterns: &'static [&'static str],
    /// The patterns with each placeholder as the character U+0001.
    pub shapes: &'static [&'static str],
    /// When it acts.
    pub when: When,
    /// Whether its events are shown at `info`.
    pub debug: bool,
}

impl WriteInfo {
    pub(crate) fn place(&self) -> Place {
        Place {
            module: self.module,
            file: self.file,
            line: self.line,
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
    /// The call site that an attribute makes.
    pub const fn new(info: WriteInfo) -> Self {
        Self {
            info,
            number: OnceLock::new(),
        }
    }

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
const fn is_ambiguous(shape: &[u8]) -> bool {
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
