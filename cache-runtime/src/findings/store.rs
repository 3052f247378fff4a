//! The findings of a diagnosis.

use std::time::Duration;

use super::Finding;
use super::text::duration;
use crate::cache::{Diagnosis, ServerFacts};

/// The default of `replay_window`.
const REPLAY_WINDOW: Duration = Duration::from_secs(10);

impl Diagnosis {
    /// Return what these facts mean. See [`Cache::findings`](crate::Cache::findings), which
    /// includes them.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let diagnosis = Cache::builder().build()?.diagnose().await?;
    /// assert_eq!(diagnosis.findings()[0].check, "store");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.store == "memory" {
            findings.push(Finding::ok("store", "entries are in this process's memory"));
            audits(self, &mut findings);
            return findings;
        }
        for server in &self.servers {
            version(server, &mut findings);
            eviction(server, &mut findings);
            persistence(server, &mut findings);
        }
        findings.push(rights(self));
        findings.push(match &self.tracking_refused {
            None => Finding::ok("tracking", "a near cache can follow changes"),
            Some(cause) => Finding::note(
                "tracking",
                format!(
                    "a near cache can't follow changes, so `near_cache` has no effect: {cause}"
                ),
            ),
        });
        findings.push(index(self));
        findings.push(round_trips(self.round_trip_p50, self.round_trip_p99));
        audits(self, &mut findings);
        findings
    }
}

/// Return the text, with the server's address in a cluster.
fn at(server: &ServerFacts, text: String) -> String {
    match &server.address {
        Some(address) => format!("{address}: {text}"),
        None => text,
    }
}

fn version(server: &ServerFacts, findings: &mut Vec<Finding>) {
    let Some(version) = &server.version else {
        let text = "unknown: the user may not run INFO; allow it with `+info` for this and the next checks";
        findings.push(Finding::note("version", at(server, text.to_owned())));
        return;
    };
    let mut numbers = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let text = at(server, format!("Redis {version}"));
    findings.push(match (major, minor) >= (6, 2) {
        true => Finding::ok("version", text),
        false => Finding::problem("version", text, "use Redis 6.2 or later"),
    });
}

fn eviction(server: &ServerFacts, findings: &mut Vec<Finding>) {
    let (Some(policy), Some(limit)) = (&server.eviction_policy, server.max_memory) else {
        return;
    };
    let evicted = server.evicted_keys.unwrap_or(0);
    let text = at(server, format!("{policy}, {evicted} keys evicted"));
    findings.push(if policy.starts_with("allkeys") {
        Finding::problem(
            "eviction",
            format!("{text}; the index has no TTL and may be evicted, and each loss costs a walk over all keys"),
            "CONFIG SET maxmemory-policy volatile-lru",
        )
    } else if policy == "noeviction" && limit > 0 {
        Finding::problem(
            "eviction",
            format!("{text}; a full server refuses writes, which is an outage of the cache"),
            "CONFIG SET maxmemory-policy volatile-lru",
        )
    } else if limit == 0 {
        Finding::note("eviction", format!("{text}; no `maxmemory`, so the machine's memory is the limit"))
    } else {
        Finding::ok("eviction", text)
    });
}

fn persistence(server: &ServerFacts, findings: &mut Vec<Finding>) {
    let Some(append_only) = server.append_only else {
        return;
    };
    let snapshots = server.snapshots.as_deref();
    if !append_only && snapshots == Some("") {
        let text = "none: a restart begins empty";
        findings.push(Finding::ok("persistence", at(server, text.to_owned())));
        return;
    }
    let window = duration(REPLAY_WINDOW);
    let again = format!(
        "each process then sends its invalidations of the last {window} (`replay_window`) again"
    );
    let text = match (append_only, snapshots) {
        (true, _) => format!(
            "append-only file: a restart brings entries back, after a crash without the last second of invalidations; {again}"
        ),
        (false, Some(_)) => format!(
            "snapshots: {}; {again}. If that is too little, turn snapshots off (`CONFIG SET save \"\"`) or the append-only file on",
            resurrected(server)
        ),
        (false, None) => {
            "no append-only file; whether there are snapshots is unknown (`+config|get`)".to_owned()
        }
    };
    findings.push(Finding::note("persistence", at(server, text)));
}

/// Return what a crash brings back from the last snapshot.
fn resurrected(server: &ServerFacts) -> String {
    match (server.last_snapshot, server.changes_since_snapshot) {
        (Some(_), Some(0)) => "nothing has changed since the last one".to_owned(),
        (Some(age), Some(changes)) => format!(
            "a crash now brings back the entries of {} ago, without {changes} changes",
            duration(age)
        ),
        _ => "a crash brings back old entries".to_owned(),
    }
}

fn rights(diagnosis: &Diagnosis) -> Finding {
    let needed = "the user may run every command that calls need (tried when connecting)";
    match &diagnosis.missing_rights {
        None => Finding::ok(
            "rights",
            format!("{needed}; optional ones are unknown (`+acl|dryrun +acl|whoami`, Redis 7)"),
        ),
        Some(missing) if missing.is_empty() => {
            Finding::ok("rights", format!("{needed}, and all optional ones"))
        }
        Some(missing) => {
            let missing: Vec<String> = missing
                .iter()
                .map(|right| format!("{} for {}", right.right, right.used_by))
                .collect();
            Finding::note(
                "rights",
                format!(
                    "{needed}; optional ones that are missing: {}",
                    missing.join(", ")
                ),
            )
        }
    }
}

fn index(diagnosis: &Diagnosis) -> Finding {
    let (missing, all) = (diagnosis.incomplete_index_sets, diagnosis.index_sets);
    match missing {
        0 => Finding::ok("index", "whole"),
        missing if missing == all => Finding::note(
            "index",
            "not built yet: the first entry or invalidation builds it, by one walk over all keys",
        ),
        missing => Finding::problem(
            "index",
            format!(
                "{missing} of {all} sets are lost; the next invalidation by pattern rebuilds them, by one walk over all keys"
            ),
            "let the server evict only keys with a TTL (`maxmemory-policy volatile-lru`); `cachectl ls` rebuilds the index now",
        ),
    }
}

fn round_trips(p50: Duration, p99: Duration) -> Finding {
    let text = format!(
        "round trip {} (p50), {} (p99)",
        duration(p50),
        duration(p99)
    );
    match p99 > Duration::from_millis(125) {
        // Half of the default `response_timeout`.
        true => Finding::problem(
            "latency",
            text,
            "bring the server closer, or raise `response_timeout` above the slowest reply that is normal",
        ),
        false => Finding::ok("latency", text),
    }
}

/// Report what audits have found.
fn audits(diagnosis: &Diagnosis, findings: &mut Vec<Finding>) {
    for stale in &diagnosis.audits {
        let fix = match stale.writes.is_empty() {
            true => "invalidate the key in the function that writes, then clear the entry",
            false => "look for a change that passed these writes, then clear the entry",
        };
        findings.push(Finding::problem("audit", stale.to_string(), fix));
    }
}
