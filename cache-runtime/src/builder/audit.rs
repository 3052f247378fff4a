//! Builder options for audits.

use super::CacheBuilder;
use crate::error::CacheError;

/// The most audits a second, unless the builder says otherwise.
pub(super) const DEFAULT_LIMIT: u32 = 10;

/// Options for audits.
impl CacheBuilder {
    /// Set the part of the hits that are audited, of functions with
    /// [`#[cacheable(.., audit)]`](macro@crate::cacheable), from 0 to 1; default 0. A function with
    /// `audit = 0.01` has its own rate, and one without the option is never audited, so that its hits
    /// cost what they did.
    ///
    /// An audit runs the body once more in the background, and compares its value with the entry's.
    /// It finds changes that passed the cache: see [`Cache::audits`](crate::Cache::audits).
    ///
    /// ```
    /// use cache_runtime::{Cache, cacheable};
    ///
    /// #[cacheable(key = "posts:<<slug>>", audit)]
    /// async fn get_post(slug: String) -> String {
    ///     format!("the post {slug}")
    /// }
    ///
    /// let cache = Cache::builder().audit(0.001).build()?; // one hit in a thousand
    /// # let _ = get_post;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn audit(mut self, rate: f64) -> Self {
        self.audit = rate;
        self
    }

    /// Set the most audits that begin in a second, of all functions; default 10. One body runs at a
    /// time, whatever the limit.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().audit(0.01).audit_limit(2).build()?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn audit_limit(mut self, per_second: u32) -> Self {
        self.audit_limit = per_second;
        self
    }
}

pub(super) fn check(rate: f64, limit: u32) -> Result<(), CacheError> {
    if !(0.0..=1.0).contains(&rate) {
        return Err(CacheError::InvalidOption {
            option: "audit",
            reason: format!(
                "is {rate}; give the part of the hits that are audited, from 0 to 1, such as 0.001"
            ),
        });
    }
    if limit == 0 {
        return Err(CacheError::InvalidOption {
            option: "audit_limit",
            reason: "is zero, so nothing would be audited; give a positive number of audits a \
                     second, or disable them with `audit(0.0)`"
                .to_owned(),
        });
    }
    Ok(())
}
