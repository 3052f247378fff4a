//! Problems of the store, of the processes and of the program, each with its fix: what `cachectl
//! doctor` and the dashboard tell.

mod entries;
mod fleet;
mod program;
mod store;
mod text;

use std::borrow::Cow;

use serde::Serialize;

use crate::core::Cache;
use crate::observe::Snapshot;
use crate::topology::topology;

/// Number of keys that are looked at.
const EXAMINED: usize = 10_000;

/// The result of one check. Returned by [`Cache::findings`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The subject of the check, such as `eviction`.
    pub check: &'static str,
    /// Whether it is a problem.
    pub level: FindingLevel,
    /// The facts, in one line.
    pub text: String,
    /// The fix of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Cow<'static, str>>,
}

/// Whether a [`Finding`] is a problem.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FindingLevel {
    /// As it should be.
    Ok,
    /// Worth knowing, and no problem.
    Note,
    /// A problem, which has a fix.
    Problem,
}

impl Finding {
    /// Return a finding that is as it should be.
    ///
    /// ```
    /// use cache_runtime::{Finding, FindingLevel};
    ///
    /// assert_eq!(Finding::ok("index", "whole").level, FindingLevel::Ok);
    /// ```
    pub fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            level: FindingLevel::Ok,
            text: text.into(),
            fix: None,
        }
    }

    /// Return a finding that is worth knowing.
    ///
    /// ```
    /// use cache_runtime::{Finding, FindingLevel};
    ///
    /// assert_eq!(Finding::note("index", "not built yet").level, FindingLevel::Note);
    /// ```
    pub fn note(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            level: FindingLevel::Note,
            ..Self::ok(check, text)
        }
    }

    /// Return a problem with its fix.
    ///
    /// ```
    /// use cache_runtime::Finding;
    ///
    /// let finding = Finding::problem("latency", "round trip 2s", "bring the server closer");
    /// assert_eq!(finding.fix.as_deref(), Some("bring the server closer"));
    /// ```
    pub fn problem(
        check: &'static str,
        text: impl Into<String>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            level: FindingLevel::Problem,
            fix: Some(fix.into()),
            ..Self::ok(check, text)
        }
    }
}

impl Cache {
    /// Look for problems of the store, of the processes that use it, and of the program's
    /// functions. A store that can't be reached is a finding, too. On Redis this sends more than a
    /// hundred commands (see [`diagnose`](Self::diagnose)), and looks at some 10,000 keys by `SCAN`
    /// (see [`examine`](Self::examine)).
    ///
    /// ```
    /// # use cache_runtime::{Cache, FindingLevel};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let findings = Cache::builder().build()?.findings().await;
    /// assert!(findings.iter().all(|finding| finding.level != FindingLevel::Problem));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn findings(&self) -> Vec<Finding> {
        let mut findings = match self.diagnose().await {
            Ok(diagnosis) => {
                let mut findings = diagnosis.findings();
                match self.examine(EXAMINED).await {
                    Ok(seen) => findings.extend(seen.findings(self.prefix())),
                    Err(error) => findings.push(Finding::note(
                        "entries",
                        format!("the entries can't be looked at: {error}"),
                    )),
                }
                match self.fleet().await {
                    Ok(fleet) => findings.extend(Snapshot::findings(&fleet)),
                    Err(error) => findings.push(Finding::note(
                        "fleet",
                        format!("the processes' counters can't be read: {error}"),
                    )),
                }
                findings
            }
            Err(error) => vec![Finding::problem(
                "connection",
                error.to_string(),
                "mend what the text names; `docs/operations/failure-modes.md` lists causes",
            )],
        };
        findings.extend(topology().findings());
        findings
    }
}
