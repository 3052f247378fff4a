//! Builder methods through which generated code describes its function. Only differences from the
//! default are emitted, since the compiler reads each of these lines for every annotated function.

use std::panic::Location;
use std::sync::OnceLock;
use std::time::Duration;

use super::{AuditRate, ReadInfo, ReadOptions, ReadSite, When, WriteInfo, WriteSite, is_ambiguous};
use crate::site::identity_memo::IdentityMemo;
use crate::ttl::Ttl;

impl ReadSite {
    /// Describe the call site of the function of this name in the module `module_path!()`, whose
    /// key is written `template`. In `shape` each placeholder is the character U+0001. Both are
    /// empty if no key is written. `marker` names an item inside the function.
    #[track_caller]
    pub const fn new(
        function: &'static str,
        module: &'static str,
        template: &'static str,
        shape: &'static str,
        marker: fn() -> &'static str,
    ) -> Self {
        Self {
            ambiguous: false,
            info: ReadInfo {
                function,
                companion: "",
                module,
                at: Location::caller(),
                name_at: (0, 0),
                marker,
                template,
                shape,
                ttl: Ttl::Default,
                varies: false,
                cache_none: false,
                version: 0,
                debug: false,
                owner: None,
                audit: AuditRate::Never,
                options: ReadOptions::DEFAULT,
            },
            identity: IdentityMemo::new(),
            default_path: OnceLock::new(),
            number: OnceLock::new(),
        }
    }

    /// Check the template for ambiguity. Emitted only for templates in which some pair of
    /// placeholders has no `:` between them: few have, and compile-time evaluation is slow.
    pub const fn together(mut self) -> Self {
        self.ambiguous = is_ambiguous(self.info.shape.as_bytes());
        self
    }

    /// Line and column of the function's name.
    pub const fn name_at(mut self, line: u32, column: u32) -> Self {
        self.info.name_at = (line, column);
        self
    }

    /// Suffix of a companion, such as `_cache_key`.
    pub(crate) const fn companion(mut self, suffix: &'static str) -> Self {
        self.info.companion = suffix;
        self
    }

    /// `ttl = 600`, in milliseconds.
    pub const fn ttl(mut self, millis: u64) -> Self {
        self.info.ttl = Ttl::Fixed(Duration::from_millis(millis));
        self
    }

    /// `ttl = preset("name")`.
    pub const fn preset(mut self, name: &'static str) -> Self {
        self.info.ttl = Ttl::Preset(name);
        self
    }

    /// `ttl = preset("family:<<member>>")`.
    pub const fn preset_family(mut self, template: &'static str) -> Self {
        self.info.ttl = Ttl::Family(template);
        self
    }

    /// `ttl` is an expression or a closure.
    pub const fn computed_ttl(mut self) -> Self {
        self.info.ttl = Ttl::Computed;
        self
    }

    /// Arguments or values of the context are hashed, or the function has type parameters. Emitted
    /// only if a key is written.
    pub const fn varies(mut self) -> Self {
        self.info.varies = true;
        self
    }

    /// `cache_none`.
    pub const fn cache_none(mut self) -> Self {
        self.info.cache_none = true;
        self
    }

    /// `version = 2`.
    pub const fn version(mut self, version: u32) -> Self {
        self.info.version = version;
        self
    }

    /// `debug`.
    pub const fn debug(mut self) -> Self {
        self.info.debug = true;
        self
    }

    /// `owner = user.id`. In `shape`, the placeholders of the key that are the owner are the
    /// character U+0002, and the others U+0001.
    pub const fn owner(mut self, shape: &'static str) -> Self {
        self.info.owner = Some(shape);
        self
    }

    /// `audit`.
    pub const fn audited(mut self) -> Self {
        self.info.audit = AuditRate::OfCache;
        self
    }

    /// `audit = 0.01`.
    pub const fn audited_at(mut self, rate: f64) -> Self {
        self.info.audit = AuditRate::Own(rate);
        self
    }

    /// `near = false`.
    pub const fn not_near(mut self) -> Self {
        self.info.options.near = false;
        self
    }

    /// `stale = "1m"`, in milliseconds.
    pub const fn stale(mut self, millis: u64) -> Self {
        self.info.options.stale = Duration::from_millis(millis);
        self
    }

    /// `stale_if_error = "1h"`, in milliseconds.
    pub const fn stale_if_error(mut self, millis: u64) -> Self {
        self.info.options.stale_if_error = Duration::from_millis(millis);
        self
    }

    /// `early`.
    pub const fn early(mut self) -> Self {
        self.info.options.early = true;
        self
    }

    /// `jitter = 0.1`.
    pub const fn jitter(mut self, part: f64) -> Self {
        self.info.options.jitter = part;
        self
    }
}

impl WriteSite {
    /// Describe the call site of the function of this name in the module `module_path!()`, with its
    /// patterns as written. In `shapes` each placeholder is the character U+0001.
    #[track_caller]
    pub const fn new(
        function: &'static str,
        module: &'static str,
        patterns: &'static [&'static str],
        shapes: &'static [&'static str],
    ) -> Self {
        Self {
            info: WriteInfo {
                function,
                module,
                at: Location::caller(),
                patterns,
                shapes,
                when: When::Ok,
                debug: false,
            },
            number: OnceLock::new(),
        }
    }

    /// `when = "always"`.
    pub const fn always(mut self) -> Self {
        self.info.when = When::Always;
        self
    }

    /// `when = "before"`.
    pub const fn before(mut self) -> Self {
        self.info.when = When::Before;
        self
    }

    /// `debug`.
    pub const fn debug(mut self) -> Self {
        self.info.debug = true;
        self
    }
}
