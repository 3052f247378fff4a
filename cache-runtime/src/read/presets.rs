//! `ttl = preset("reports:<<kind>>")`: a preset whose name depends on the arguments.

use std::fmt::Display;
use std::time::Duration;

use crate::core::Cache;
use crate::site::Origin;

/// The presets of one call's cache, as an attribute's TTL sees them.
#[derive(Debug)]
pub struct Presets<'c> {
    pub(super) cache: &'c Cache,
    pub(super) origin: Origin,
}

impl Presets<'_> {
    /// Return the TTL of a family's member.
    pub fn member(&self, family: &str, member: &dyn Display) -> Option<Duration> {
        self.cache.family_preset(self.origin, family, member)
    }
}
