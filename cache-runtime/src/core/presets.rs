//! Named TTLs: `ttl = preset("user_profile")`.

use std::fmt::Display;
use std::time::Duration;

use crate::core::not_stored::Problem;
use crate::core::{Cache, preset_key};
use crate::events;
use crate::site::Origin;

/// Name of a family's member for all that aren't configured.
const DEFAULT_MEMBER: &str = "default";

/// Return the name of a family's member, among all presets.
pub(crate) fn member_name(family: &str, member: &dyn Display) -> String {
    format!("{family}:{member}")
}

impl Cache {
    /// Return the TTL of a preset, for this call site.
    ///
    /// A name that is configured nowhere is logged when a call first uses it, once for each
    /// function. `build` can't report it as an error: it knows the call sites of every linked
    /// crate, including those that the program never calls, or calls with another cache.
    pub(crate) fn preset(&self, origin: Origin, name: &str) -> Option<Duration> {
        let ttl = self.inner.presets.get(&preset_key(name)).copied();
        if ttl.is_none() {
            self.unknown_preset(origin, name);
        }
        ttl
    }

    /// Return the TTL of a family's member: the member's own, or that of the family's `default`.
    pub(crate) fn family_preset(
        &self,
        origin: Origin,
        family: &str,
        member: &dyn Display,
    ) -> Option<Duration> {
        let name = member_name(family, member);
        let presets = &self.inner.presets;
        let ttl = presets
            .get(&preset_key(&name))
            .or_else(|| presets.get(&preset_key(&member_name(family, &DEFAULT_MEMBER))));
        if ttl.is_none() {
            self.unknown_preset(origin, &name);
        }
        ttl.copied()
    }

    #[cold]
    fn unknown_preset(&self, origin: Origin, name: &str) {
        // Hold no lock while user code, the subscriber, runs. Without a subscriber the problem
        // doesn't count as logged.
        if !events::warnings_wanted() || !self.inner.logged.is_first(origin, Problem::UnknownPreset)
        {
            return;
        }
        let mut known: Vec<_> = self
            .inner
            .presets
            .keys()
            .map(|name| format!("`{name}`"))
            .collect();
        known.sort();
        let known = match known.is_empty() {
            true => "no preset is configured".to_owned(),
            false => format!("the configured presets are {}", known.join(", ")),
        };
        let variable = preset_key(name).to_uppercase();
        let reason = format!(
            "the preset `{name}` is not configured, so entries get the default TTL of {:?}; add `.preset(\"{name}\", ttl)` to the builder, or set `CACHE_TIMEOUT_{variable}`; {known}",
            self.inner.default_ttl
        );
        events::misconfigured(origin.function, &reason);
    }
}
