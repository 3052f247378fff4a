//! The findings of the program's functions.

use super::Finding;
use crate::topology::Topology;

impl Topology {
    /// Return what is wrong with the patterns of the program. See
    /// [`Cache::findings`](crate::Cache::findings), which includes it.
    ///
    /// ```standalone_crate
    /// use cache_runtime::{FindingLevel, cacheable, invalidate, topology};
    ///
    /// #[cacheable(key = "posts:<<id>>")]
    /// fn post(id: u32) -> u32 {
    ///     id
    /// }
    ///
    /// #[invalidate(patterns = ["posts:<<id>>", "post:<<id>>"])] // the second has a typo
    /// fn update(id: u32) {}
    ///
    /// let findings = topology().findings();
    /// assert_eq!((findings.len(), findings[0].level), (1, FindingLevel::Problem));
    /// ```
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.reads.is_empty() && self.writes.is_empty() {
            findings.push(Finding::note(
            "patterns",
            "not checked: this program has no annotated functions (run the command from your own binary)",
        ));
            return findings;
        }
        let dead = self.dead_patterns();
        for pattern in &dead {
            findings.push(Finding::problem(
                "patterns",
                format!(
                    "{} of {}::{} matches no key of the program ({}:{})",
                    pattern.pattern, pattern.module, pattern.function, pattern.file, pattern.line
                ),
                "correct the pattern, or remove it",
            ));
        }
        if dead.is_empty() {
            findings.push(Finding::ok(
                "patterns",
                "each one matches keys of a function",
            ));
        }
        for read in self.never_invalidated() {
            findings.push(Finding::note(
            "patterns",
            format!(
                "no write removes the entries of {}::{} ({}): they live until their TTL ends, {}",
                read.module, read.function, read.template, read.ttl
            ),
        ));
        }

        findings
    }
}
