//! The findings of the processes.

use std::collections::BTreeMap;

use super::Finding;
use crate::observe::Snapshot;

/// Rows of the outbox that a relay which works never lets pile up.
const MANY_ROWS: u64 = 1_000;

impl Snapshot {
    /// Return what the counters of the processes mean. See
    /// [`Cache::findings`](crate::Cache::findings), which includes them.
    ///
    /// ```
    /// # use cache_runtime::{Cache, observe::Snapshot};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let fleet = Cache::builder().build()?.fleet().await?;
    /// assert_eq!(Snapshot::findings(&fleet)[0].check, "fleet");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn findings(fleet: &[Self]) -> Vec<Finding> {
        let mut findings = Vec::new();

        let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
        for process in fleet {
            *versions.entry(&process.version).or_default() += 1;
        }
        findings.push(match versions.len() {
            0 => Finding::note(
                "fleet",
                "no process has published its counters in the last fifteen seconds",
            ),
            1 => Finding::ok(
                "fleet",
                format!(
                    "processes: {}, all of cache-runtime {}",
                    fleet.len(),
                    versions.keys().next().unwrap_or(&"?")
                ),
            ),
            _ => {
                let counts = versions
                    .iter()
                    .map(|(version, count)| format!("{version} ({count})"));
                let counts: Vec<String> = counts.collect();
                Finding::problem(
                    "fleet",
                    format!(
                        "processes of several versions of cache-runtime: {}",
                        counts.join(", ")
                    ),
                    "finish the deployment; entries of another format are misses until then",
                )
            }
        });
        let count = |is: fn(&Snapshot) -> bool| fleet.iter().filter(|process| is(process)).count();
        let open = count(|process| process.breaker_open);
        if open > 0 {
            findings.push(Finding::problem(
                "breaker",
                format!("{open} processes can't reach Redis, and run their functions uncached"),
                "their log names the cause",
            ));
        }
        let waiting: u64 = fleet.iter().map(|process| process.replay_queue).sum();
        if waiting > 0 {
            findings.push(Finding::problem(
                "queue",
                format!("{waiting} invalidations wait for Redis"),
                "the log of the processes names the cause; the queue is lost if they end now",
            ));
        }
        // Each relay counts the same table.
        if let Some(rows) = fleet.iter().filter_map(|process| process.outbox_rows).max() {
            let text = format!("{rows} rows wait in the outbox");
            findings.push(match rows {
                0 => Finding::ok("outbox", text),
                1..MANY_ROWS => Finding::note("outbox", text),
                _ => Finding::problem(
                    "outbox",
                    format!("{text}: their invalidations are late"),
                    "run a relay (`cache_sql::Relay`) in a process that reaches both database and Redis; its log names what keeps it",
                ),
            });
        }
        findings
    }
}
